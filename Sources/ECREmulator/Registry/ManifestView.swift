internal import Content
internal import FoundationEssentials

/// The fields of a manifest that ECR reads, decoded by the emulator's own code.
///
/// Content's `Manifest` isn't used: if client and emulator shared it, a mistake there would go unnoticed.
struct ManifestView: Codable, Sendable, Equatable {
    var schemaVersion: Int?
    var mediaType: String?
    var artifactType: String?
    var config: Entry?
    var layers: [Entry]?
    var blobs: [Entry]?
    var manifests: [Entry]?
    var subject: Entry?
    var annotations: [String: String]?

    struct Entry: Codable, Sendable, Equatable {
        var mediaType: String?
        var digest: Digest
        var size: Int64
        var urls: [String]?
        var platform: Platform?

        /// Whether the bytes come from elsewhere, so that a registry doesn't require them
        /// (docs/facts/image-formats.md#walking-a-graph).
        var isForeign: Bool {
            let type = mediaType ?? ""
            return !(urls ?? []).isEmpty && (type.contains(".foreign.") || type.contains(".nondistributable."))
        }
    }

    struct Platform: Codable, Sendable, Equatable {
        var os: String?
        var architecture: String?
    }

    init?(reading text: String) {
        guard let view = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)) else { return nil }
        self = view
    }

    /// The blobs that the repository must have before it accepts this manifest.
    var requiredBlobs: [Entry] {
        ([config].compactMap { $0 } + (layers ?? []) + (blobs ?? [])).filter { !$0.isForeign }
    }

    var referencedBlobs: [Entry] { [config].compactMap { $0 } + (layers ?? []) + (blobs ?? []) }

    /// The artifact's type in DescribeImages and in the referrers API.
    var artifactKind: String? { artifactType ?? config?.mediaType }
}

/// The types of manifest that ECR stores.
enum ManifestType {
    static let dockerImage = "application/vnd.docker.distribution.manifest.v2+json"
    static let dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"
    static let ociImage = "application/vnd.oci.image.manifest.v1+json"
    static let ociIndex = "application/vnd.oci.image.index.v1+json"
    static let ociArtifact = "application/vnd.oci.artifact.manifest.v1+json"
    static let orasArtifact = "application/vnd.cncf.oras.artifact.manifest.v1+json"

    static let images: Set = [dockerImage, ociImage]
    static let indexes: Set = [dockerList, ociIndex]
    static let artifacts: Set = [ociArtifact, orasArtifact]
    static let all = images.union(indexes).union(artifacts)

    /// Converts an image to the other format, docker's or OCI's, as ECR does by tag
    /// (docs/facts/ecr-api.md#conversion-by-tag).
    static func converted(_ text: String, from type: String) -> (text: String, type: String)? {
        let pairs = [
            (dockerImage, ociImage),
            ("application/vnd.docker.container.image.v1+json", "application/vnd.oci.image.config.v1+json"),
            ("application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.oci.image.layer.v1.tar+gzip"),
        ]
        let toOCI = type == dockerImage
        guard toOCI || type == ociImage else { return nil }
        let converted = pairs.reduce(text) { text, pair in
            text.replacing(toOCI ? pair.0 : pair.1, with: toOCI ? pair.1 : pair.0)
        }
        return (converted, toOCI ? ociImage : dockerImage)
    }
}
