internal import Content

/// The chain of roles that leads to one side's identity, as far as its flags and its profile tell.
///
/// IAM policies are made from it. It follows the rules of the search for credentials, but sends nothing and ignores the
/// environment's variables.
///
/// - Source: docs/facts/identity.md#assumed-roles
public struct RolePath: Sendable, Hashable {
    /// The identity that assumes the first role, or calls ECR where there is no role.
    public enum Start: Sendable, Hashable {
        /// The owner of keys, which is unknown; with the place of the keys, if that is known.
        case unnamed(String?)
        /// A permission set of IAM Identity Center, which creates a role for it in that account.
        case permissionSet(partition: String, account: String, name: String)
        /// A role that STS gives for the token in `tokenFile`.
        case webIdentity(roleARN: String, tokenFile: String)
    }

    /// A role that is assumed, with the parameters sent along.
    public struct Step: Sendable, Hashable {
        public let roleARN: String
        public let externalID: String?
        /// Whether the user is asked for an MFA code.
        public let sendsCode: Bool
    }

    public let start: Start
    /// The roles, in the order in which they are assumed.
    public let steps: [Step]

    /// Reads the chain from flags and profiles.
    ///
    /// - Throws: ``IdentityError`` for a profile that doesn't exist or has no valid source, and for a text that isn't
    ///   the ARN of a role.
    public init(_ options: IdentityOptions, environment: AWSEnvironment = .current()) throws {
        try options.check()
        var start = Start.unnamed(nil)
        var steps: [Step] = []
        if let name = options.profile {
            let config = try SharedConfig(environment)
            (start, steps) = try Self.walk(config.profile(name, namedBy: "the profile flag"), config)
        }
        if let role = options.roleARN {
            steps.append(Step(roleARN: role, externalID: options.externalID, sendsCode: false))
        }
        (self.start, self.steps) = (start, steps)
    }

    /// Follows the source profiles from a profile to the one where the chain starts.
    private static func walk(_ first: SharedConfig.Profile, _ config: SharedConfig) throws -> (Start, [Step]) {
        var (profile, visited, steps) = (first, [String](), [Step]())
        while profile.assumesRole(isSource: !visited.isEmpty) {
            let step = Step(
                roleARN: profile["role_arn"] ?? "",
                externalID: profile["external_id"],
                sendsCode: profile["mfa_serial"] != nil
            )
            try STSClient.AssumeRole(roleARN: step.roleARN, sessionName: "ecr-replicate", externalID: step.externalID)
                .check(named: "profile '\(profile.name)' (\(profile.place(of: "role_arn")))")
            steps.insert(step, at: 0)
            visited.append(profile.name)
            switch try config.source(of: profile, visited: visited) {
            case .profile(let source): profile = source
            case .machine(let source):
                return (.unnamed("credential_source = \(source) of profile '\(profile.name)'"), steps)
            }
        }
        return (start(at: profile, config), steps)
    }

    private static func start(at profile: SharedConfig.Profile, _ config: SharedConfig) -> Start {
        if let file = profile["web_identity_token_file"], let role = profile["role_arn"] {
            return .webIdentity(roleARN: role, tokenFile: file)
        }
        let session = profile["sso_session"].flatMap { config.sessions[$0] } ?? [:]
        if let account = profile["sso_account_id"], let name = profile["sso_role_name"],
            let region = profile["sso_region"] ?? session["sso_region"]
        {
            return .permissionSet(partition: Partition(region: region).rawValue, account: account, name: name)
        }
        return .unnamed("profile '\(profile.name)'")
    }
}
