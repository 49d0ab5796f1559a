internal import Content

/// A caller at AWS, read from an ARN, and how policies name it.
///
/// - Source: IAM User Guide, "AWS JSON policy elements: Principal" and "IAM identifiers"
package struct Principal: Sendable, Hashable {
    enum Kind: Hashable {
        /// A role, named without its path, which a session's ARN leaves out.
        case role(name: String)
        /// A role that IAM Identity Center created; its path contains a region, so its ARN can't be predicted.
        case permissionSet(name: String, role: String)
        case user(name: String)
        case federated(name: String)
        case account
    }

    /// The partition, for example `aws-cn`.
    package let partition: String
    package let account: String
    let kind: Kind
    /// The ARN as given, or the role's ARN if a role session was given.
    package let arn: String
    /// Whether the role's name may have a path that ``arn`` lacks, because a session's ARN leaves it out.
    let mayHavePath: Bool

    /// - Parameter text: The ARN of a role, a role session, a user, a federated user or an account's root.
    /// - Returns: `nil` if the text is none of these.
    package init?(arn text: String) {
        guard let given = ARN(text), given.partition.hasPrefix("aws"), given.region.isEmpty,
            (try? AccountID(parsing: given.account)) != nil,
            text.unicodeScalars.allSatisfy({ $0.value > 32 && $0.value < 127 && !Self.special.contains($0) })
        else { return nil }
        (partition, account) = (given.partition, given.account)
        let parts = given.resource.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let name = parts.count > 1 ? parts.last : given.resource, Self.isName(name) else { return nil }
        let isSession = given.service == "sts" && parts[0] == "assumed-role"
        if isSession, parts.count == 3, case .role = Self.role(parts[1]) {
            mayHavePath = true
        } else {
            mayHavePath = false
        }
        switch (given.service, parts[0]) {
        case ("sts", "assumed-role") where parts.count == 3 && Self.isName(parts[1]):
            kind = Self.role(parts[1])
            arn = "arn:\(partition):iam::\(account):role/\(parts[1])"
        case ("iam", "role") where parts.count > 1: (kind, arn) = (Self.role(name), text)
        case ("iam", "user") where parts.count > 1: (kind, arn) = (.user(name: name), text)
        case ("sts", "federated-user") where parts.count > 1: (kind, arn) = (.federated(name: name), text)
        case ("iam", "root"): (kind, arn) = (.account, text)
        default: return nil
        }
    }

    /// Creates the principal for all identities of an account that their own policies allow.
    package init(account: String, partition: String) {
        (self.partition, self.account, kind, mayHavePath) = (partition, account, .account, false)
        arn = "arn:\(partition):iam::\(account):root"
    }

    /// Creates the principal for all users with this permission set of IAM Identity Center in an account.
    ///
    /// - Returns: `nil` if the name or the account is invalid: a `*` would stand for all of them.
    init?(permissionSet name: String, account: String, partition: String) {
        guard Self.isName(name), (try? AccountID(parsing: account)) != nil else { return nil }
        (self.partition, self.account, mayHavePath) = (partition, account, false)
        // Identity Center chooses the sixteen digits.
        let role = "AWSReservedSSO_\(name)_\(String(repeating: "?", count: 16))"
        kind = .permissionSet(name: name, role: role)
        arn = "arn:\(partition):iam::\(account):role/aws-reserved/sso.amazonaws.com/*\(role)"
    }

    /// Reads a role's name: `AWSReservedSSO_NAME_0123456789abcdef` belongs to the permission set `NAME`.
    private static func role(_ name: String) -> Kind {
        let prefix = "AWSReservedSSO_"
        guard name.hasPrefix(prefix), let end = name.lastIndex(of: "_"),
            end >= name.index(name.startIndex, offsetBy: 15)
        else { return .role(name: name) }
        return .permissionSet(name: String(name[..<end].dropFirst(prefix.count)), role: name)
    }

    /// Whether IAM accepts the text as a name, which rules out the wildcards of policies and the special characters of
    /// shells.
    ///
    /// - Source: IAM User Guide, "IAM and AWS STS quotas", name requirements
    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.unicodeScalars.allSatisfy(nameCharacters.contains)
    }

    static let nameCharacters = Set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-".unicodeScalars
    )

    /// The characters that IAM accepts in a path, but that have another meaning in a policy or a shell.
    private static let special = Set("*?$\"'\\;`&|<>()[]{}!#~".unicodeScalars)

    /// The principal in words, as it is found in the console.
    package var words: String {
        switch kind {
        case .role(let name): "role \(name) in account \(account)"
        case .permissionSet(let name, _): "permission set \(name) (IAM Identity Center, account \(account))"
        case .user(let name): "user \(name) in account \(account)"
        case .federated(let name): "the user who federates \(name) in account \(account)"
        case .account: "account \(account)"
        }
    }

    /// The name without its path; for an account, its number.
    var name: String {
        switch kind {
        case .role(let name), .user(let name), .federated(let name), .permissionSet(_, role: let name): name
        case .account: account
        }
    }

    /// The principal in a word, for the name of its policy.
    var label: String {
        switch kind {
        case .role(let name), .user(let name), .federated(let name), .permissionSet(name: let name, _): name
        case .account: account
        }
    }

    /// Whether a resource's policy names this principal itself rather than its account.
    var isNamedItself: Bool {
        switch kind {
        case .role, .user, .federated: true
        case .permissionSet, .account: false
        }
    }

    /// The role's path, for example `/team/`; `nil` if it has none, or if the ARN leaves it out.
    var path: String? {
        guard case .role(let name) = kind, let start = arn.firstRange(of: ":role/") else { return nil }
        let path = arn[start.upperBound...].dropLast(name.count)
        return path.isEmpty ? nil : "/\(path)"
    }

    /// What to do when AWS rejects a policy because the role's path is missing; `nil` if the role can't have a missing
    /// path.
    package var pathHint: String? {
        guard mayHavePath else { return nil }
        return
            "if the role has a path, get its ARN with: aws iam get-role --role-name \(name) --query Role.Arn"
    }

    /// How a resource's policy names this principal, with the conditions that belong to it.
    package var inPolicy: (principal: PolicyStatement.Principal, conditions: [PolicyStatement.Condition]) {
        guard case .permissionSet(_, let role) = kind else { return (.aws(arn), []) }
        return (
            .aws("arn:\(partition):iam::\(account):root"),
            [
                PolicyStatement.Condition(
                    "ArnLike",
                    "aws:PrincipalArn",
                    "arn:\(partition):iam::\(account):role/aws-reserved/sso.amazonaws.com/*\(role)"
                )
            ]
        )
    }
}

extension Principal {
    /// Compares what the principals are, whatever form of ARN they were read from.
    package static func == (left: Principal, right: Principal) -> Bool {
        left.arn == right.arn && left.kind == right.kind
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(arn) }
}
