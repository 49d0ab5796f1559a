import AWSIdentity
import ArgumentParser
import IAMPolicies
import Replicate

/// The options of `iam-policy` that name the copying identities, as copy's options do.
struct CallerArguments: ParsableArguments {
    @Option(
        name: .customLong("principal"),
        parsing: .singleValue,
        help: ArgumentHelp(
            """
            The identity that copies or assumes the roles: a role, a role session, a user or an account's root. With -f, the \
            owner of the keys without a profile; PROFILE=ARN is the owner of a profile's keys (repeatable).
            """,
            valueName: "arn"
        ),
        transform: parsePrincipal
    )
    var principals: [NamedPrincipal] = []

    /// The caller of a copy of references: the last one that is given.
    private var principal: Principal? { principals.last?.principal }

    /// The owners of keys by profile, for rules.
    var principalsByProfile: [String?: Principal] {
        Dictionary(principals.map { ($0.profile, $0.principal) }) { _, last in last }
    }

    /// The options that only a copy of references has, and whether each is given.
    var ofReferences: [(name: String, isGiven: Bool)] {
        [
            ("--profile", profile != nil), ("--role-arn", roleArn != nil), ("--external-id", externalId != nil),
            ("--source-profile", sourceProfile != nil), ("--source-role-arn", sourceRoleArn != nil),
            ("--source-external-id", sourceExternalId != nil), ("--destination-profile", destinationProfile != nil),
            ("--destination-role-arn", destinationRoleArn != nil),
            ("--destination-external-id", destinationExternalId != nil),
        ]
    }

    @Option(help: ArgumentHelp("Profile whose roles are assumed, for every side.", valueName: "name"))
    var profile: String?
    @Option(help: ArgumentHelp("Role that copies, for every side.", valueName: "arn")) var roleArn: String?
    @Option(help: ArgumentHelp("External id to send for the role.", valueName: "id")) var externalId: String?

    @Option(help: ArgumentHelp("Profile for the source.", valueName: "name")) var sourceProfile: String?
    @Option(help: ArgumentHelp("Role that reads the source.", valueName: "arn")) var sourceRoleArn: String?
    @Option(help: ArgumentHelp("External id for the source's role.", valueName: "id")) var sourceExternalId: String?

    @Option(help: ArgumentHelp("Profile for the destination.", valueName: "name")) var destinationProfile: String?
    @Option(help: ArgumentHelp("Role that writes to the destination.", valueName: "arn"))
    var destinationRoleArn: String?
    @Option(help: ArgumentHelp("External id for the destination's role.", valueName: "id"))
    var destinationExternalId: String?

    func validate() throws {
        let (source, destination) = (sourceRoleArn ?? roleArn, destinationRoleArn ?? roleArn)
        try refuse("--external-id", externalId, unless: source != nil || destination != nil, "--role-arn")
        try refuse("--source-external-id", sourceExternalId, unless: source != nil, "--source-role-arn")
        try refuse(
            "--destination-external-id",
            destinationExternalId,
            unless: destination != nil,
            "--destination-role-arn"
        )
    }

    /// Returns the caller that reads the source.
    ///
    /// - Throws: A usage error for a missing profile, or for a text that isn't the ARN of a role.
    func reader() throws -> PolicyCaller {
        try caller(sourceProfile, sourceRoleArn, sourceExternalId)
    }

    /// Returns the caller that writes to the destination.
    ///
    /// - Throws: A usage error, as ``reader()`` does.
    func writer() throws -> PolicyCaller {
        try caller(destinationProfile, destinationRoleArn, destinationExternalId)
    }

    private func caller(_ profile: String?, _ role: String?, _ id: String?) throws -> PolicyCaller {
        let options = IdentityOptions(
            profile: profile ?? self.profile,
            roleARN: role ?? roleArn,
            externalID: id ?? externalId
        )
        return try usage { try PolicyCaller(RolePath(options), named: principal) }
    }
}

/// An identity, and the profile whose keys it has; `nil` for the keys without a profile.
struct NamedPrincipal {
    var profile: String?
    var principal: Principal
}

private func parsePrincipal(_ text: String) throws -> NamedPrincipal {
    if !text.hasPrefix("arn:"), let sign = text.firstRange(of: "=arn:") {
        let owner = String(text[text.index(after: sign.lowerBound)...])
        return NamedPrincipal(profile: String(text[..<sign.lowerBound]), principal: try parsePrincipal(owner).principal)
    }
    guard let principal = Principal(arn: text) else {
        throw ValidationError(
            "'\(text)' is not the ARN of a role, a role session, a user or an account's root\n"
                + "  next: write it like arn:aws:iam::111122223333:role/NAME"
        )
    }
    return NamedPrincipal(profile: nil, principal: principal)
}
