internal import Content
package import ECRAPI
package import IAMPolicies
package import Replicate

/// What must change to allow a denied request: whose policy, who edits it, and the statement to add.
///
/// - Source: docs/facts/permissions.md#across-accounts, #texts-of-refusals; IAM User Guide, "Policy evaluation logic"
package struct DenialAdvice: Sendable {
    /// The service endpoint that the request went to, as a VPC endpoint for it is named.
    package enum Endpoint: String, Sendable { case api = "ecr.api", registry = "ecr.dkr", tokens = "sts" }

    let denial: ECRError.Denial
    let side: CopyError.Side
    /// The repository that the request was about; `nil` if it was not about ECR.
    let place: ECRPlace?
    let endpoint: Endpoint
    /// The caller; `nil` if the denial doesn't name one that a policy could name.
    package let principal: Principal?
    /// Whether the repository's existence is unconfirmed: ECR doesn't tell a caller without access whether it exists.
    package var isUnseen = false
    private let resource: ResourceName?
    private let conditions: [PolicyStatement.Condition]

    /// Trusts the names in the denial only as far as they fit the place.
    ///
    /// A server at a custom endpoint could name any principal and resource. A statement made from those could let a
    /// stranger in, or allow everything.
    ///
    /// - Parameter known: What the request was about, if it was not a repository.
    /// - Parameter conditions: Conditions to put into the owner's policy.
    package init(
        _ denial: ECRError.Denial,
        side: CopyError.Side,
        at place: ECRPlace?,
        endpoint: Endpoint,
        on known: String? = nil,
        conditions: [PolicyStatement.Condition] = []
    ) {
        (self.denial, self.side, self.place, self.endpoint) = (denial, side, place, endpoint)
        self.conditions = conditions
        let home = place.map { ResourceName($0.arn) } ?? known.map(ResourceName.init)
        principal = denial.principal.flatMap { Principal(arn: $0) }.flatMap { principal in
            !principal.arn.contains("*") && (home?.partition ?? principal.partition) == principal.partition
                ? principal : nil
        }
        resource = known.map(ResourceName.init) ?? Self.resource(of: denial, at: home)
    }

    private static func resource(of denial: ECRError.Denial, at home: ResourceName?) -> ResourceName? {
        if registryWide.contains(denial.action) { return ResourceName("*") }
        let isAboutRepository = denial.action.hasPrefix("ecr:")
        guard let named = denial.resource.map(ResourceName.init), let home, !named.text.contains("*"),
            named.partition == home.partition, named.region == home.region, named.account == home.account,
            !isAboutRepository || named.repository != nil
        else { return isAboutRepository ? home : nil }
        return named
    }

    /// Actions that can't be limited to a repository.
    ///
    /// - Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon ECR"
    private static let registryWide: Set<String> = [
        "ecr:GetAuthorizationToken", "ecr:DescribeRegistry", "ecr:DescribePullThroughCacheRules",
        "ecr:DescribeRepositoryCreationTemplates", "ecr:GetAccountSetting", "ecr:GetRegistryPolicy",
    ]

    package var text: String { denial.isExplicit ? withdrawal : addition }

    /// The command that prints all needed statements at once, since each denial names only one.
    var allOfIt: String? {
        guard !denial.isExplicit, denial.action.hasPrefix("ecr:"), denial.reason != .resourceControlPolicy else {
            return nil
        }
        let who = principal.map { " --principal \($0.arn)" } ?? ""
        return "to print every policy that the copy needs: ecr-replicate iam-policy\(who) SOURCE DESTINATION"
    }

    /// Whether the policy to change is that of a repository in another account.
    package var asksOwnerOfRepository: Bool {
        guard !denial.isExplicit, resource?.repository != nil, !isRegistryPolicy else { return false }
        return denial.reason == .resourcePolicy || (denial.reason == .unstated && isAcrossAccounts)
    }

    /// How to remove an explicit deny, which no added statement can override.
    private var withdrawal: String {
        let what = "\(denial.action) on \(resource?.text ?? "it")"
        let deny = "narrow the Deny statement that matches \(what)"
        return switch denial.reason {
        case .identityPolicy: "\(deny), in a policy of \(caller); a Deny overrides every Allow"
        case .resourcePolicy: "\(deny) by \(caller), in \(owner); a Deny overrides every Allow"
        case .sessionPolicy: "\(deny), in the session policy of \(caller), which is set when the session starts"
        case .permissionsBoundary:
            "\(deny), in the permissions boundary of \(caller): ask the account's IAM administrator"
        case .serviceControlPolicy:
            "ask an administrator of the organization of \(callersAccount) to \(deny), in a service control policy"
        case .resourceControlPolicy:
            "ask an administrator of the organization of \(ownersAccount) to \(deny), in a resource control policy"
        case .endpointPolicy: "\(deny), in \(endpointPolicy)"
        case .unstated:
            "\(deny); AWS doesn't say whether it is in a policy of \(caller), in \(owner) or in a policy of the "
                + "organization"
        }
    }

    private var addition: String {
        switch denial.reason {
        case .identityPolicy: added(to: identityPolicy, identity)
        case .resourcePolicy: resourceAddition
        case .sessionPolicy:
            added(to: "the session policy of \(caller), which is set when the session starts", identity)
        case .permissionsBoundary:
            added(to: "the permissions boundary of \(caller) (ask the account's IAM administrator)", identity)
        case .serviceControlPolicy:
            added(
                to: "a service control policy of \(callersAccount) (ask an administrator of its organization)",
                identity
            )
        case .resourceControlPolicy:
            "ask an administrator of the organization of \(ownersAccount) to change a resource control policy: such "
                + "policies only deny, so one of them has a Deny that matches \(denial.action) on "
                + "\(resource?.text ?? "it"), or lacks an exception for \(caller)"
        case .endpointPolicy:
            added(
                to: endpointPolicy,
                resource.map {
                    PolicyStatement(
                        principal: principal?.inPolicy.principal ?? .anyone,
                        [denial.action],
                        on: [$0.text],
                        conditions: principal?.inPolicy.conditions ?? []
                    )
                }
            )
        case .unstated:
            isAcrossAccounts
                ? added(to: identityPolicy, identity) + "\n  and, across accounts, "
                    + resourceAddition
                : added(to: identityPolicy, identity)
        }
    }

    private func added(to policy: String, _ statement: PolicyStatement?) -> String {
        guard let statement else {
            return "allow \(denial.action) in \(policy), on the resource that the error names, if it is yours"
        }
        return "add this to \(policy):\n    \(statement.line)"
    }

    /// The statement for the identity's policy; `nil` if the resource is unknown.
    private var identity: PolicyStatement? { resource.map { PolicyStatement([denial.action], on: [$0.text]) } }

    /// Whether the policy's statements omit `Resource`, as those of a repository or a role do.
    ///
    /// The policies of registries, which cover many repositories, and of keys state it.
    private var isAboutItself: Bool {
        !isRegistryPolicy && (denial.action.hasPrefix("ecr:") || denial.action.hasPrefix("sts:"))
    }

    private var resourceAddition: String {
        guard let principal else {
            return "allow \(caller) to call \(denial.action), in \(owner)"
        }
        let (who, usual) = principal.inPolicy
        let statement = PolicyStatement(
            principal: who,
            [denial.action],
            on: isAboutItself ? [] : identity?.resources ?? [],
            conditions: usual + conditions
        )
        let policy = isUnseen && asksOwnerOfRepository ? "\(owner), if the repository exists" : owner
        return added(to: policy, statement) + Self.pathHint(principal)
    }

    /// A hint about a role's path, which a session's ARN leaves out: AWS rejects a policy that names the role without
    /// it.
    static func pathHint(_ principal: Principal) -> String {
        principal.pathHint.map { "\n    (\($0))" } ?? ""
    }

    // MARK: Words

    private var caller: String {
        principal?.words ?? "the identity used for the \(side.rawValue)"
    }

    private var identityPolicy: String {
        principal == nil ? "the policy of \(caller)" : "an identity policy of \(caller)"
    }

    private var callersAccount: String { principal.map { "account \($0.account)" } ?? "the caller's account" }

    private var ownersAccount: String {
        (resource?.account ?? place?.host.account.value).map { "account \($0)" } ?? "the account that owns it"
    }

    /// Whether the registry's policy decides, as it does for a repository that doesn't exist yet.
    private var isRegistryPolicy: Bool {
        ["ecr:CreateRepository", "ecr:BatchImportUpstreamImage", "ecr:ReplicateImage"].contains(denial.action)
    }

    /// The resource's own policy, in words.
    private var owner: String {
        if denial.action.hasPrefix("sts:"), let role = resource?.role { return "the trust policy of \(role)" }
        let location = [
            (resource?.account ?? place?.host.account.value).map { "account \($0)" },
            resource?.region ?? place?.host.region,
        ].compactMap { $0 }.joined(separator: ", ")
        if isRegistryPolicy { return "the registry policy of \(location)" }
        guard denial.action.hasPrefix("ecr:") else {
            return "the policy of \(resource?.text ?? "the resource that the error names")"
        }
        guard let name = resource?.repository ?? place?.repository.value else { return "the repository's policy" }
        return "the policy of repository \(name) in \(location)"
    }

    private var endpointPolicy: String {
        let region = resource?.region ?? place?.host.region
        return "the policy of the VPC endpoint for \(endpoint.rawValue)\(region.map { " in \($0)" } ?? "")"
    }

    private var isAcrossAccounts: Bool {
        guard let caller = principal?.account, let owner = resource?.account else { return false }
        return caller != owner
    }

    /// The parts of a resource's ARN.
    private struct ResourceName: Sendable {
        let text: String
        let partition: String?
        let region: String?
        let account: String?
        let repository: String?
        let role: String?

        init(_ text: String) {
            self.text = text
            guard let arn = ARN(text) else {
                (partition, region, account, repository, role) = (nil, nil, nil, nil, nil)
                return
            }
            partition = arn.partition
            region = arn.region.isEmpty ? nil : arn.region
            account = arn.account.isEmpty ? nil : arn.account
            let rest = arn.resource
            repository = rest.hasPrefix("repository/") ? String(rest.dropFirst("repository/".count)) : nil
            role = rest.hasPrefix("role/") ? Principal(arn: text)?.words : nil
        }
    }
}

extension ECRPlace {
    var arn: String { PolicyPlace(host: host, pattern: repository.value).arn }

    /// The ARN of the S3 bucket that holds the region's layers.
    ///
    /// - Source: docs/facts/ecr-hosts.md#vpc-endpoints
    var layerBucketARN: String { "arn:\(host.partition.rawValue):s3:::prod-\(host.region)-starport-layer-bucket/*" }
}
