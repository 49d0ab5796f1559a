/// The platform that an image is built for.
///
/// - Source: OCI image-spec 1.1, `image-index.md`
public struct ImagePlatform: Hashable, Sendable, CustomStringConvertible {
    public var os: String
    public var architecture: String
    public var variant: String?
    /// The build of the operating system, which is often the only difference between Windows images in one index.
    public var osVersion: String?
    /// Features that the operating system must have, for example `win32k`.
    public var osFeatures: [String]
    /// Features that the processor must have, for example `sse4`.
    public var features: [String]

    public init(
        os: String,
        architecture: String,
        variant: String? = nil,
        osVersion: String? = nil,
        osFeatures: [String] = [],
        features: [String] = []
    ) {
        self.os = os
        self.architecture = architecture
        self.variant = variant
        self.osVersion = osVersion
        self.osFeatures = osFeatures
        self.features = features
    }

    /// Whether an image for this platform satisfies a request for `wanted`.
    ///
    /// A request without a variant, a version or features accepts any. A version may be cut after any of its parts:
    /// `10.0.20348` accepts every build of it.
    public func satisfies(_ wanted: ImagePlatform) -> Bool {
        let (own, other) = (normalized, wanted.normalized)
        guard own.os == other.os, own.architecture == other.architecture else { return false }
        if wanted.namesVariant, own.variant != other.variant { return false }
        if let version = wanted.osVersion, osVersion?.isVersion(of: version) != true { return false }
        return wanted.osFeatures.allSatisfy(osFeatures.contains)
    }

    /// Whether a request for this platform names a variant.
    public var namesVariant: Bool { Self.machine(architecture, variant).variant != nil }

    /// This platform with its names normalized, so that two can be compared.
    ///
    /// The default variants (`v1` of amd64, `v8` of arm64) are left out, and 32-bit ARM without a variant is `v7`.
    ///
    /// - Source: `normalizeArch` and `normalizeOS` in github.com/containerd/platforms, `database.go`
    public var normalized: ImagePlatform {
        var platform = self
        platform.os = Self.name(ofOS: os)
        (platform.architecture, platform.variant) = Self.machine(architecture, variant)
        switch (platform.architecture, platform.variant) {
        case ("amd64", "v1"), ("arm64", "v8"): platform.variant = nil
        case ("arm", nil): platform.variant = "v7"
        default: break
        }
        platform.osFeatures = Array(Set(osFeatures)).sorted()
        platform.features = Array(Set(features)).sorted()
        return platform
    }

    /// `os/architecture[/variant][:os.version]`, as `--platform` takes it.
    public var description: String {
        [os, architecture, variant].compactMap { $0 }.joined(separator: "/") + (osVersion.map { ":\($0)" } ?? "")
    }

    /// The description with the features of the operating system, for two platforms that differ in them only.
    public var descriptionWithFeatures: String {
        guard !osFeatures.isEmpty else { return description }
        let options = ([osVersion ?? ""] + osFeatures).joined(separator: "+")
        return ["\(os)(\(options))", architecture, variant].compactMap { $0 }.joined(separator: "/")
    }
}

extension ImagePlatform: Encodable {
    private enum CodingKeys: String, CodingKey {
        case os, architecture, variant, features
        case osVersion = "os.version"
        case osFeatures = "os.features"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(os, forKey: .os)
        try container.encode(architecture, forKey: .architecture)
        try container.encodeIfPresent(variant, forKey: .variant)
        try container.encodeIfPresent(osVersion, forKey: .osVersion)
        if !osFeatures.isEmpty { try container.encode(osFeatures, forKey: .osFeatures) }
        if !features.isEmpty { try container.encode(features, forKey: .features) }
    }
}

extension String {
    /// Whether this version is `wanted`, or a more exact one: `10.0.20348.2582` is a version of `10.0.20348`.
    fileprivate func isVersion(of wanted: String) -> Bool { self == wanted || hasPrefix(wanted + ".") }
}
