public import AWSIdentity
internal import Wire

/// The user's settings for one side.
public struct SideOptions: Sendable, Hashable {
    public var identity: IdentityOptions
    /// The endpoint of ECR's API, if it isn't AWS's.
    public var endpointURL: String?
    /// The endpoint of the registry, for PrivateLink without private DNS.
    public var registryEndpoint: String?
    /// The region for a bare `REPO`.
    public var region: String?

    public init(
        identity: IdentityOptions = IdentityOptions(),
        endpointURL: String? = nil,
        registryEndpoint: String? = nil,
        region: String? = nil
    ) {
        self.identity = identity
        self.endpointURL = endpointURL
        self.registryEndpoint = registryEndpoint
        self.region = region
    }

    /// Throws if a setting can't be right, before any request is sent.
    ///
    /// - Throws: `IdentityError`
    public func check() throws {
        try identity.check()
        try IdentityOptions.check(region: region)
        let named = [
            (endpointURL, "the endpoint flag"), (registryEndpoint.map(Self.url(ofRegistry:)), "the registry flag"),
        ]
        for (text, flag) in named {
            guard let text else { continue }
            do {
                _ = try HTTPURL(text)
            } catch {
                // The value is not quoted, because it may contain a password.
                throw IdentityError("\(flag) names no address: \(error.detail)", remedy: "write it as https://host")
            }
        }
    }

    /// The URL of a registry, which may be written without its scheme; the default is https.
    static func url(ofRegistry text: String) -> String { text.contains("://") ? text : "https://\(text)" }
}
