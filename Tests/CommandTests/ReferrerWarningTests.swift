import Content
import TestPrograms
import Testing

/// A referrer that can't be copied gets a warning; the image is copied, and the command succeeds.
@Suite("The warning about a referrer", .timeLimit(.minutes(1)))
struct ReferrerWarningTests {
    private static let empty = Array("{}".utf8)

    /// Writes a blob of a layout.
    private func put(_ bytes: [UInt8], in layout: String) throws -> Digest {
        let digest = Digest(of: bytes)
        let path = "\(layout)/blobs/sha256/\(digest.hex)"
        if !names(in: "\(layout)/blobs/sha256").contains(digest.hex) {
            try write(String(decoding: bytes, as: UTF8.self), to: path)
        }
        return digest
    }

    /// Writes an image manifest with the empty configuration and one layer.
    private func manifest(layer: Digest, size: Int, subject: String = "") -> [UInt8] {
        let config =
            #"{"mediaType":"\#(MediaType.ociEmpty)","digest":"\#(Digest(of: Self.empty))","size":\#(Self.empty.count)}"#
        let layers = #"[{"mediaType":"text/plain","digest":"\#(layer)","size":\#(size)}]"#
        let text =
            #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociManifest)","artifactType":"text/x","config":\#(config),"#
            + #""layers":\#(layers)\#(subject)}"#
        return Array(text.utf8)
    }

    @Test("names it, and the exit status is 0 unless the user named the referrer")
    func named() async throws {
        try await withScratchDirectory { directory in
            let layout = "\(directory)/source"
            try makeDirectory("\(layout)/blobs/sha256")
            try write(#"{"imageLayoutVersion":"1.0.0"}"#, to: "\(layout)/oci-layout")
            _ = try put(Self.empty, in: layout)
            let content = Array("content".utf8)
            let image = manifest(layer: try put(content, in: layout), size: content.count)
            let imageDigest = try put(image, in: layout)
            func entry(_ digest: Digest, _ size: Int) -> String {
                #"{"mediaType":"\#(MediaType.ociManifest)","digest":"\#(digest)","size":\#(size)"#
            }
            // The signature's manifest exists, but its layer is missing.
            let subject = #","subject":\#(entry(imageDigest, image.count))}"#
            let signature = manifest(layer: Digest(of: "lost".utf8), size: 4, subject: subject)
            let signatureDigest = try put(signature, in: layout)
            let named = #","annotations":{"org.opencontainers.image.ref.name":"v1"}}"#
            let entries = [entry(imageDigest, image.count) + named, entry(signatureDigest, signature.count) + "}"]
            try write(
                #"{"schemaVersion":2,"manifests":[\#(entries.joined(separator: ","))]}"#,
                to: "\(layout)/index.json"
            )

            let copied = try await run(.ecrReplicate, ["copy", "oci:\(layout):v1", "oci:\(directory)/copy:v1"])
            #expect(copied.exitCode == 0, "\(copied.errors)")
            #expect(copied.lines == ["oci:\(directory)/copy:v1@\(imageDigest)"])
            let isNamed = copied.errors.split(separator: "\n").contains { line in
                line.contains("\(signatureDigest)") && line.contains("was left out")
            }
            #expect(isNamed, "\(copied.errors)")
            #expect(copied.errors.contains("--referrers none"))
            #expect(names(in: "\(directory)/copy/blobs/sha256").contains(imageDigest.hex))
            #expect(!names(in: "\(directory)/copy/blobs/sha256").contains(signatureDigest.hex))

            let none = try await run(
                .ecrReplicate,
                ["copy", "--referrers", "none", "oci:\(layout):v1", "oci:\(directory)/none:v1"]
            )
            #expect(none.exitCode == 0 && !none.errors.contains("left out"), "\(none.errors)")
            let itself = try await run(
                .ecrReplicate,
                ["copy", "oci:\(layout)@\(signatureDigest)", "oci:\(directory)/signature:v1"]
            )
            #expect(itself.exitCode == 1, "\(itself.errors)")
        }
    }
}
