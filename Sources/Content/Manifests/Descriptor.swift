/// A pointer from a manifest to content: what it is, which bytes, how many.
///
/// - Source: OCI image-spec 1.1, `descriptor.md`
public struct Descriptor: Hashable, Sendable {
    public var mediaType: MediaType
    public var digest: Digest
    /// In bytes, as stored (compressed); never negative.
    public var size: Int64
    /// Where a foreign layer's bytes can be had.
    public var urls: [String]
    public var annotations: [String: String]
    /// The content itself, when it was small enough to carry along.
    public var data: [UInt8]?
    public var platform: ImagePlatform?
    public var artifactType: String?

    public init(
        mediaType: MediaType,
        digest: Digest,
        size: Int64,
        urls: [String] = [],
        annotations: [String: String] = [:],
        data: [UInt8]? = nil,
        platform: ImagePlatform? = nil,
        artifactType: String? = nil
    ) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.urls = urls
        self.annotations = annotations
        self.data = data
        self.platform = platform
        self.artifactType = artifactType
    }

    /// The content, where it is known without asking anybody: it was carried along, or is the empty JSON object that
    /// artifacts have for a configuration.
    ///
    /// - Source: OCI image-spec 1.1, `manifest.md`, "Guidance for an Empty Descriptor"
    public var knownContent: [UInt8]? { data ?? (digest == Self.emptyObject && size == 2 ? Array("{}".utf8) : nil) }

    private static let emptyObject = Digest(of: Array("{}".utf8))

    /// BuildKit's provenance and SBOM children, which are copied like any other
    /// (docs/facts/image-formats.md#attestations-of-buildkit).
    public var isAttestation: Bool {
        annotations["vnd.docker.reference.type"] == "attestation-manifest"
    }

    /// A layer whose bytes the registry is not expected to have.
    public var isForeign: Bool { mediaType.isForeignLayer && !urls.isEmpty }

    /// More than any layer ECR takes, by any road (52,000 MiB, docs/facts/quotas.md#limits), and far from overflow.
    public static let largestSize: Int64 = 1 << 40
}
