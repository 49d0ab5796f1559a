import Content
import TestPrograms
import Testing

/// `--repair` with a server that really loses content.
@Suite("Repairing at a real registry", .timeLimit(.minutes(1)), .needs(.registry, .skopeo, .umoci))
struct RepairInteropTests {
    @Test("copies a blob whose file is lost, or that its repository has lost", arguments: ["file", "link"])
    func lostBlob(what: String) async throws {
        try await withScratchDirectory { directory in
            try await withRegistry(in: directory) { registry in
                let image = try await DebianImage.make(in: directory)
                let place = "\(registry.authority)/team/debian"
                let arguments = ["oci:\(image.layout):multi", "\(place):v1"]
                let copied = try await run(.ecrReplicate, ["copy"] + arguments)
                try #require(copied.exitCode == 0, "\(copied.errors)")
                let manifest = try Manifest(bytes: try await image.manifest("v1"), mediaType: .ociManifest)
                let layer = try #require(manifest.layers.first)
                let hex = layer.digest.hex
                let storage = "\(registry.root)/docker/registry/v2"
                let lost =
                    what == "file"
                    ? "\(storage)/blobs/sha256/\(hex.prefix(2))/\(hex)/data"
                    : "\(storage)/repositories/team/debian/_layers/sha256/\(hex)/link"
                let before = try contents(of: lost)
                let removed = try await run(.shell, ["-c", "rm '\(lost)'"])
                try #require(removed.exitCode == 0, "\(removed.errors)")

                // Without --repair, the registry's content is assumed to be complete.
                let believed = try await run(.ecrReplicate, ["copy"] + arguments)
                #expect(believed.exitCode == 0 && believed.errors.contains("nothing to do"))
                let repaired = try await run(.ecrReplicate, ["copy", "--repair"] + arguments)
                #expect(repaired.exitCode == 0, "\(repaired.errors)")
                #expect(repaired.errors.contains("repaired: 1 blob"), "\(repaired.errors)")
                #expect(try contents(of: lost) == before)

                let again = try await run(.ecrReplicate, ["copy", "--repair"] + arguments)
                #expect(again.exitCode == 0 && again.errors.contains("nothing is missing below"), "\(again.errors)")
            }
        }
    }
}
