import ArgumentParser
import Content
import ECREmulator
import FoundationEssentials
import Platform

/// An image for two platforms, made from the program's own file and its help.
struct DemoImage: Sendable {
    var index: Digest
    /// The manifest of the first platform.
    var manifest: [UInt8]
    var manifestType: MediaType
    var blobs: Int
    /// The size of all blobs together.
    var bytes: Int64

    var manifestDigest: Digest { Digest(of: manifest) }

    struct Builder {
        let putBlob: ([UInt8]) throws -> Digest
        let putManifest: ([UInt8], MediaType, String?) throws -> Void
        private var blobs = 0
        private var bytes: Int64 = 0

        init(
            putBlob: @escaping ([UInt8]) throws -> Digest,
            putManifest: @escaping ([UInt8], MediaType, String?) throws -> Void
        ) {
            self.putBlob = putBlob
            self.putManifest = putManifest
        }

        mutating func build() throws -> DemoImage {
            var program = TarArchive()
            if let path = ProcessFacts.executablePath, let content = try DurableFile.read(path, limit: 1 << 30) {
                program.add("usr/bin/ecr-replicate", content, isExecutable: true)
            }
            var documents = TarArchive()
            documents.add("usr/share/doc/ecr-replicate/help.txt", Array(EcrReplicate.helpMessage(columns: 100).utf8))
            let shared = try layer(documents.bytes)
            var children: [Descriptor] = []
            var first: [UInt8] = []
            for (architecture, own) in [("amd64", program.bytes), ("arm64", note(for: "arm64"))] {
                let layers = [try layer(own), shared]
                let platform = ImagePlatform(os: "linux", architecture: architecture)
                let manifest = try manifest(layers, platform)
                if first.isEmpty { first = manifest }
                try putManifest(manifest, .ociManifest, nil)
                children.append(
                    Descriptor(
                        mediaType: .ociManifest,
                        digest: Digest(of: manifest),
                        size: Int64(manifest.count),
                        platform: platform
                    )
                )
            }
            let entries = children.map { child in
                #"{"mediaType":"\#(child.mediaType)","size":\#(child.size),"digest":"\#(child.digest)","#
                    + #""platform":{"architecture":"\#(child.platform?.architecture ?? "")","os":"linux"}}"#
            }
            let index = Array(
                #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[\#(entries.joined(separator: ","))]}"#
                    .utf8
            )
            try putManifest(index, .ociIndex, "v1")
            return DemoImage(
                index: Digest(of: index),
                manifest: first,
                manifestType: .ociManifest,
                blobs: blobs,
                bytes: bytes
            )
        }

        private func note(for architecture: String) -> [UInt8] {
            var archive = TarArchive()
            archive.add("etc/platform", Array("\(architecture): a demonstration has one program only\n".utf8))
            return archive.bytes
        }

        private mutating func layer(_ content: [UInt8]) throws -> Descriptor {
            let digest = try blob(content)
            return Descriptor(
                mediaType: MediaType("application/vnd.oci.image.layer.v1.tar"),
                digest: digest,
                size: Int64(content.count)
            )
        }

        private mutating func blob(_ content: [UInt8]) throws -> Digest {
            blobs += 1
            bytes += Int64(content.count)
            return try putBlob(content)
        }

        private mutating func manifest(_ layers: [Descriptor], _ platform: ImagePlatform) throws -> [UInt8] {
            // Layers aren't compressed, so each layer's digest is also its diff id.
            let diffs = layers.map { "\"\($0.digest)\"" }.joined(separator: ",")
            let config = Array(
                (#"{"architecture":"\#(platform.architecture)","os":"linux","config":{"Entrypoint":["/usr/bin/ecr-replicate"]},"#
                    + #""rootfs":{"type":"layers","diff_ids":[\#(diffs)]}}"#).utf8
            )
            let digest = try blob(config)
            let entries = layers.map {
                #"{"mediaType":"\#($0.mediaType)","size":\#($0.size),"digest":"\#($0.digest)"}"#
            }
            return Array(
                (#"{"schemaVersion":2,"mediaType":"\#(MediaType.ociManifest)","config":{"mediaType":"\#(MediaType.ociConfig)","#
                    + #""size":\#(config.count),"digest":"\#(digest)"},"layers":[\#(entries.joined(separator: ","))]}"#)
                    .utf8
            )
        }
    }
}

/// Returns the bytes that `docker manifest inspect` prints for a single manifest: indented with tabs, with a final
/// newline (docs/facts/ecr-api.md#bytes-of-a-manifest).
func reindentedAsDockerDoes(_ json: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    var depth = 0
    var inString = false
    var escaped = false
    func line() { text += [UInt8(ascii: "\n")] + [UInt8](repeating: UInt8(ascii: "\t"), count: depth) }
    for byte in json {
        if inString {
            text.append(byte)
            inString = escaped || byte != UInt8(ascii: "\"")
            escaped = !escaped && byte == UInt8(ascii: "\\")
            continue
        }
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            text.append(byte)
            depth += 1
            line()
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            depth -= 1
            line()
            text.append(byte)
        case UInt8(ascii: ","):
            text.append(byte)
            line()
        case UInt8(ascii: ":"): text += [byte, UInt8(ascii: " ")]
        case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
        case UInt8(ascii: "\""):
            text.append(byte)
            inString = true
        default: text.append(byte)
        }
    }
    return text + [UInt8(ascii: "\n")]
}
