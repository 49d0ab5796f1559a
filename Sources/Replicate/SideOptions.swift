public import AWSIdentity

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
}
