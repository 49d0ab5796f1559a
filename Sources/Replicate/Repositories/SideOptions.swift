public import AWSIdentity
internal import Wire

/// What a user says about one side.
public struct SideOptions: Sendable, Hashable {
    public var identity: IdentityOptions
    /// Where ECR's API answers, instead of what AWS's rules say.
    public var endpointURL: String?
    /// Where the registry answers, for PrivateLink without private DNS.
    public var registryEndpoint: String?
    /// For a bare `REPO`.
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

    /// Refuses what can't be right, before anything is sent.
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
                // Not quoted: there may be a password in it.
                throw IdentityError("\(flag) names no address: \(error.detail)", remedy: "write it as https://host")
            }
        }
    }

    /// A registry may be written without its scheme, which is https.
    static func url(ofRegistry text: String) -> String { text.contains("://") ? text : "https://\(text)" }
}
