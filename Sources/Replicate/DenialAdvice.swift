internal import Content
internal import ECRAPI

/// What must change for a denied request to be allowed: whose policy, who edits it, and the statement to add.
///
/// - Source: facts/ecr.md D.4, D.5; IAM User Guide, "Policy evaluation logic"
struct DenialAdvice {
    /// Through which VPC endpoint the request went, if it went through one.
    enum Face: String { case api = "ecr.api", registry = "ecr.dkr", tokens = "sts", layers = "s3" }

    let denial: ECRError.Denial
    let side: CopyError.Side
    /// The repository at hand; `nil` where no ECR is in play.
    let place: ECRPlace?
    let face: Face
    private let principal: Principal?
    private let resource: ResourceName?

    init(_ denial: ECRError.Denial, side: CopyError.Side, at place: ECRPlace?, face: Face) {
        (self.denial, self.side, self.place, self.face) = (denial, side, place, face)
        principal = denial.principal.flatMap { Principal(arn: $0) }
        let named = denial.resource ?? (denial.action == Self.token ? "*" : place?.arn)
        resource = named.map(ResourceName.init)
    }

    private static let token = "ecr:GetAuthorizationToken"

    var text: String {
        guard !denial.isExplicit else { return withdrawal }
        return denial.action.hasPrefix("ecr:") ? addition + Self.allOfIt : addition
    }

    /// Statements come one by one, a denial at a time; who wants them all can have them.
    private static let allOfIt = "\n    all that it takes, at once: ecr-replicate iam-policy SOURCE DESTINATION"

    /// A deny beats every allow: nothing can be added that helps.
    private var withdrawal: String {
        let what = "\(denial.action) on \(resource?.text ?? "it")"
        let deny = "narrow the Deny statement that matches \(what)"
        return switch denial.reason {
        case .identityPolicy: "\(deny), in a policy of \(caller); no Allow beats it"
        case .resourcePolicy: "\(deny) by \(caller), in \(owner); no Allow beats it"
        case .sessionPolicy: "\(deny), in the session policy that \(caller) was given when the session began"
        case .permissionsBoundary: "\(deny), in the permissions boundary of \(caller): ask who administers IAM there"
        case .serviceControlPolicy:
            "ask who administers the organization of \(callersAccount) to \(deny), in a service control policy"
        case .resourceControlPolicy:
            "ask who administers the organization of \(ownersAccount) to \(deny), in a resource control policy"
        case .endpointPolicy: "\(deny), in \(endpoint)"
        case .unstated:
            "\(deny); AWS doesn't say in which policy of \(caller), of \(owner) or of the organization it is"
        }
    }

    private var addition: String {
        switch denial.reason {
        case .identityPolicy: added(to: identityPolicy, identity)
        case .resourcePolicy: resourceAddition
        case .sessionPolicy:
            added(to: "the session policy that \(caller) is given when the session begins", identity)
        case .permissionsBoundary:
            added(to: "the permissions boundary of \(caller) (ask who administers IAM there)", identity)
        case .serviceControlPolicy:
            added(to: "a service control policy of \(callersAccount) (ask who administers its organization)", identity)
        case .resourceControlPolicy:
            added(
                to: "a resource control policy of \(ownersAccount) (ask who administers its organization)",
                PolicyStatement(principal: .anyone, [denial.action], on: identity.resources)
            )
        case .endpointPolicy:
            added(
                to: endpoint,
                PolicyStatement(
                    principal: principal?.inPolicy.principal ?? .anyone,
                    [denial.action],
                    on: identity.resources,
                    condition: principal?.inPolicy.condition
                )
            )
        case .unstated:
            isAcrossAccounts
                ? added(to: identityPolicy, identity) + "\n  and, across accounts, "
                    + resourceAddition
                : added(to: identityPolicy, identity)
        }
    }

    private func added(to policy: String, _ statement: PolicyStatement) -> String {
        "add this to \(policy):\n    \(statement.line)"
    }

    private var identity: PolicyStatement {
        PolicyStatement([denial.action], on: [resource?.text ?? "*"])
    }

    /// The policy of a repository has no `Resource`; that of a registry, which speaks for many, has.
    private var resourceAddition: String {
        guard let principal else {
            return "let \(caller) do \(denial.action) in \(owner)"
        }
        let (who, condition) = principal.inPolicy
        let statement = PolicyStatement(
            principal: who,
            [denial.action],
            on: isRegistryPolicy ? identity.resources : [],
            condition: condition
        )
        return added(to: owner, statement) + Self.pathHint(principal)
    }

    /// AWS refuses a policy that names a role wrongly, and a session's ARN leaves the role's path out.
    static func pathHint(_ principal: Principal) -> String {
        guard case .role(let name) = principal.kind, principal.mayHavePath else { return "" }
        return "\n    (if the role has a path, its ARN is what this says: "
            + "aws iam get-role --role-name \(name) --query Role.Arn)"
    }

    // MARK: Words

    private var caller: String {
        principal?.words ?? denial.principal ?? "the identity used for the \(side.rawValue)"
    }

    private var identityPolicy: String {
        principal == nil && denial.principal == nil ? "the policy of \(caller)" : "an identity policy of \(caller)"
    }

    private var callersAccount: String { principal.map { "account \($0.account)" } ?? "the caller's account" }

    private var ownersAccount: String {
        (resource?.account ?? place?.host.account.value).map { "account \($0)" } ?? "the account that owns it"
    }

    /// What a repository that doesn't exist can't say, its registry says.
    private var isRegistryPolicy: Bool {
        ["ecr:CreateRepository", "ecr:BatchImportUpstreamImage", "ecr:ReplicateImage"].contains(denial.action)
    }

    /// The policy that belongs to the resource.
    private var owner: String {
        if denial.action.hasPrefix("s3:") { return "the policy of the layers' bucket, which is AWS's" }
        if denial.action.hasPrefix("sts:"), let role = resource?.role { return "the trust policy of \(role)" }
        let location = [
            (resource?.account ?? place?.host.account.value).map { "account \($0)" },
            resource?.region ?? place?.host.region,
        ].compactMap { $0 }.joined(separator: ", ")
        if isRegistryPolicy { return "the registry policy of \(location)" }
        guard let name = resource?.repository ?? place?.repository.value else { return "the repository's policy" }
        return "the policy of repository \(name) in \(location)"
    }

    private var endpoint: String {
        let region = face == .layers ? place?.host.region : resource?.region ?? place?.host.region
        return "the policy of the VPC endpoint for \(face.rawValue)\(region.map { " in \($0)" } ?? "")"
    }

    private var isAcrossAccounts: Bool {
        guard let caller = principal?.account, let owner = resource?.account else { return false }
        return caller != owner
    }

    /// What an ARN says of the resource.
    private struct ResourceName {
        let text: String
        let region: String?
        let account: String?
        let repository: String?
        let role: String?

        init(_ text: String) {
            self.text = text
            let fields = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 6 else {
                (region, account, repository, role) = (nil, nil, nil, nil)
                return
            }
            region = fields[3].isEmpty ? nil : fields[3]
            account = fields[4].isEmpty ? nil : fields[4]
            let rest = fields[5]
            repository = rest.hasPrefix("repository/") ? String(rest.dropFirst("repository/".count)) : nil
            role = rest.hasPrefix("role/") ? Principal(arn: text)?.words : nil
        }
    }
}

/// A repository of ECR, as an error's image names it.
struct ECRPlace: Hashable {
    let host: ECRHost
    let repository: RepositoryName

    /// - Parameter image: A reference, as ``CopyError/image`` has it.
    init?(image: String) {
        guard let reference = try? ImageReference(parsing: image), case .ecr(let host) = reference.registry else {
            return nil
        }
        (self.host, repository) = (host, reference.repository)
    }

    var arn: String {
        "arn:\(host.partition.rawValue):ecr:\(host.region):\(host.account):repository/\(repository)"
    }

    /// Where the region's layers are.
    ///
    /// - Source: facts/ecr.md A.2, VPC endpoints
    var layerBucketARN: String { "arn:\(host.partition.rawValue):s3:::prod-\(host.region)-starport-layer-bucket/*" }
}
