import Content
import TestPrograms
import Testing

@Suite(
    "Two real registries",
    .timeLimit(.minutes(1)),
    .needs(.registry, .skopeo, .umoci)
)
struct RealRegistryTests {
    @Test("get a real image byte for byte, one platform or an index of two", arguments: ["v1", "multi"])
    func copy(name: String) async throws {
        try await withScratchDirectory { directory in
            try await withTwoRegistries(in: directory) { source, destination in
                let image = try await DebianImage.make(in: directory)
                try await push(image, name, to: "\(source.authority)/debian:\(name)")
                let digest = Digest(of: try await image.manifest(name))

                let copied = try await run(
                    .ecrReplicate,
                    ["copy", "\(source.authority)/debian:\(name)", "\(destination.authority)/mirror/debian"]
                )

                #expect(copied.exitCode == 0, "\(copied.errors)")
                #expect(copied.lines == ["\(destination.authority)/mirror/debian:\(name)@\(digest)"])
                let raw = try await skopeo(
                    "inspect",
                    "--raw",
                    "--tls-verify=false",
                    "docker://\(destination.authority)/mirror/debian:\(name)"
                )
                #expect(Digest(of: raw.outputBytes) == digest)
                let before = try await pull("\(source.authority)/debian:\(name)", in: "\(directory)/before")
                let after = try await pull("\(destination.authority)/mirror/debian:\(name)", in: "\(directory)/after")
                // One image has a config and two layers; the index adds a config and two manifests.
                #expect(before.count == (name == "v1" ? 5 : 8), "\(before.keys)")
                #expect(after == before)
            }
        }
    }

    @Test("get nothing from a second copy, which says so")
    func again() async throws {
        try await withScratchDirectory { directory in
            try await withTwoRegistries(in: directory) { source, destination in
                let image = try await DebianImage.make(in: directory)
                try await push(image, "v1", to: "\(source.authority)/debian:v1")
                let arguments = [
                    "copy", "--referrers", "none", "\(source.authority)/debian:v1",
                    "\(destination.authority)/debian:v1",
                ]
                let first = try await run(.ecrReplicate, arguments)
                let stored = names(in: "\(destination.root)/docker/registry/v2/blobs/sha256")

                let second = try await run(.ecrReplicate, arguments)

                #expect(first.exitCode == 0 && second.exitCode == 0, "\(first.errors)\(second.errors)")
                #expect(second.lines == first.lines)
                #expect(!first.errors.contains("nothing to do"))
                #expect(second.errors.contains("nothing to do, "))
                #expect(names(in: "\(destination.root)/docker/registry/v2/blobs/sha256") == stored)
            }
        }
    }

    @Test("add a tag to an image in place, and keep the old one")
    func retag() async throws {
        try await withScratchDirectory { directory in
            try await withRegistry(in: directory) { registry in
                let image = try await DebianImage.make(in: directory)
                try await push(image, "multi", to: "\(registry.authority)/debian:12")
                let manifest = try await image.manifest("multi")

                let retagged = try await run(
                    .ecrReplicate,
                    ["retag", "\(registry.authority)/debian:12", "bookworm", "stable"]
                )

                #expect(retagged.exitCode == 0, "\(retagged.errors)")
                #expect(
                    retagged.lines
                        == ["bookworm", "stable"].map { "\(registry.authority)/debian:\($0)@\(Digest(of: manifest))" }
                )
                for tag in ["12", "bookworm", "stable"] {
                    let reference = "docker://\(registry.authority)/debian:\(tag)"
                    #expect(
                        try await skopeo("inspect", "--raw", "--tls-verify=false", reference).outputBytes == manifest
                    )
                }
            }
        }
    }

    @Test("get one platform of an index unchanged")
    func platform() async throws {
        try await withScratchDirectory { directory in
            try await withTwoRegistries(in: directory) { source, destination in
                let image = try await DebianImage.make(in: directory)
                try await push(image, "multi", to: "\(source.authority)/debian:12")

                let copied = try await run(
                    .ecrReplicate,
                    [
                        "copy", "--platform", "linux/arm64", "\(source.authority)/debian:12",
                        "\(destination.authority)/debian:arm",
                    ]
                )

                #expect(copied.exitCode == 0, "\(copied.errors)")
                let raw = try await skopeo(
                    "inspect",
                    "--raw",
                    "--tls-verify=false",
                    "docker://\(destination.authority)/debian:arm"
                )
                #expect(try await raw.outputBytes == image.manifest("arm"))
            }
        }
    }
}
