/// The media type of a manifest or blob.
///
/// It is not an enumeration: new types appear every year, and unknown ones are copied too.
///
/// - Source: docs/facts/image-formats.md#media-types; OCI image-spec 1.1 `media-types.md`
public struct MediaType: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public init(_ rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    public static let dockerManifest = Self("application/vnd.docker.distribution.manifest.v2+json")
    public static let dockerList = Self("application/vnd.docker.distribution.manifest.list.v2+json")
    public static let dockerConfig = Self("application/vnd.docker.container.image.v1+json")
    public static let dockerLayer = Self("application/vnd.docker.image.rootfs.diff.tar.gzip")
    public static let dockerForeignLayer = Self("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")
    public static let ociManifest = Self("application/vnd.oci.image.manifest.v1+json")
    public static let ociIndex = Self("application/vnd.oci.image.index.v1+json")
    public static let ociConfig = Self("application/vnd.oci.image.config.v1+json")
    public static let ociLayer = Self("application/vnd.oci.image.layer.v1.tar+gzip")
    public static let ociEmpty = Self("application/vnd.oci.empty.v1+json")
    public static let ociArtifact = Self("application/vnd.oci.artifact.manifest.v1+json")
    public static let orasArtifact = Self("application/vnd.cncf.oras.artifact.manifest.v1+json")
    public static let dockerSchema1 = Self("application/vnd.docker.distribution.manifest.v1+json")
    public static let dockerSchema1Signed = Self("application/vnd.docker.distribution.manifest.v1+prettyjws")

    /// The config of a build cache, which BuildKit's older form lists in an index beside the layers.
    public static let buildKitCacheConfig = Self("application/vnd.buildkit.cacheconfig.v0")

    /// The types that every request accepts, so that no registry converts a manifest
    /// (docs/facts/ecr-api.md#conversion-by-tag).
    public static let everyManifest: [MediaType] = [
        .ociIndex, .ociManifest, .dockerList, .dockerManifest, .dockerSchema1Signed, .dockerSchema1,
        .ociArtifact, .orasArtifact,
    ]

    public var isIndex: Bool { self == .ociIndex || self == .dockerList }
    public var isImageManifest: Bool { self == .ociManifest || self == .dockerManifest }
    public var isArtifactManifest: Bool { self == .ociArtifact || self == .orasArtifact }
    public var isSchema1: Bool { self == .dockerSchema1 || self == .dockerSchema1Signed }

    /// Whether content of this type is a manifest.
    public var isManifest: Bool { isIndex || isImageManifest || isArtifactManifest || isSchema1 }

    /// Whether an index entry of this type is read as a manifest; an unknown type is.
    ///
    /// BuildKit's older build caches are indexes of layers and a config, which are not manifests. ECR refuses such an
    /// index (docs/facts/ecr-api.md#putimage).
    public var isManifestOrUnknown: Bool {
        isManifest
            || !(self == .buildKitCacheConfig || rawValue.contains(".layer.") || rawValue.contains(".rootfs.")
                || rawValue.contains(".config."))
    }

    /// Whether this is the type of a layer that a registry need not hold, because its bytes come from `urls`.
    ///
    /// - Source: docs/facts/image-formats.md#media-types and #walking-a-graph
    public var isForeignLayer: Bool {
        self == .dockerForeignLayer || rawValue.hasPrefix("application/vnd.oci.image.layer.nondistributable.")
    }
}
