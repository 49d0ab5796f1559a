/// A pointer from a manifest to content: media type, digest and size.
///
/// - Source: OCI image-spec 1.1, `descriptor.md`
public struct Descriptor: Hashable, Sendable {
    public var mediaType: MediaType
    public var digest: Digest
    /// The size in bytes, as stored (compressed); never negative.
    public var size: Int64
    /// The addresses from which a foreign layer can be downloaded.
    public var urls: [String]
    public var annotations: [String: String]
    /// The content itself, if it is inline in the descriptor.
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

    /// The content, if it is known without a request: it is inline, or it is the empty JSON object that artifacts have as
    /// their config.
    ///
    /// - Source: OCI image-spec 1.1, `manifest.md`, "Guidance for an Empty Descriptor"
    public var knownContent: [UInt8]? { data ?? (digest == Self.emptyObject && size == 2 ? Array("{}".utf8) : nil) }

    private static let emptyObject = Digest(of: Array("{}".utf8))

    /// Whether this is an attestation child of BuildKit's, which is copied like any other child
    /// (docs/facts/image-formats.md#attestations-of-buildkit).
    public var isAttestation: Bool {
        annotations["vnd.docker.reference.type"] == "attestation-manifest"
    }

    /// Whether this is a layer whose bytes the registry need not have.
    public var isForeign: Bool { mediaType.isForeignLayer && !urls.isEmpty }

    /// The largest size that is accepted, in bytes: more than any layer of ECR's (52,000 MiB,
    /// docs/facts/quotas.md#limits), and far from overflow.
    public static let largestSize: Int64 = 1 << 40
}
