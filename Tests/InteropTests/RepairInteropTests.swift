import Content
import Foundation
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

    @Test(
        "finds a blob with wrong bytes, says that the registry keeps them, and repairs it once they are removed",
        arguments: ["changed", "short"]
    )
    func corruptBlob(damage: String) async throws {
        try await withScratchDirectory { directory in
            try await withRegistry(in: directory) { registry in
                let image = try await DebianImage.make(in: directory)
                let arguments = ["oci:\(image.layout):multi", "\(registry.authority)/team/debian:v1"]
                let copied = try await run(.ecrReplicate, ["copy"] + arguments)
                try #require(copied.exitCode == 0, "\(copied.errors)")
                let manifest = try Manifest(bytes: try await image.manifest("v1"), mediaType: .ociManifest)
                let layer = try #require(manifest.layers.first)
                let data =
                    "\(registry.root)/docker/registry/v2/blobs/sha256/\(layer.digest.hex.prefix(2))/\(layer.digest.hex)/data"
                let right = try contents(of: data)
                var wrong = right
                if damage == "short" { wrong.removeLast() } else { wrong[wrong.count / 2] ^= 1 }
                try Data(wrong).write(to: URL(filePath: data))

                let shallow = try await run(.ecrReplicate, ["verify"] + arguments)
                #expect(shallow.exitCode == (damage == "short" ? 2 : 0), "\(shallow.output)\(shallow.errors)")
                let found = try await run(.ecrReplicate, ["verify", "--deep"] + arguments)
                #expect(found.exitCode == 2, "\(found.output)\(found.errors)")
                #expect(found.lines.contains { $0.contains("  corrupt: \(layer.digest) of ") }, "\(found.output)")
                #expect(!found.output.contains("uploaded again"))

                let kept = try await run(.ecrReplicate, ["verify", "--deep", "--repair"] + arguments)
                #expect(kept.exitCode == 2, "\(kept.output)\(kept.errors)")
                #expect(
                    kept.output.contains(
                        "note: \(layer.digest) was uploaded again, but the registry still has the wrong"
                    ),
                    "\(kept.output)"
                )
                #expect(try contents(of: data) == wrong)

                try FileManager.default.removeItem(atPath: data)
                let repaired = try await run(.ecrReplicate, ["verify", "--deep", "--repair"] + arguments)
                #expect(repaired.exitCode == 0, "\(repaired.output)\(repaired.errors)")
                #expect(try contents(of: data) == right)
                #expect(try await run(.ecrReplicate, ["verify", "--deep"] + arguments).exitCode == 0)
            }
        }
    }
}
