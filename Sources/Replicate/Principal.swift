/// Who calls AWS, read from an ARN, and how policies name them.
///
/// - Source: IAM User Guide, "AWS JSON policy elements: Principal" and "IAM identifiers"
public struct Principal: Sendable, Hashable {
    enum Kind: Hashable {
        /// Without its path, which a session's ARN leaves out.
        case role(name: String)
        /// A role that Identity Center made; its path holds a region, so that nobody can know its ARN.
        case permissionSet(name: String, role: String)
        case user(name: String)
        case federated(name: String)
        case account
    }

    /// For example `aws-cn`.
    let partition: String
    public let account: String
    let kind: Kind
    /// As given, or the role's where a session of it was given.
    public let arn: String

    /// - Parameter text: The ARN of a role, a session of one, a user, a federated user, or an account's root.
    /// - Returns: `nil` if it is none of these.
    public init?(arn text: String) {
        let fields = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 6, fields[0] == "arn", fields[1].hasPrefix("aws"), fields[3].isEmpty, !fields[4].isEmpty,
            fields[4].utf8.allSatisfy({ (48...57).contains($0) }),
            text.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
        else { return nil }
        (partition, account) = (fields[1], fields[4])
        let parts = fields[5].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let name = parts.count > 1 ? parts.last : fields[5], !name.isEmpty else { return nil }
        switch (fields[2], parts[0]) {
        case ("sts", "assumed-role") where parts.count == 3 && !parts[1].isEmpty:
            kind = Self.role(parts[1])
            arn = "arn:\(partition):iam::\(account):role/\(parts[1])"
        case ("iam", "role") where parts.count > 1: (kind, arn) = (Self.role(name), text)
        case ("iam", "user") where parts.count > 1: (kind, arn) = (.user(name: name), text)
        case ("sts", "federated-user") where parts.count > 1: (kind, arn) = (.federated(name: name), text)
        case ("iam", "root"): (kind, arn) = (.account, text)
        default: return nil
        }
    }

    /// Everybody in an account whose own policies allow it.
    public init(account: String, partition: String) {
        (self.partition, self.account, kind) = (partition, account, .account)
        arn = "arn:\(partition):iam::\(account):root"
    }

    /// Whoever has a permission set of IAM Identity Center in an account.
    init(permissionSet name: String, account: String, partition: String) {
        (self.partition, self.account) = (partition, account)
        // Sixteen digits that Identity Center chooses.
        let role = "AWSReservedSSO_\(name)_\(String(repeating: "?", count: 16))"
        kind = .permissionSet(name: name, role: role)
        arn = "arn:\(partition):iam::\(account):role/aws-reserved/sso.amazonaws.com/*\(role)"
    }

    /// `AWSReservedSSO_NAME_0123456789abcdef` belongs to the permission set `NAME`.
    private static func role(_ name: String) -> Kind {
        let prefix = "AWSReservedSSO_"
        guard name.hasPrefix(prefix), let end = name.lastIndex(of: "_"),
            end >= name.index(name.startIndex, offsetBy: 15)
        else { return .role(name: name) }
        return .permissionSet(name: String(name[..<end].dropFirst(prefix.count)), role: name)
    }

    /// What people look for in the console.
    var words: String {
        switch kind {
        case .role(let name): "role \(name) in account \(account)"
        case .permissionSet(let name, _): "permission set \(name) (IAM Identity Center, account \(account))"
        case .user(let name): "user \(name) in account \(account)"
        case .federated(let name): "the user who federates \(name) in account \(account)"
        case .account: "account \(account)"
        }
    }

    /// Without its path; of an account its number.
    var name: String {
        switch kind {
        case .role(let name), .user(let name), .federated(let name), .permissionSet(_, role: let name): name
        case .account: account
        }
    }

    /// Whether the policy of a resource names them, and not the account that they belong to.
    var isNamedItself: Bool {
        switch kind {
        case .role, .user, .federated: true
        case .permissionSet, .account: false
        }
    }

    /// Whether a path may stand before the name that is not in ``arn``.
    var mayHavePath: Bool { if case .role(let name) = kind { arn.hasSuffix(":role/\(name)") } else { false } }

    /// How a resource's policy lets them in, and under which conditions.
    var inPolicy: (principal: PolicyStatement.Principal, conditions: [PolicyStatement.Condition]) {
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
