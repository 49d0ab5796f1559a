package import AWSIdentity
package import Content

/// The caller at AWS for one side, and the roles it assumes there.
package struct PolicyCaller: Sendable, Hashable {
    /// A role that is assumed, and what its trust policy may require of the caller.
    package struct Assumption: Sendable, Hashable {
        package var role: Principal
        package var externalID: String?
        /// Whether the call sends a code of a second factor (MFA).
        package var sendsCode: Bool

        package init(_ role: Principal, externalID: String? = nil, sendsCode: Bool = false) {
            (self.role, self.externalID, self.sendsCode) = (role, externalID, sendsCode)
        }
    }

    /// The identity that assumes the first role; `nil` if it is unknown.
    package var start: Principal?
    /// Where the caller's keys come from, in words, when the caller is not named.
    package var origin: String?
    /// The account that the caller is taken to be of, if it is not named; `nil` for the source's.
    package var home: Home?
    /// The web identity token file for which the caller receives ``start``.
    package var tokenFile: String?
    /// Whether ``start`` comes from this side's own profile rather than from a flag.
    var isOfProfile = false
    /// The named caller that cannot begin here because it belongs to another partition.
    var passedOver: Principal?
    /// The assumed roles, in order; the last one reads or writes.
    package var assumptions: [Assumption] = []

    /// A guess of where a caller belongs.
    package struct Home: Sendable, Hashable {
        package var host: ECRHost
        /// The keys in words, as `the keys of profile 'build'`.
        package var keys: String
        /// The keys in a word, for the name of their owner's policy.
        package var label: String
        /// What to pass to name their owner.
        package var remedy: String

        package init(host: ECRHost, keys: String, label: String, remedy: String) {
            (self.host, self.keys, self.label, self.remedy) = (host, keys, label, remedy)
        }
    }

    package init(_ start: Principal? = nil) { self.start = start }

    /// - Parameter named: The caller, which overrides the start of `path`; ignored if it belongs to another partition
    ///   than `path` does.
    /// - Throws: ``ImpossiblePolicy`` if an ARN is not a role's, or if the path sends a value that a policy cannot
    ///   require.
    package init(_ path: RolePath, named: Principal? = nil) throws(ImpossiblePolicy) {
        let isAtHome = path.partition.map { $0 == named?.partition } ?? true
        passedOver = isAtHome ? nil : named
        let named = isAtHome ? named : nil
        switch path.start {
        case .unnamed(let words): (start, origin) = (named, words)
        case .permissionSet(let partition, let account, let name):
            start = named == nil ? try Self.permissionSet(name, account, partition) : named
            isOfProfile = named == nil
        case .webIdentity(let role, let file):
            start = named == nil ? try Self.role(role) : named
            isOfProfile = named == nil
            tokenFile = named == nil ? file : nil
        }
        for step in path.steps {
            guard step.externalID?.unicodeScalars.allSatisfy(Self.externalIDCharacters.contains) ?? true else {
                throw ImpossiblePolicy(
                    "the external id for \(step.roleARN) has characters that STS doesn't accept: use letters, digits "
                        + "and _ + = , . @ : / -"
                )
            }
            assumptions.append(
                Assumption(try Self.role(step.roleARN), externalID: step.externalID, sendsCode: step.sendsCode)
            )
        }
    }

    private static func permissionSet(
        _ name: String,
        _ account: String,
        _ partition: String
    ) throws(ImpossiblePolicy) -> Principal {
        guard let set = Principal(permissionSet: name, account: account, partition: partition) else {
            throw ImpossiblePolicy(
                "sso_role_name = \(name.prefix(100)) and sso_account_id = \(account.prefix(100)) name no permission set: "
                    + "a name has letters, digits and _ + = , . @ -, and an account 12 digits"
            )
        }
        return set
    }

    private static func role(_ arn: String) throws(ImpossiblePolicy) -> Principal {
        let role = Principal(arn: arn)
        switch role?.kind {
        case .role: if let role { return role }
        case .permissionSet:
            throw ImpossiblePolicy(
                "'\(arn.prefix(100))' is a permission set's role, which only IAM Identity Center issues: sign in to "
                    + "get it"
            )
        case .user, .federated, .account, nil: break
        }
        throw ImpossiblePolicy(
            "'\(arn.prefix(100))' is not the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME, whose name has letters, digits "
                + "and _ + = , . @ -"
        )
    }

    /// The characters that STS accepts in an external id.
    ///
    /// Any other character could be part of a policy variable.
    ///
    /// - Source: STS API Reference, "AssumeRole"
    private static let externalIDCharacters = Set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@:/-".unicodeScalars
    )

    /// Rejects a path of roles that AWS would reject.
    ///
    /// - Source: STS API Reference, "GetFederationToken", which lets its sessions call nothing of STS but
    ///   GetCallerIdentity
    func check() throws(ImpossiblePolicy) {
        guard let first = assumptions.first?.role else { return }
        if let start, case .federated = start.kind {
            throw ImpossiblePolicy("\(start.words) can't assume a role: a federated session can't call STS")
        }
        let partitions = assumptions.map(\.role.partition)
        guard let start else {
            guard Set(partitions).count == 1 else {
                throw ImpossiblePolicy(
                    "none of \(assumptions.map(\.role.words).joined(separator: ", then ")) can assume one of another "
                        + "partition (\(partitions.joined(separator: ", then "))): \(PolicyRequest.separate)"
                )
            }
            return
        }
        guard start.partition == first.partition, Set(partitions).count == 1 else {
            throw ImpossiblePolicy(
                "\(start.words), of partition \(start.partition), can't assume \(assumptions.map(\.role.words).joined(separator: ", then ")) of "
                    + "partition \(partitions.last ?? ""): \(PolicyRequest.separate); name another caller"
            )
        }
    }
}

extension RolePath {
    /// The partition in which the path begins; `nil` if it cannot be told.
    fileprivate var partition: String? {
        if let first = steps.first { return Principal(arn: first.roleARN)?.partition }
        return switch start {
        case .unnamed: nil
        case .permissionSet(let partition, _, _): partition
        case .webIdentity(let role, _): Principal(arn: role)?.partition
        }
    }
}

/// Why no policies can allow what was requested.
package struct ImpossiblePolicy: Error, Hashable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
