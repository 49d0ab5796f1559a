public import Content

/// An image to store in an emulator; the same description always gives the same bytes.
///
/// The image is valid: layers are gzip streams of a tar (see ``SeedLayer``), configs name the tars' digests, and
/// attestations, signatures and SBOMs have the formats of the tools that make them. A large layer's bytes are generated
/// whenever they are read, so an image with layers of gigabytes takes neither memory nor disk; its description hashes
/// them once.
public struct SeedImage: Sendable {
    /// A config or layer.
    public struct Blob: Sendable, Equatable {
        public enum Source: Sendable, Equatable {
            case bytes([UInt8])
            /// Generated ``SeedBytes`` with this seed.
            case generated(seed: UInt64)
            case layer(SeedLayer)
        }

        public var digest: Digest
        /// The blob's size, in bytes.
        public var size: Int64
        public var source: Source
        /// The digest of a layer's uncompressed content; `nil` for other blobs.
        public var diffID: Digest?

        /// Makes a layer of exactly this size.
        ///
        /// - Parameter size: The size in bytes.
        public init(layer size: Int64, seed: UInt64) {
            self.size = size
            if let layer = SeedLayer(size: size, seed: seed) {
                let digests = layer.digests()
                digest = digests.layer
                diffID = digests.diff
                source = .layer(layer)
            } else {
                let small = SeedLayer.small(size: Int(size), seed: seed)
                digest = Digest(of: small.bytes)
                diffID = small.diff
                source = .bytes(small.bytes)
            }
        }

        public init(bytes: [UInt8]) {
            digest = Digest(of: bytes)
            size = Int64(bytes.count)
            source = .bytes(bytes)
        }

        public init(generating byteCount: Int64, seed: UInt64) {
            var hasher = SHA256Hasher()
            SeedBytes(seed: seed, byteCount: byteCount).forEachChunk(of: byteCount) { hasher.update($0) }
            digest = hasher.finishDigest()
            size = byteCount
            source = .generated(seed: seed)
        }
    }

    /// One manifest of the image, as the registry stores it.
    public struct Part: Sendable, Equatable {
        public var bytes: [UInt8]
        public var mediaType: String
        public var digest: Digest

        init(text: String, mediaType: String) {
            bytes = Array(text.utf8)
            self.mediaType = mediaType
            digest = Digest(of: bytes)
        }
    }

    public internal(set) var blobs: [Blob]
    /// The manifests, children first; the last one is the root.
    public internal(set) var manifests: [Part]

    /// The root's digest.
    public var digest: Digest { root.digest }
    /// The root's bytes.
    public var bytes: [UInt8] { root.bytes }
    public var mediaType: String { root.mediaType }

    private var root: Part { manifests[manifests.count - 1] }

    /// The size of all blobs, each counted once, in bytes.
    public var byteCount: Int64 {
        var seen: Set<Digest> = []
        return blobs.filter { seen.insert($0.digest).inserted }.reduce(0) { $0 + $1.size }
    }

    /// Makes an OCI image with one layer of each of these sizes.
    ///
    /// - Parameters:
    ///   - name: The image's name; images with different names have different layers.
    ///   - isIndented: Whether the manifest has spaces and a final newline, which retagging must keep.
    public static func oci(_ name: String, layers sizes: [Int64], isIndented: Bool = false) -> SeedImage {
        image(name, sizes, .oci, os: "linux", architecture: "amd64", isIndented: isIndented)
    }

    /// Makes an image in docker's format, schema 2, with one layer of each of these sizes.
    public static func docker(_ name: String, layers sizes: [Int64]) -> SeedImage {
        image(name, sizes, .docker, os: "linux", architecture: "amd64", isIndented: true)
    }

    /// Makes OCI images that consist of one layer, which they all share.
    ///
    /// - Parameter size: The size of that layer, in bytes.
    public static func withSharedLayer(_ names: [String], size: Int64) -> [SeedImage] {
        let base = Blob(layer: size, seed: seed(of: "base of \(names)"))
        return names.map { image($0, [], .oci, os: "linux", architecture: "amd64", base: [base]) }
    }

    /// Makes an OCI index of linux/amd64 and linux/arm64, each with an attestation child as BuildKit makes it.
    ///
    /// - Parameter isAttested: Whether the index has the attestations.
    /// - Source: docs/facts/image-formats.md#attestations-of-buildkit
    public static func twoPlatforms(_ name: String, layersEach sizes: [Int64], isAttested: Bool = true) -> SeedImage {
        var blobs: [Blob] = []
        var manifests: [Part] = []
        var images: [String] = []
        var attestations: [String] = []
        for architecture in ["amd64", "arm64"] {
            let child = image("\(name)-\(architecture)", sizes, .oci, os: "linux", architecture: architecture)
            blobs += child.blobs
            manifests += child.manifests
            images.append(
                entry(child, "\"platform\":{\"architecture\":\"\(architecture)\",\"os\":\"linux\"}")
            )
            guard isAttested else { continue }
            let attestation = attestation(of: child, name: "\(name)-\(architecture)")
            blobs += attestation.blobs
            manifests += attestation.manifests
            attestations.append(
                entry(
                    attestation,
                    "\"annotations\":{\"vnd.docker.reference.digest\":\"\(child.digest)\","
                        + "\"vnd.docker.reference.type\":\"attestation-manifest\"},"
                        + "\"platform\":{\"architecture\":\"unknown\",\"os\":\"unknown\"}"
                )
            )
        }
        let text =
            "{\"schemaVersion\":2,\"mediaType\":\"\(ManifestType.ociIndex)\",\"manifests\":["
            + (images + attestations).joined(separator: ",") + "]}"
        return SeedImage(blobs: blobs, manifests: manifests + [Part(text: text, mediaType: ManifestType.ociIndex)])
    }
}

extension SeedImage {
    private enum Format {
        case oci, docker

        var manifest: String { self == .oci ? ManifestType.ociImage : ManifestType.dockerImage }
        var config: String {
            self == .oci
                ? "application/vnd.oci.image.config.v1+json" : "application/vnd.docker.container.image.v1+json"
        }
        var layer: String {
            self == .oci
                ? "application/vnd.oci.image.layer.v1.tar+gzip" : "application/vnd.docker.image.rootfs.diff.tar.gzip"
        }
    }

    private static func image(
        _ name: String,
        _ sizes: [Int64],
        _ format: Format,
        os: String,
        architecture: String,
        isIndented: Bool = false,
        base: [Blob] = []
    ) -> SeedImage {
        let layers =
            base
            + sizes.enumerated().map { index, size in
                Blob(layer: size, seed: seed(of: "\(name) layer \(index)"))
            }
        let config = config(name, os: os, architecture: architecture, layers)
        let separator = isIndented ? ",\n      " : ","
        let list = layers.map { descriptor($0, format.layer) }.joined(separator: separator)
        let members = [
            "\"schemaVersion\": 2", "\"mediaType\": \"\(format.manifest)\"",
            "\"config\": \(descriptor(config, format.config))", "\"layers\": [\(list)]",
        ]
        let text =
            isIndented
            ? "{\n   \(members.joined(separator: ",\n   "))\n}\n"
            : "{\(members.joined(separator: ",").replacing("\": ", with: "\":"))}"
        return SeedImage(blobs: [config] + layers, manifests: [Part(text: text, mediaType: format.manifest)])
    }

    static func descriptor(_ blob: Blob, _ type: String) -> String {
        "{\"mediaType\":\"\(type)\",\"digest\":\"\(blob.digest)\",\"size\":\(blob.size)}"
    }

    static func entry(_ image: SeedImage, _ tail: String) -> String {
        "{\"mediaType\":\"\(image.mediaType)\",\"digest\":\"\(image.digest)\",\"size\":\(image.bytes.count),\(tail)}"
    }

    /// Returns a seed that is the same on every machine and in every run, unlike `hashValue`.
    static func seed(of name: String) -> UInt64 {
        sha256Hex(name.utf8).prefix(16).utf8.reduce(0) { seed, digit in
            seed << 4 | UInt64(digit < 58 ? digit - 48 : digit - 87)
        }
    }
}

extension Emulator {
    /// Stores an image with all its parts, in a repository that is created if it is missing.
    ///
    /// - Returns: The root's digest.
    @discardableResult
    public func seed(
        _ image: SeedImage,
        tag: String? = nil,
        account: String,
        region: String,
        repository: String
    ) throws -> Digest {
        if !repositories(account: account, region: region).contains(repository) {
            try createRepository(account: account, region: region, repository)
        }
        let present = blobs(account: account, region: region, repository: repository)
        for blob in image.blobs where !present.contains(blob.digest) {
            switch blob.source {
            case .bytes(let bytes):
                try putBlob(bytes, account: account, region: region, repository: repository)
            case .generated(let seed):
                try aws.blobs.describe(blob.digest, size: blob.size, seed: seed)
                try change(account, region, repository) { $0.blobs[blob.digest] = EmulatedBlob(size: blob.size) }
            case .layer(let layer):
                try aws.blobs.describe(blob.digest, layer)
                try change(account, region, repository) { $0.blobs[blob.digest] = EmulatedBlob(size: blob.size) }
            }
        }
        for (index, part) in image.manifests.enumerated() {
            let isRoot = index == image.manifests.count - 1
            try putManifest(
                part.bytes,
                mediaType: part.mediaType,
                tag: isRoot ? tag : nil,
                account: account,
                region: region,
                repository: repository
            )
        }
        return image.digest
    }
}
