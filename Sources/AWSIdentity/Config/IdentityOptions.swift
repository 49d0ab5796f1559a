/// The identity and the AWS hosts of one side, as its flags set them.
public struct IdentityOptions: Sendable, Hashable {
    /// Credentials to use instead of searching for some; they also sign the request that assumes ``roleARN``.
    public var source: CredentialSource?
    /// A profile of the shared files; it wins over keys in the environment.
    public var profile: String?
    /// A role to assume with the credentials that the other options give.
    public var roleARN: String?
    /// The external id for ``roleARN``, if the role's trust policy requires one.
    public var externalID: String?
    /// The name of the role session, as CloudTrail shows it.
    public var sessionName: String?
    /// Whether to call FIPS hosts only; the environment and the profile can turn this on too.
    public var usesFIPS: Bool
    /// Whether to call dual-stack hosts, which answer on IPv6 too; the environment and the profile can turn this on
    /// too.
    public var usesDualStack: Bool

    public init(
        source: CredentialSource? = nil,
        profile: String? = nil,
        roleARN: String? = nil,
        externalID: String? = nil,
        sessionName: String? = nil,
        usesFIPS: Bool = false,
        usesDualStack: Bool = false
    ) {
        self.source = source
        self.profile = profile
        self.roleARN = roleARN
        self.externalID = externalID
        self.sessionName = sessionName
        self.usesFIPS = usesFIPS
        self.usesDualStack = usesDualStack
    }

    /// Checks that a text is the name of a region.
    ///
    /// - Throws: ``IdentityError``
    public static func check(region: String?) throws {
        if let region { _ = try IdentityResolver.region(region, named: "--region") }
    }

    /// Checks the options before anything is sent.
    ///
    /// - Throws: ``IdentityError``
    public func check() throws {
        guard let roleARN else { return }
        let anyName = "ecr-replicate"
        try STSClient.AssumeRole(roleARN: roleARN, sessionName: sessionName ?? anyName, externalID: externalID)
            .check(named: "the role flag")
    }
}

/// Credentials that the calling program provides, for example from a vault.
public struct CredentialSource: Sendable, Hashable {
    /// Identifies the source: sources with the same name share their credentials, which are requested once.
    public let name: String
    let provider: any CredentialsProviding

    /// - Parameter provider: Called before each request; it caches its credentials until they are about to expire.
    public init(_ name: String, _ provider: any CredentialsProviding) { (self.name, self.provider) = (name, provider) }

    public static func == (left: CredentialSource, right: CredentialSource) -> Bool { left.name == right.name }

    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
