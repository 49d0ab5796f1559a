/// What the flags of one side say about who is calling, and by which of AWS's names.
public struct IdentityOptions: Sendable, Hashable {
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
        profile: String? = nil,
        roleARN: String? = nil,
        externalID: String? = nil,
        sessionName: String? = nil,
        usesFIPS: Bool = false,
        usesDualStack: Bool = false
    ) {
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
