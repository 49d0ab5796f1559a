/// What the flags of one side say about who is calling, and by which of AWS's names.
public struct IdentityOptions: Sendable, Hashable {
    /// Where credentials come from in place of the search; ``roleARN`` is assumed with them.
    public var source: CredentialSource?
    /// A profile of the shared files; it beats the environment's keys.
    public var profile: String?
    /// A role to assume with whatever the rest gives.
    public var roleARN: String?
    /// The secret handshake that the role's trust policy may ask for; for ``roleARN`` only.
    public var externalID: String?
    /// The session's name in CloudTrail.
    public var sessionName: String?
    /// Whether only hosts with validated cryptography are called; the environment and the profile may say so too.
    public var usesFIPS: Bool
    /// Whether hosts that answer on IPv6 too are called; the environment and the profile may say so too.
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

    /// Refuses a region that can't be one.
    ///
    /// - Throws: ``IdentityError``
    public static func check(region: String?) throws {
        if let region { _ = try IdentityResolver.region(region, named: "--region") }
    }

    /// Refuses what can't be right, before anything is sent.
    ///
    /// - Throws: ``IdentityError``
    public func check() throws {
        guard let roleARN else { return }
        let anyName = "ecr-replicate"
        try STSClient.AssumeRole(roleARN: roleARN, sessionName: sessionName ?? anyName, externalID: externalID)
            .check(named: "the role flag")
    }
}

/// Credentials that a program gets in its own way, for example from a vault.
public struct CredentialSource: Sendable, Hashable {
    /// Tells sources apart: two of one name are one source, whose credentials are asked for once.
    public let name: String
    let provider: any CredentialsProviding

    /// - Parameter provider: Asked before each request; it keeps its credentials until they are about to expire.
    public init(_ name: String, _ provider: any CredentialsProviding) { (self.name, self.provider) = (name, provider) }

    public static func == (left: CredentialSource, right: CredentialSource) -> Bool { left.name == right.name }

    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
