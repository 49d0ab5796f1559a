import Content
import ECREmulator
import TestPrograms
import Testing

@Suite("Layouts of other tools, and ours", .timeLimit(.minutes(2)), .needs(.skopeo, .umoci))
struct LayoutInteropTests {
    @Test("from umoci are copied to ECR, and skopeo reads our layout of that byte for byte")
    func roundTrip() async throws {
        try await withScratchDirectory { directory in
            try await withEmulator { emulator in
                let image = try await DebianImage.make(in: directory)
                for (account, region) in [(Cloud.build, Cloud.home), (Cloud.production, Cloud.far)] {
                    try emulator.createRepository(account: account, region: region, "team/debian")
                }
                let registry = emulator.registryHost(account: Cloud.build, region: Cloud.home)
                for name in ["v1", "multi"] {
                    let pushed = try await ours(
                        emulator,
                        "copy",
                        "oci:\(image.layout):\(name)",
                        "\(registry)/team/debian"
                    )
                    let digest = Digest(of: try await image.manifest(name))
                    #expect(pushed.lines == ["\(registry)/team/debian:\(name)@\(digest)"], "\(pushed.errors)")
                }

                let layout = "\(directory)/ours"
                let all = try await ours(emulator, "copy", "--all-tags", "\(registry)/team/debian", "oci:\(layout)")
                #expect(all.exitCode == 0, "\(all.errors)")
                #expect(all.lines.allSatisfy { $0.hasPrefix("oci:\(layout):") } && all.lines.count == 2)
                for name in ["v1", "multi"] {
                    let raw = try await skopeo("inspect", "--raw", "oci:\(layout):\(name)")
                    #expect(try await raw.outputBytes == image.manifest(name))
                }
                let pulled = try await skopeo(
                    "copy",
                    "--all",
                    "--preserve-digests",
                    "oci:\(layout):multi",
                    "oci:\(directory)/theirs:again"
                )
                #expect(pulled.exitCode == 0)
                let listed = try await run(.umoci, ["ls", "--layout", layout])
                #expect(listed.lines.sorted() == ["multi", "v1"], "\(listed.errors)")

                // skopeo's layout of that is copied to another region, with the same digest.
                let far = emulator.registryHost(account: Cloud.build, region: Cloud.far)
                try emulator.createRepository(account: Cloud.build, region: Cloud.far, "team/debian")
                let back = try await ours(emulator, "copy", "oci:\(directory)/theirs", "\(far)/team/debian:12")
                #expect(
                    back.lines == ["\(far)/team/debian:12@\(Digest(of: try await image.manifest("multi")))"],
                    "\(back.errors)"
                )
                let again = try await ours(emulator, "copy", "oci:\(directory)/theirs", "\(far)/team/debian:12")
                #expect(again.errors.contains("nothing to do, "), "\(again.errors)")
            }
        }
    }

    @Test("in skopeo's archives are copied to ECR with the digest that skopeo reads", arguments: ["oci", "docker"])
    func archives(form: String) async throws {
        try await withScratchDirectory { directory in
            try await withEmulator { emulator in
                let image = try await DebianImage.make(in: directory)
                try emulator.createRepository(account: Cloud.build, region: Cloud.home, "team/debian")
                let registry = emulator.registryHost(account: Cloud.build, region: Cloud.home)
                let archive = "\(form)-archive:\(directory)/app.tar"
                let name = form == "oci" ? ":v1" : ":docker.io/team/debian:v1"
                let made = try await skopeo("copy", "oci:\(image.layout):v1", archive + name)
                try #require(made.exitCode == 0, "\(made.errors)")
                let raw = try await skopeo("inspect", "--raw", archive)
                // skopeo 1.9.3 names a compressed type for layers that aren't compressed, because it compresses them
                // when it copies.
                let text = raw.output.replacing("diff.tar.gzip", with: "diff.tar")
                let digest = Digest(of: form == "docker" ? Array(text.utf8) : raw.outputBytes)
                if form == "oci" { #expect(try await raw.outputBytes == image.manifest("v1")) }

                let listed = try await ours(emulator, "ls", archive)
                #expect(listed.exitCode == 0 && listed.output.contains("\(digest)"), "\(listed.output)\(listed.errors)")
                let copied = try await ours(emulator, "copy", archive, "\(registry)/team/debian")
                #expect(copied.lines == ["\(registry)/team/debian:v1@\(digest)"], "\(copied.errors)")
                #expect(copied.errors.contains("one was made") == (form == "docker"), "\(copied.errors)")
                let again = try await ours(emulator, "copy", archive, "docker://\(registry)/team/debian")
                #expect(again.errors.contains("nothing to do, "), "\(again.errors)")

                // A compressed archive is refused, and the error says what to do.
                _ = try await run(
                    .shell,
                    ["-c", "gzip \(directory)/app.tar && mv \(directory)/app.tar.gz \(directory)/app.tar"]
                )
                let packed = try await ours(emulator, "ls", archive)
                #expect(packed.exitCode == 1 && packed.errors.contains("gunzip"), "\(packed.errors)")
            }
        }
    }

    @Test("that umoci emptied or made empty are listed and filled")
    func emptied() async throws {
        try await withScratchDirectory { directory in
            try await withEmulator { emulator in
                let image = try await DebianImage.make(in: directory)
                let layout = "\(directory)/umoci"
                let made = try await run(.umoci, ["init", "--layout", layout])
                try #require(made.exitCode == 0, "\(made.errors)")
                for _ in 0..<2 {
                    let listed = try await ours(emulator, "ls", "oci:\(layout)")
                    #expect(listed.exitCode == 0 && listed.lines.isEmpty, "\(listed.errors)")
                    let copied = try await ours(emulator, "copy", "oci:\(image.layout):v1", "oci:\(layout)")
                    #expect(copied.exitCode == 0, "\(copied.errors)")
                    let removed = try await run(.umoci, ["rm", "--image", "\(layout):v1"])
                    #expect(removed.exitCode == 0, "\(removed.errors)")
                }
            }
        }
    }

    @Test("carry an image and its signatures between networks")
    func gap() async throws {
        try await withScratchDirectory { directory in
            try await withEmulator { emulator in
                let image = SeedImage.twoPlatforms("app", layersEach: [3_000, 4_000])
                let sbom = SeedImage.referrer(to: image)
                let cosign = SeedImage.cosignSignature(of: image.digest)
                func seed(_ image: SeedImage, _ tag: String?) throws {
                    try emulator.seed(image, tag: tag, account: Cloud.build, region: Cloud.home, repository: "team/app")
                }
                try seed(image, "v1")
                try seed(sbom, nil)
                try seed(cosign, SeedImage.cosignTag(of: image.digest))
                let registry = emulator.registryHost(account: Cloud.build, region: Cloud.home)
                let stick = "oci:\(directory)/stick"
                let out = try await ours(emulator, "copy", "\(registry)/team/app:v1", stick)
                #expect(out.lines == ["\(stick):v1@\(image.digest)"], "\(out.errors)")
                let again = try await ours(emulator, "copy", "\(registry)/team/app:v1", stick)
                #expect(again.errors.contains("nothing to do, "), "\(again.errors)")
                let seen = try await ours(emulator, "inspect", stick)
                #expect(
                    seen.exitCode == 0 && seen.output.contains("\(sbom.digest)  referrer"),
                    "\(seen.output)\(seen.errors)"
                )
                let listed = try await ours(emulator, "ls", stick)
                #expect(listed.lines.contains { $0.hasPrefix("v1 ") }, "\(listed.output)")

                let far = emulator.registryHost(account: Cloud.build, region: Cloud.far)
                try emulator.createRepository(account: Cloud.build, region: Cloud.far, "team/app")
                let into = try await ours(emulator, "copy", stick, "\(far)/team/app")
                #expect(into.lines == ["\(far)/team/app:v1@\(image.digest)"], "\(into.errors)")
                let there = emulator.manifests(account: Cloud.build, region: Cloud.far, repository: "team/app")
                for part in [image, sbom, cosign] { #expect(there.contains(part.digest)) }
                #expect(
                    emulator.tag(
                        SeedImage.cosignTag(of: image.digest),
                        account: Cloud.build,
                        region: Cloud.far,
                        repository: "team/app"
                    ) == cosign.digest
                )
            }
        }
    }

    @Test(
        "are retagged without moving a byte, and finished by the run after a killed one",
        arguments: [5, 20, 60]
    )
    func killed(milliseconds: Int) async throws {
        try await withScratchDirectory { directory in
            try await withEmulator { emulator in
                let image = SeedImage.oci("app", layers: [400_000, 300_000, 200_000])
                try emulator.seed(
                    image,
                    tag: "v1",
                    account: Cloud.build,
                    region: Cloud.home,
                    repository: "team/app"
                )
                let registry = emulator.registryHost(account: Cloud.build, region: Cloud.home)
                let layout = "oci:\(directory)/to"
                let killer = "\"$@\" & sleep 0.\(String(1_000 + milliseconds).dropFirst()); kill -9 $!; wait $!; true"
                guard let program = Program.ecrReplicate.path else { return }
                for _ in 0..<3 {
                    _ = try await run(
                        .shell,
                        ["-c", killer, "sh", program, "copy", "\(registry)/team/app:v1", layout],
                        environment: emulator.variables()
                    )
                }
                let copied = try await ours(emulator, "copy", "\(registry)/team/app:v1", layout)
                #expect(copied.lines == ["\(layout):v1@\(image.digest)"], "\(copied.errors)")
                let retagged = try await ours(emulator, "retag", "\(layout):v1", "stable")
                #expect(retagged.lines == ["\(layout):stable@\(image.digest)"], "\(retagged.errors)")
                #expect(try await skopeo("inspect", "--raw", "\(layout):stable").outputBytes == image.bytes)
            }
        }
    }

    private func ours(_ emulator: Emulator, _ arguments: String...) async throws -> Ended {
        try await run(.ecrReplicate, arguments, environment: emulator.variables())
    }
}
