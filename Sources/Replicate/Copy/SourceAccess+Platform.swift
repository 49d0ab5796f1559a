package import Content
internal import FoundationEssentials

extension SourceAccess {
    /// The platform that the config of a single image names.
    ///
    /// - Returns: `nil` for a Helm chart or another artifact, and for a config without a platform.
    func platform(of image: Manifest) async throws -> ImagePlatform? {
        guard let config = image.config, [.ociConfig, .dockerConfig].contains(config.mediaType) else { return nil }
        let bytes = try await blob(config, upTo: Self.largestConfig)
        return ImagePlatform(config: bytes)
    }

    /// The largest config to read, in bytes: the largest manifest, too, which is far more than any real config has.
    private static let largestConfig = Manifest.largestByteCount
}

extension ImagePlatform {
    /// The platform that the config of an image names.
    ///
    /// - Returns: `nil` for JSON that names no platform, and for what isn't JSON or has more values or levels than an
    ///   answer may have.
    /// - Source: OCI image-spec 1.1, `config.md`: `os`, `architecture`, `variant`, `os.version`, `os.features`
    package init?(config bytes: [UInt8]) {
        guard JSONShape(bytes).isWithin(.answer),
            let platform = (try? JSONDecoder().decode(ConfigPlatform.self, from: Data(bytes)))?.platform
        else { return nil }
        self = platform
    }
}

/// The platform in an image's config.
private struct ConfigPlatform: Decodable {
    var os: String?
    var architecture: String?
    var variant: String?
    var osVersion: String?
    var osFeatures: [String]?

    enum CodingKeys: String, CodingKey {
        case os, architecture, variant
        case osVersion = "os.version"
        case osFeatures = "os.features"
    }

    var platform: ImagePlatform? {
        guard let os, let architecture, !os.isEmpty, !architecture.isEmpty else { return nil }
        return ImagePlatform(
            os: os,
            architecture: architecture,
            variant: variant.flatMap { $0.isEmpty ? nil : $0 },
            osVersion: osVersion.flatMap { $0.isEmpty ? nil : $0 },
            osFeatures: osFeatures ?? []
        )
    }
}
