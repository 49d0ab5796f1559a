import Content
import ECREmulator
import TestPrograms
import Testing

/// Rules between registries that are not ECR: docker-registry, and image layouts in a directory.
@Suite("Rules for plain registries and layouts", .timeLimit(.minutes(2)), .needs(.registry, .curl))
struct PlainRulesTests {
    private typealias Scene = RuleRegistries

    private func withTwo(
        _ body: (RuleRegistries, _ source: RealRegistry, _ destination: RealRegistry) async throws -> Void
    ) async throws {
        try await withScratchDirectory { folder in
            try await withTwoRegistries(in: folder) { source, destination in
                try await body(RuleRegistries(folder: folder), source, destination)
            }
        }
    }

    @Test("select by patterns over the catalog, copy whole images, and a second sync writes nothing")
    func patterns() async throws {
        try await withTwo { scene, source, destination in
            let sbom = SeedImage.referrer(to: Scene.app)
            let signature = SeedImage.cosignSignature(of: Scene.app.digest)
            try source.store(Scene.app, "v1", in: "team/app")
            try source.store(Scene.multi, "v2", in: "team/app")
            try source.store(signature, SeedImage.cosignTag(of: Scene.app.digest), in: "team/app")
            try source.store(sbom, nil, in: "team/app")
            try source.list(sbom, asReferrerTo: Scene.app, in: "team/app")
            try source.store(Scene.web, "v1", in: "team/web")
            try source.store(Scene.web, "v1", in: "team/scratch-web")
            try source.store(Scene.web, "v1", in: "other/web")
            try scene.write(
                ["source": source.place, "destination": destination.place],
                """
                  - name: all
                    from: { registry: source, repository: "team/*", exclude: "team/scratch-*" }
                    to: { registry: destination, repository: "mirror/{repository}" }
                """
            )
            let planned = try await scene.run("plan", ends: 2)
            #expect(planned.hasPrefix("plan: 3 to add, 0 to move, "), "\(planned)")
            #expect(try await destination.requests().allSatisfy { $0.hasPrefix("HEAD ") || $0.hasPrefix("GET ") })
            #expect(names(in: destination.root).isEmpty, "a plan writes nothing")

            try await scene.run("sync", ends: 0)
            let tags = try destination.tags(of: "mirror/team/app")
            #expect(tags["v1"] == "\(Scene.app.digest)" && tags["v2"] == "\(Scene.multi.digest)")
            #expect(tags[SeedImage.cosignTag(of: Scene.app.digest)] == "\(signature.digest)")
            for image in [Scene.app, Scene.multi, signature, sbom] {
                #expect(try destination.holds(image, in: "mirror/team/app"), "\(image.digest)")
            }
            #expect(try destination.tags(of: "mirror/team/web") == ["v1": "\(Scene.web.digest)"])
            #expect(try destination.tags(of: "mirror/team/scratch-web").isEmpty)
            #expect(try destination.tags(of: "mirror/other/web").isEmpty)
            try await scene.run("verify", ends: 0)

            let before = try await destination.requests().count
            let again = try await scene.run("sync", ends: 0)
            #expect(again.hasPrefix("sync: 0 added, 0 moved, 3 in sync in 2 repositories; 0 B moved, "), "\(again)")
            let asked = try await destination.requests().dropFirst(before)
            #expect(asked.allSatisfy { $0.hasPrefix("HEAD ") || $0.hasPrefix("GET ") }, "\(asked)")
            #expect(try await scene.run("plan", ends: 0).hasPrefix("plan: 0 to add, 0 to move, 3 in sync"))
        }
    }

    @Test("ask for each tag once at each side if nothing differs, and for a fixed list no catalog")
    func noOp() async throws {
        try await withTwo { scene, source, destination in
            let tags = (0..<10).map { "v\($0)" }
            for name in ["team/app", "team/web"] {
                for (number, tag) in tags.enumerated() {
                    let image = SeedImage.oci("\(name) \(number)", layers: [100])
                    for registry in [source, destination] { try registry.store(image, tag, in: name) }
                }
            }
            for (repositories, catalog) in [("\"team/*\"", ["GET /v2/_catalog"]), ("[team/app, team/web]", [])] {
                try scene.write(
                    ["source": source.place, "destination": destination.place],
                    """
                      - name: all
                        from: { registry: source, repository: \(repositories) }
                        to: { registry: destination }
                        referrers: none
                    """
                )
                for command in ["plan", "sync"] {
                    let before = (try await source.requests().count, try await destination.requests().count)
                    let summary = try await scene.run(command, ends: 0)
                    #expect(summary.contains("20 in sync in 2 repositories"), "\(summary)")
                    let heads = ["team/app", "team/web"].flatMap { name in
                        tags.map { "HEAD /v2/\(name)/manifests/\($0)" }
                    }
                    let lists = ["team/app", "team/web"].map { "GET /v2/\($0)/tags/list" }
                    #expect(
                        try await source.requests().dropFirst(before.0).sorted() == (catalog + lists + heads).sorted(),
                        "\(command), \(repositories)"
                    )
                    #expect(
                        try await destination.requests().dropFirst(before.1).sorted() == heads.sorted(),
                        "\(command), \(repositories)"
                    )
                }
            }
        }
    }

    @Test("move one changed tag of many, and touch nothing else")
    func oneChanged() async throws {
        try await withTwo { scene, source, destination in
            for number in 0..<10 {
                let image = SeedImage.oci("\(number)", layers: [100])
                for registry in [source, destination] { try registry.store(image, "v\(number)", in: "team/app") }
            }
            let changed = SeedImage.oci("changed", layers: [120])
            try source.store(changed, "v7", in: "team/app")
            try scene.write(
                ["source": source.place, "destination": destination.place],
                """
                  - name: all
                    from: { registry: source, repository: team/app }
                    to: { registry: destination }
                    referrers: none
                """
            )
            let found = try await scene.run("verify", ends: 2)
            #expect(found.hasPrefix("verify: 1 difference in 1 image, 9 tags in sync"), "\(found)")
            let before = try destination.tags(of: "team/app")
            let moved = try await scene.run("sync", ends: 0)
            #expect(moved.hasPrefix("sync: 0 added, 1 moved, 9 in sync"), "\(moved)")
            let after = try destination.tags(of: "team/app")
            #expect(after.filter { $0.key != "v7" } == before.filter { $0.key != "v7" })
            #expect(after["v7"] == "\(changed.digest)")
            #expect(try destination.holds(changed, in: "team/app"))
            let written = try await destination.requests().filter { !$0.hasPrefix("HEAD ") && !$0.hasPrefix("GET ") }
            #expect(written.filter { $0.contains("/manifests/") } == ["PUT /v2/team/app/manifests/v7"], "\(written)")
            try await scene.run("verify", ends: 0)
        }
    }

    @Test("fill a directory with layouts, and copy from it to another registry by patterns")
    func layouts() async throws {
        try await withTwo { scene, source, destination in
            try source.store(Scene.app, "v1", in: "team/app")
            try source.store(Scene.multi, "v2", in: "team/app")
            try source.store(Scene.web, "v1", in: "team/web")
            let places = ["source": source.place, "destination": destination.place, "disk": "layout: ./images"]
            try scene.write(
                places,
                "  - { name: out, from: { registry: source, repository: \"*\" }, to: { registry: disk } }"
            )
            try await scene.run("plan", ends: 2)
            #expect(names(in: "\(scene.folder)/images").isEmpty, "a plan writes nothing")
            try await scene.run("sync", ends: 0)
            let (app, web) = (
                LayoutFolder(path: "\(scene.folder)/images/team/app"),
                LayoutFolder(path: "\(scene.folder)/images/team/web")
            )
            #expect(try app.tags == ["v1": "\(Scene.app.digest)", "v2": "\(Scene.multi.digest)"])
            #expect(try web.tags == ["v1": "\(Scene.web.digest)"])
            #expect(try app.holds(Scene.app) && app.holds(Scene.multi) && web.holds(Scene.web))
            try await scene.run("verify", ends: 0)
            let indexes = (try app.index, try web.index)
            let again = try await scene.run("sync", ends: 0)
            #expect(again.hasPrefix("sync: 0 added, 0 moved, 3 in sync in 2 repositories; 0 B moved"), "\(again)")
            #expect(try app.index == indexes.0 && web.index == indexes.1)

            // The source is not asked any more.
            let asked = try await source.requests().count
            try scene.write(
                places,
                """
                  - name: in
                    from: { registry: disk, repository: "team/*" }
                    to: { registry: destination, repository: "site/{name}" }
                    tags: { match: "v*" }
                """
            )
            try await scene.run("plan", ends: 2)
            try await scene.run("sync", ends: 0)
            #expect(
                try destination.tags(of: "site/app") == ["v1": "\(Scene.app.digest)", "v2": "\(Scene.multi.digest)"]
            )
            #expect(try destination.holds(Scene.app, in: "site/app") && destination.holds(Scene.multi, in: "site/app"))
            #expect(try destination.tags(of: "site/web") == ["v1": "\(Scene.web.digest)"])
            try await scene.run("verify", ends: 0)
            let before = try await destination.requests().count
            #expect(try await scene.run("sync", ends: 0).hasPrefix("sync: 0 added, 0 moved, 3 in sync"))
            let reads = try await destination.requests().dropFirst(before)
            #expect(reads.allSatisfy { $0.hasPrefix("HEAD ") || $0.hasPrefix("GET ") }, "\(reads)")
            #expect(try await source.requests().count == asked)
        }
    }

    @Test("name what was lost at the destination, and --repair brings it back")
    func lost() async throws {
        try await withTwo { scene, source, destination in
            try source.store(Scene.multi, "v1", in: "team/app")
            try scene.write(
                ["source": source.place, "destination": destination.place],
                "  - { name: all, from: { registry: source, repository: team/app }, to: { registry: destination } }"
            )
            try await scene.run("sync", ends: 0)
            let child = Scene.multi.manifests[0]
            try destination.lose(manifest: child.digest.hex, of: "team/app")
            let found = try await scene.run("verify")
            #expect(found.exitCode == 2, "\(found.output)\(found.errors)")
            #expect(found.output.contains("child manifest missing: \(child.digest) of \(Scene.multi.digest)"))
            let repaired = try await scene.run("verify", "--repair")
            #expect(repaired.exitCode == 0, "\(repaired.output)\(repaired.errors)")
            #expect(try destination.holds(Scene.multi, in: "team/app"))
            try await scene.run("verify", ends: 0)
        }
    }

    @Test(
        "say that a registry doesn't list its repositories, and carry out the rules that name them",
        .needs(.nginx, .python),
        arguments: [404, 403, 401]
    )
    func noCatalog(status: Int) async throws {
        try await withTwo { scene, source, destination in
            let folder = "\(scene.folder)/nginx"
            try makeDirectory(folder)
            try source.store(Scene.app, "v1", in: "team/app")
            try await withReverseProxy(.refusesCatalog(status: status), before: source, in: folder) { proxy in
                try scene.write(
                    ["source": "host: \"http://\(proxy.authority)\"", "destination": destination.place],
                    """
                      - { name: all, from: { registry: source, repository: "team/*" }, to: { registry: destination } }
                      - { name: one, from: { registry: source, repository: team/app }, to: { registry: destination } }
                    """
                )
                let ended = try await scene.run("sync")
                #expect(ended.exitCode == 1, "\(ended.output)\(ended.errors)")
                #expect(ended.errors.contains("/v2/_catalog"), "\(ended.errors)")
                #expect(
                    ended.errors.contains("next: name each repository under from.repository, without * and re:"),
                    "\(ended.errors)"
                )
                #expect(try destination.tags(of: "team/app") == ["v1": "\(Scene.app.digest)"])
            }
        }
    }
}
