import Content
import Foundation
import Platform
import Replicate
import TestClouds
import TestPrograms
import Testing

@testable import ECREmulator
@testable import Rules

/// What prune must not delete, however close it comes (docs/rules.md#prune).
@Suite("What prune leaves", .timeLimit(.minutes(2)))
struct PruneDangerTests {
    private static let rules = RuleScene.rules("prune: { enabled: true, maxDelete: 9 }", from: "team/app")

    private let image = SeedImage.oci("app", layers: [1_000])
    private let old = SeedImage.oci("old", layers: [500])

    private func deletions(_ counts: [String: Int]) -> Int { counts["BatchDeleteImage"] ?? 0 }

    /// Carries rules out while something happens after the destination was listed.
    private func sync(
        _ scene: RuleScene,
        _ rules: String = PruneDangerTests.rules,
        meanwhile: @escaping @Sendable () throws -> Void
    ) async throws -> [RepositoryOutcome] {
        // The end of this copy is the moment.
        try scene.seed(SeedImage.oci("moment", layers: [300]), "moment")
        return try await scene.run(
            rules,
            .carryOut,
            noting: { event in if case .finished = event { try? meanwhile() } }
        )
    }

    // MARK: Platforms

    @Test("the image of one platform stays, with its tag and without", arguments: ["match: v1", "digests"])
    func onePlatform(selection: String) async throws {
        try await withScene { scene in
            let index = SeedImage.twoPlatforms("app", layersEach: [100], isAttested: false)
            try scene.seed(index, "v1")
            try scene.seed(old, "v0", in: ScenarioCloud.far)
            let tags = selection == "digests" ? "digests: [\"\(index.digest)\"]" : selection
            let rules = RuleScene.rules(
                "tags: { \(tags) }\nplatforms: linux/arm64\nprune: { enabled: true, maxDelete: 9 }",
                from: "team/app"
            )
            let first = try await scene.run(rules, .carryOut)
            #expect(first.totals.exitStatus == 0 && scene.manifests() == [index.manifests[1].digest], "\(first.text)")
            #expect(scene.tags() == (selection == "digests" ? [:] : ["v1": index.manifests[1].digest]))
            let plan = try await scene.run(rules, .plan)
            #expect(plan.totals.tags[.delete] == nil, "\(plan.text)")
            let again = try await scene.counted(rules, .carryOut)
            #expect(deletions(again.counts) == 0 && again.counts["PutImage"] == nil, "\(again.outcomes.text)")
        }
    }

    /// Stores an index of three platforms.
    private func seedThree(_ scene: RuleScene, in region: String) throws -> (index: Digest, children: [Digest]) {
        let platforms = ["amd64", "arm64", "s390x"]
        let entries = try platforms.map { architecture in
            let child = SeedImage.oci(architecture, layers: [100])
            try scene.seed(child, nil, in: region)
            let bytes = child.manifests[0].bytes
            return (
                child.digest,
                #"{"mediaType":"\#(MediaType.ociManifest)","digest":"\#(child.digest)","size":\#(bytes.count),"#
                    + #""platform":{"os":"linux","architecture":"\#(architecture)"}}"#
            )
        }
        let text =
            #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":["#
            + entries.map(\.1).joined(separator: ",") + "]}"
        let index = try scene.emulator.putManifest(
            Array(text.utf8),
            mediaType: "\(MediaType.ociIndex)",
            tag: "v1",
            account: ScenarioCloud.build,
            region: region,
            repository: "team/app"
        )
        return (index, entries.map(\.0))
    }

    @Test("the index of several platforms stays with its images; the whole index goes with those that it alone had")
    func severalPlatforms() async throws {
        try await withScene { scene in
            let (index, children) = try seedThree(scene, in: ScenarioCloud.home)
            _ = try seedThree(scene, in: ScenarioCloud.far)
            let rules = RuleScene.rules(
                "platforms: [linux/amd64, linux/arm64]\nprune: { enabled: true, maxDelete: 1 }",
                from: "team/app"
            )
            let plan = try await scene.run(rules, .plan)
            #expect(plan.totals.tags == [.move: 1, .delete: 2], "\(plan.text)")
            let done = try await scene.run(rules, .carryOut)
            #expect(done.totals.exitStatus == 0, "\(done.text)")
            let made = try #require(scene.tags()["v1"])
            #expect(made != index && scene.manifests() == [made, children[0], children[1]])
            let again = try await scene.counted(rules, .carryOut)
            #expect(deletions(again.counts) == 0 && again.counts["PutImage"] == nil, "\(again.outcomes.text)")
        }
    }

    // MARK: While the run goes on

    @Test("an index that gets another tag meanwhile stays with its children and its signature")
    func newTag() async throws {
        try await withScene { scene in
            let index = SeedImage.twoPlatforms("index", layersEach: [100])
            let signature = SeedImage.cosignSignature(of: index.digest)
            try scene.seedBoth(image, "v1")
            try scene.seed(index, "v0", in: ScenarioCloud.far)
            try scene.seed(signature, SeedImage.cosignTag(of: index.digest), in: ScenarioCloud.far)
            let done = try await sync(scene) { try scene.seed(index, "mine", in: ScenarioCloud.far) }
            #expect(done.totals.exitStatus == 0, "\(done.text)")
            #expect(
                scene.manifests().isSuperset(of: index.manifests.map(\.digest) + [signature.digest]),
                "\(done.text)"
            )
            #expect(Set(scene.tags().keys) == ["v1", "moment", "mine", SeedImage.cosignTag(of: index.digest)])
        }
    }

    @Test("an image that an index needs that was pushed meanwhile stays")
    func newIndex() async throws {
        try await withScene { scene in
            let index = SeedImage.twoPlatforms("index", layersEach: [100])
            try scene.seedBoth(image, "v1")
            try scene.seed(index, "v0", in: ScenarioCloud.far)
            try scene.remove("v0")
            let children = Set(index.manifests.dropLast().map(\.digest))
            try #require(scene.manifests().isSuperset(of: children) && !scene.manifests().contains(index.digest))
            let done = try await sync(scene) { try scene.seed(index, "mine", in: ScenarioCloud.far) }
            #expect(scene.manifests().isSuperset(of: index.manifests.map(\.digest)), "\(done.text)")
            #expect(done.totals.exitStatus == 0 && done.totals.tags[.delete] == nil)
        }
    }

    @Test("a tag that the source gets meanwhile stays, and a source that can't be listed again deletes nothing")
    func newAtSource() async throws {
        try await withScene(attempts: 1) { scene in
            try scene.seedBoth(image, "v1")
            try scene.seed(old, "v2", in: ScenarioCloud.far)
            // Another sync may have copied it after this one had listed the source.
            let done = try await sync(scene) { try scene.seed(old, "v2") }
            #expect(done.totals.exitStatus == 0 && scene.tags()["v2"] == old.digest, "\(done.text)")

            try scene.seed(old, "v3", in: ScenarioCloud.far)
            scene.emulator.inject(
                Fault(on: "DescribeImages", at: 3...3, .error(code: "ServerException", message: "", status: 500))
            )
            let failed = try await scene.run(Self.rules, .carryOut)
            #expect(failed.totals.exitStatus == 1 && scene.tags()["v3"] == old.digest, "\(failed.text)")
        }
    }

    @Test("what an interrupted copy left is not counted, because the index that comes now needs it")
    func interruptedCopy() async throws {
        try await withScene { scene in
            let index = SeedImage.twoPlatforms("index", layersEach: [100])
            try scene.seed(index, "v1")
            try scene.seed(index, "v1", in: ScenarioCloud.far)
            try scene.remove("v1")
            let rules = RuleScene.rules("prune: { enabled: true, maxDelete: 1 }", from: "team/app")
            let done = try await scene.run(rules, .carryOut)
            #expect(done.totals.exitStatus == 0 && done.problems.isEmpty, "\(done.text)")
            #expect(scene.manifests() == Set(index.manifests.map(\.digest)))
        }
    }

    @Test("nothing is deleted after a signal, and the next run does it")
    func stopped() async throws {
        try await withScene { scene in
            try scene.seedBoth(image, "v1")
            try scene.seed(SeedImage.twoPlatforms("index", layersEach: [100]), "v0", in: ScenarioCloud.far)
            let drain = Drain()
            let stopped = try await scene.run(Self.rules, .carryOut, drain: drain, announcing: { _ in drain.begin() })
            #expect(stopped.totals.stopped > 1 && stopped.totals.tags[.delete] == nil, "\(stopped.text)")
            #expect(scene.tags()["v0"] != nil && scene.manifests().count > 2)
            #expect(try await scene.run(Self.rules, .carryOut).totals.exitStatus == 0)
            #expect(scene.manifests() == [image.digest])
        }
    }

    @Test("what an image needs that could not be deleted stays, and is not asked for")
    func failedIndex() async throws {
        try await withScene(attempts: 1) { scene in
            let index = SeedImage.twoPlatforms("index", layersEach: [100], isAttested: false)
            try scene.seedBoth(image, "v1")
            try scene.seed(index, "v0", in: ScenarioCloud.far)
            scene.emulator.inject(
                Fault(on: "BatchDeleteImage", at: 1...1, .error(code: "ServerException", message: "", status: 500))
            )
            let (done, counts) = try await scene.counted(Self.rules, .carryOut)
            #expect(deletions(counts) == 1 && done.totals.exitStatus == 1, "\(done.text)")
            #expect(done.problems.map(\.reason).filter { $0 == "notDeleted" }.count == 2, "\(done.problems)")
            #expect(scene.manifests().isSuperset(of: index.manifests.map(\.digest)))
            #expect(try await scene.run(Self.rules, .carryOut).totals.exitStatus == 0)
            #expect(scene.manifests() == [image.digest])
        }
    }

    // MARK: Others that use the repository

    @Test("a repository that is written to under two names of its registry is not pruned")
    func twoNames() async throws {
        try await withScene { scene in
            let host = scene.emulator.registryHost(account: ScenarioCloud.build, region: ScenarioCloud.far)
            let rules = """
                version: 1
                registries:
                  build: { account: "111122223333", region: eu-west-1 }
                  far: { account: "111122223333", region: us-east-1 }
                  alias: { host: "\(host)" }
                rules:
                  - name: r
                    from: { registry: build, repository: team/app }
                    to: [{ registry: far }, { registry: alias, tag: "x-{tag}" }]
                    prune: { enabled: true, maxDelete: 9 }
                """
            try scene.seed(image, "v1")
            try scene.seed(old, "v0", in: ScenarioCloud.far)
            for _ in 0..<2 {
                let done = try await scene.run(rules, .carryOut)
                #expect(done.totals.exitStatus == 0, "\(done.text)")
                #expect(Set(scene.tags().keys) == ["v0", "v1", "x-v1"])
                #expect(done.flatMap(\.notes).count { $0.contains("several names of its registry") } == 2)
            }
        }
    }

    @Test("what a rule copied whose source lists nothing any more stays, where it may have copied to")
    func idleRule() async throws {
        try await withScene { scene in
            func rules(_ other: String) -> String {
                """
                  - { name: a, from: { registry: build, repository: team/app }, to: { registry: far, repository: shared/app }, prune: { enabled: true, maxDelete: 9 } }
                  - { name: b, from: { registry: build, repository: "other/*" }, to: { registry: far, \(other) } }
                """
            }
            try scene.seed(image, "v1")
            try scene.seed(image, "v1", "shared/app", in: ScenarioCloud.far)
            try scene.seed(old, "web-v1", "shared/app", in: ScenarioCloud.far)
            for place in ["repository: shared/app, tag: \"{name}-{tag}\"", "repository: \"shared/{name}\""] {
                let done = try await scene.run(rules(place), .carryOut)
                #expect(
                    done.text.contains("rule 'b', which may write to it, selects no repository of its source"),
                    "\(done.text)"
                )
                #expect(scene.tags("shared/app").count == 2)
            }
            // A name that is made from the source's repository can't be this one.
            let apart = try await scene.run(rules("repository: \"shared/{repository}\""), .carryOut)
            #expect(Set(scene.tags("shared/app").keys) == ["v1"], "\(apart.text)")
        }
    }

    @Test("several rules and destinations of one repository keep what each selects; the least maxDelete counts")
    func severalRules() async throws {
        try await withScene { scene in
            for tag in ["v1", "w1"] { try scene.seed(image, tag) }
            for tag in ["a", "b"] {
                try scene.seed(SeedImage.oci(tag, layers: [100]), tag, "shared", in: ScenarioCloud.far)
            }
            func rules(_ most: Int) -> String {
                """
                  - { name: a, from: { registry: build, repository: team/app }, to: [{ registry: far, repository: shared }, { registry: far, repository: shared, tag: "x-{tag}" }], tags: { match: "v*" }, prune: { enabled: true, maxDelete: 9 } }
                  - { name: b, from: { registry: build, repository: team/app }, to: { registry: far, repository: shared }, tags: { match: "w*" }, prune: { enabled: true, maxDelete: \(most) } }
                """
            }
            let refused = try await scene.run(rules(1), .carryOut)
            #expect(refused.problems.map(\.reason) == ["maxDelete"] && refused.totals.exitStatus == 3)
            #expect(Set(scene.tags("shared").keys) == ["a", "b", "v1", "x-v1", "w1"], "\(refused.text)")
            let done = try await scene.run(rules(2), .carryOut)
            #expect(done.totals.exitStatus == 0 && done.totals.tags[.delete] == 2, "\(done.text)")
            #expect(Set(scene.tags("shared").keys) == ["v1", "x-v1", "w1"])
        }
    }

    // MARK: What can't be known

    @Test("no image is deleted where an archived index can't be read, not even one with a tag; a second tag is")
    func archivedIndex() async throws {
        try await withScene { scene in
            let index = SeedImage.twoPlatforms("index", layersEach: [100], isAttested: false)
            try scene.seedBoth(image, "v1")
            try scene.seed(image, "alias", in: ScenarioCloud.far)
            try scene.seed(index, "v0", in: ScenarioCloud.far)
            let child = index.manifests[0]
            try scene.emulator.putManifest(
                child.bytes,
                mediaType: "\(child.mediaType)",
                tag: "v0-amd64",
                account: ScenarioCloud.build,
                region: ScenarioCloud.far,
                repository: "team/app"
            )
            try scene.emulator.archive(
                index.digest,
                account: ScenarioCloud.build,
                region: ScenarioCloud.far,
                repository: "team/app"
            )
            for mode in [RuleRun.Mode.plan, .carryOut] {
                let done = try await scene.run(Self.rules, mode)
                #expect(done.totals.tags[.delete] == 1 && done.problems.isEmpty, "\(done.text)")
                #expect(done.text.contains("can't be read are not known: \(index.digest)"), "\(done.text)")
            }
            #expect(Set(scene.tags().keys) == ["v1", "v0", "v0-amd64"])
            #expect(scene.manifests().isSuperset(of: index.manifests.map(\.digest)))
        }
    }

    @Test("a source of which a page of its list fails deletes nothing")
    func partialListing() async throws {
        try await withScene(attempts: 1) { scene in
            for region in [ScenarioCloud.home, ScenarioCloud.far] {
                try scene.emulator.seedMany(1_500, in: ["team/app"], account: ScenarioCloud.build, region: region)
            }
            try scene.seed(old, "gone", in: ScenarioCloud.far)
            scene.emulator.inject(
                Fault(on: "DescribeImages", at: 2...2, .error(code: "ServerException", message: "", status: 500))
            )
            let (done, counts) = try await scene.counted(Self.rules, .carryOut)
            #expect(done.totals.exitStatus == 1 && deletions(counts) == 0, "\(done.text)")
            #expect(scene.tags().count == 1_501)
        }
    }

    @Test("a tag that is too young keeps all tags, where their names have the digest in them")
    func youngDigest() async throws {
        try await withScene { scene in
            try scene.seed(image, "v1")
            try scene.seed(SeedImage.oci("new", layers: [70]), "latest")
            let held = "latest-\(old.digest.hex)"
            try scene.seed(old, held, in: ScenarioCloud.far)
            let rules = RuleScene.rules(
                "tags: { minAge: 1h, include: [v1] }\nprune: { enabled: true, maxDelete: 9 }",
                from: "team/app",
                to: "{ registry: far, tag: \"{tag}-{digest}\" }"
            )
            let done = try await scene.run(rules, .carryOut)
            #expect(scene.tags()[held] == old.digest && done.text.contains("too young"), "\(done.text)")
            #expect(scene.tags().count == 2)
        }
    }

    @Test("a folder of layouts as source: an empty, damaged or missing layout deletes nothing")
    func layout() async throws {
        try await withScratchDirectory { folder in
            try await withScene { scene in
                let head = """
                    version: 1
                    registries:
                      build: { account: "111122223333", region: eu-west-1 }
                      far: { account: "111122223333", region: us-east-1 }
                      disk: { layout: "\(folder)/images" }
                    rules:

                    """
                let fill = head + RuleScene.rules(from: "team/app", to: "{ registry: disk }")
                // One after another: on the clock of tests, a layout's lock is not waited for.
                for (image, tag) in [(image, "v1"), (old, "v2")] {
                    try scene.seed(image, tag)
                    #expect(try await scene.run(fill, .carryOut).totals.exitStatus == 0)
                }
                try scene.seed(image, "v1", in: ScenarioCloud.far)
                try scene.seed(SeedImage.oci("x", layers: [10]), "x1", in: ScenarioCloud.far)
                let rules =
                    head + """
                          - name: r
                            from: { registry: disk, repository: team/app }
                            to: { registry: far }
                            prune: { enabled: true, maxDelete: 9 }
                        """
                let first = try await scene.run(rules, .carryOut)
                #expect(first.totals.exitStatus == 0, "\(first.text)")
                #expect(scene.tags() == ["v1": image.digest, "v2": old.digest])
                let index = "\(folder)/images/team/app/index.json"
                for damaged in [#"{"schemaVersion":2,"manifests":[]}"#, "{", nil] {
                    if let damaged {
                        try Data(damaged.utf8).write(to: URL(filePath: index))
                    } else {
                        try FileManager.default.removeItem(atPath: "\(folder)/images")
                    }
                    let (done, counts) = try await scene.counted(rules, .carryOut)
                    #expect(deletions(counts) == 0 && scene.tags().count == 2, "\(done.text)")
                }
            }
        }
    }
}

extension RuleScene {
    /// Removes a tag of the destination, and its image with the last one; children of an index stay.
    fileprivate func remove(_ tag: String, _ name: String = "team/app") throws {
        try emulator.change(ScenarioCloud.build, ScenarioCloud.far, name) { repository in
            _ = try repository.delete(ImageIdentifier(imageDigest: nil, imageTag: tag))
        }
    }
}
