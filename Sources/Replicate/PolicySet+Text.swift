internal import Content

/// One policy of a set, as a flag and a file are named after it.
public enum PolicyPart: String, Sendable, CaseIterable {
    case sourceIdentity = "source-identity"
    case sourceRepository = "source-repository"
    case destinationIdentity = "destination-identity"
    case destinationRepository = "destination-repository"

    init(_ side: CopyError.Side, isIdentity: Bool) {
        switch side {
        case .source: self = isIdentity ? .sourceIdentity : .sourceRepository
        case .destination: self = isIdentity ? .destinationIdentity : .destinationRepository
        }
    }
}

extension PolicySet {
    /// - Returns: `nil` if the copy needs no such policy.
    public subscript(part: PolicyPart) -> PolicyDocument? {
        switch part {
        case .sourceIdentity: source?.identityPolicy
        case .sourceRepository: source?.repositoryPolicy
        case .destinationIdentity: destination?.identityPolicy
        case .destinationRepository: destination?.repositoryPolicy
        }
    }

    /// Every policy, under comments that say where it belongs and how it gets there.
    public var text: String {
        sides.flatMap { side in
            [
                side.heading(isIdentity: true) + side.identityPolicy.text,
                side.repositoryPolicy.map { side.heading(isIdentity: false) + $0.text },
            ].compactMap { $0 }
        }.joined(separator: "\n")
    }
}

extension PolicySet.SidePolicies {
    fileprivate func heading(isIdentity: Bool) -> String {
        let part = PolicyPart(side, isIdentity: isIdentity).rawValue
        let lines =
            isIdentity
            ? ["\(part): for \(caller.words), who \(verb)"] + attaching("file://\(part).json")
            : [
                "\(part): for each repository \(place.pattern) in account \(place.host.account), \(place.host.region);",
                "add the statement to a policy that is there already, which this would replace",
                "  aws ecr set-repository-policy --region \(place.host.region) --registry-id \(place.host.account) "
                    + "--repository-name \(place.isPattern ? "NAME" : place.pattern) --policy-text file://\(part).json",
            ]
        return lines.map { "# \($0)\n" }.joined()
    }

    private var verb: String { side == .source ? "reads" : "writes" }

    /// Of a policy that belongs to an identity: another copy's has another, and stays.
    private var policyName: String {
        // IAM takes neither / nor *, and ECR neither + nor @, so that no two repositories have one name.
        let repository = place.pattern.replacing("/", with: "+").replacing("*", with: "@")
        let name = "ecr-replicate-\(side.rawValue)-\(place.host.account)-\(place.host.region)-\(repository)"
        guard name.utf8.count > Self.longestName else { return name }
        let hash = Digest(of: Array(name.utf8)).hex.prefix(16)
        return "\(name.prefix(Self.longestName - 17))-\(hash)"
    }

    /// In characters.
    ///
    /// - Source: IAM API Reference, "PutRolePolicy"
    private static let longestName = 128

    private func attaching(_ file: String) -> [String] {
        let name = policyName
        let replaced = "this would replace a policy of that name"
        return switch caller.kind {
        case .role(let role):
            [replaced, "  aws iam put-role-policy --role-name \(role) --policy-name \(name) --policy-document \(file)"]
        case .user(let user):
            [replaced, "  aws iam put-user-policy --user-name \(user) --policy-name \(name) --policy-document \(file)"]
        case .permissionSet:
            [
                "a permission set has one inline policy, which this would replace: add the statements to it; what is there "
                    + "says",
                "  aws sso-admin get-inline-policy-for-permission-set --instance-arn INSTANCE --permission-set-arn SET",
                "  aws sso-admin put-inline-policy-to-permission-set --instance-arn INSTANCE --permission-set-arn SET "
                    + "--inline-policy \(file)",
                "nothing has changed for anybody before",
                "  aws sso-admin provision-permission-set --instance-arn INSTANCE --permission-set-arn SET "
                    + "--target-type ALL_PROVISIONED_ACCOUNTS",
            ]
        case .federated, .account:
            ["  aws iam create-policy --policy-name \(name) --policy-document \(file), then attach it to who \(verb)"]
        }
    }
}

/// What `iam-policy --output json` prints.
///
/// Its schema is `config/output.schema.json`.
public struct PolicySetDocument: Encodable, Sendable {
    public var version = 1
    public var command = "iam-policy"
    public var exitCode = 0
    public var source: Side?
    public var destination: Side?

    public init(_ policies: PolicySet) {
        (source, destination) = (policies.source.map(Side.init), policies.destination.map(Side.init))
    }

    public struct Side: Encodable, Sendable {
        /// The ARN that the policies take for the caller's.
        public var caller: String
        /// The repository's, or of all that match.
        public var resource: String
        public var identityPolicy: PolicyDocument
        public var repositoryPolicy: PolicyDocument?

        init(_ side: PolicySet.SidePolicies) {
            (caller, resource) = (side.caller.arn, side.place.arn)
            (identityPolicy, repositoryPolicy) = (side.identityPolicy, side.repositoryPolicy)
        }
    }
}
