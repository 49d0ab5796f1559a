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

    /// BuildKit's provenance and SBOM children, which are copied like any other (facts/ecr.md F.3).
    public var isAttestation: Bool {
        annotations["vnd.docker.reference.type"] == "attestation-manifest"
    }

    /// A layer whose bytes the registry is not expected to have.
    public var isForeign: Bool { mediaType.isForeignLayer && !urls.isEmpty }

    /// More than any layer ECR takes, by any road (52,000 MiB, facts/ecr.md C.1), and far from overflow.
    public static let largestSize: Int64 = 1 << 40
}

/// The machine an image is for.
///
/// - Source: OCI image-spec 1.1, `image-index.md`
public struct ImagePlatform: Hashable, Sendable, Codable, CustomStringConvertible {
    public var os: String
    public var architecture: String
    public var variant: String?
    public var osVersion: String?

    enum CodingKeys: String, CodingKey {
        case os, architecture, variant
        case osVersion = "os.version"
    }

    public init(os: String, architecture: String, variant: String? = nil, osVersion: String? = nil) {
        self.os = os
        self.architecture = architecture
        self.variant = variant
        self.osVersion = osVersion
    }

    /// Parses `os/architecture[/variant]`, for example `linux/arm64/v8`.
    ///
    /// - Throws: ``ReferenceError/malformedPlatform(_:)``
    public init(parsing text: String) throws(ReferenceError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (2...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else {
            throw .malformedPlatform(text)
        }
        self.init(os: parts[0], architecture: parts[1], variant: parts.count == 3 ? parts[2] : nil)
    }

    /// Whether an image for `self` is what somebody who asked for `wanted` means.
    ///
    /// A variant that wasn't asked for doesn't matter; `arm64` and `arm64/v8` are the same machine.
    public func satisfies(_ wanted: ImagePlatform) -> Bool {
        guard os == wanted.os, architecture == wanted.architecture else { return false }
        guard let variant = wanted.variant else { return true }
        return normalVariant == variant || self.variant == variant
    }

    private var normalVariant: String? { architecture == "arm64" ? variant ?? "v8" : variant }

    public var description: String {
        [os, architecture, variant].compactMap { $0 }.joined(separator: "/")
    }
}
