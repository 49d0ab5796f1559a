/// The permission checks: a test's denials first, then policies.
extension EmulatorState {
    /// - Parameters:
    ///   - action: The action, without `ecr:`.
    ///   - repository: The repository; `nil` for an action on no repository, or on all.
    /// - Throws: `AccessDeniedException` with the texts of docs/facts/permissions.md#texts-of-refusals.
    func permit(_ action: String, _ repository: String?, in key: RegistryKey, by caller: Principal) throws(ServiceFault)
    {
        if isDenied(action, repository, to: caller) {
            throw Self.refusal(of: action, repository, in: key, by: caller)
        }
        let request = AccessRequest(
            principal: caller,
            action: "ecr:\(action)",
            resource: Self.resource(of: action, repository, in: key),
            owner: key.account,
            context: rules.context(of: caller, region: key.region)
        )
        let policies = rules.isEnforced ? resourcePolicies(action, repository, in: key) : []
        guard let refusal = rules.refusal(of: request, resourcePolicies: policies) else { return }
        throw Self.fault(request, refusal)
    }

    /// Whether a test has denied the action, regardless of policies.
    func isDenied(_ action: String, _ repository: String?, to caller: Principal) -> Bool {
        denials.contains { denial in
            denial.action == action && (denial.repository == nil || denial.repository == repository)
                && (denial.principalAccount == nil || denial.principalAccount == caller.account)
        }
    }

    /// Makes the error for a caller that no policy allows to perform the action.
    static func refusal(
        of action: String,
        _ repository: String?,
        in key: RegistryKey,
        by caller: Principal
    ) -> ServiceFault {
        let request = AccessRequest(
            principal: caller,
            action: "ecr:\(action)",
            resource: resource(of: action, repository, in: key),
            owner: key.account
        )
        return fault(request, .implicit(caller.account == key.account ? .identity : .resource))
    }

    private static func fault(_ request: AccessRequest, _ refusal: AccessRefusal) -> ServiceFault {
        ServiceFault(
            "AccessDeniedException",
            "User: \(request.principal.arn) is not authorized to perform: \(request.action) on resource: "
                + "\(request.resource) \(refusal.text(request.action))"
        )
    }

    /// The actions that don't apply to a repository.
    ///
    /// - Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon ECR"
    private static let registryActions: Set<String> = [
        "GetAuthorizationToken", "DescribeRegistry", "GetAccountSetting", "PutAccountSetting", "GetRegistryPolicy",
        "PutRegistryPolicy", "DeleteRegistryPolicy", "PutReplicationConfiguration", "DescribePullThroughCacheRules",
        "CreatePullThroughCacheRule", "UpdatePullThroughCacheRule", "DeletePullThroughCacheRule",
        "ValidatePullThroughCacheRule", "CreateRepositoryCreationTemplate", "UpdateRepositoryCreationTemplate",
        "DeleteRepositoryCreationTemplate", "DescribeRepositoryCreationTemplates", "GetRegistryScanningConfiguration",
        "PutRegistryScanningConfiguration", "PutSigningConfiguration", "GetSigningConfiguration",
        "DeleteSigningConfiguration", "RegisterPullTimeUpdateExclusion", "DeregisterPullTimeUpdateExclusion",
        "ListPullTimeUpdateExclusions",
    ]

    private static func resource(of action: String, _ repository: String?, in key: RegistryKey) -> String {
        guard !registryActions.contains(action) else { return "*" }
        let partition = AWSPartition(ofRegion: key.region).rawValue
        return "arn:\(partition):ecr:\(key.region):\(key.account):repository/\(repository ?? "*")"
    }

    /// Returns the repository's own policy, and the registry's, which covers every repository in it.
    private func resourcePolicies(_ action: String, _ repository: String?, in key: RegistryKey) -> [PolicyDocument] {
        guard !Self.registryActions.contains(action), let registry = cloud.registries[key] else { return [] }
        let isCovered = registry.settings["REGISTRY_POLICY_SCOPE"] != "V1" || Self.versionOneActions.contains(action)
        return [repository.flatMap { registry.repositories[$0]?.policy }, isCovered ? registry.policy : nil]
            .compactMap { $0?.document }
    }

    /// The actions that a registry's policy covers while its scope is `V1`.
    ///
    /// - Source: ECR User Guide, "Private registry permissions"
    private static let versionOneActions: Set<String> = [
        "ReplicateImage", "BatchImportUpstreamImage", "CreateRepository",
    ]

    /// Whether a repository's new policy would prevent `caller` from ever setting another.
    ///
    /// - Source: docs/facts/ecr-api.md#repositories, `force`
    func locksOut(_ caller: Principal, _ policy: PolicyDocument, of repository: String, in key: RegistryKey) -> Bool {
        guard rules.isEnforced else { return false }
        let request = AccessRequest(
            principal: caller,
            action: "ecr:SetRepositoryPolicy",
            resource: Self.resource(of: "SetRepositoryPolicy", repository, in: key),
            owner: key.account,
            context: rules.context(of: caller, region: key.region)
        )
        return rules.refusal(of: request, resourcePolicies: [policy]) != nil
    }
}

extension AccessRules {
    /// - Throws: ``EmulatorStartError`` for a policy that isn't valid.
    init(_ configuration: EmulatorConfiguration) throws(EmulatorStartError) {
        var hasPolicy = false
        func read(_ text: String, as kind: PolicyKind = .identity, of owner: String) throws(EmulatorStartError)
            -> PolicyDocument
        {
            hasPolicy = true
            do {
                return try PolicyDocument(parsing: text, as: kind)
            } catch {
                throw EmulatorStartError("a policy of \(owner) is not valid: \(error)")
            }
        }
        let identities =
            configuration.users.map { ($0.arn, $0.policies) } + configuration.roles.map { ($0.arn, $0.policies) }
        for (arn, texts) in identities {
            guard let texts else { continue }
            // An empty list is a policy too: it allows nothing.
            hasPolicy = true
            var policies: [PolicyDocument] = []
            for text in texts { policies.append(try read(text, of: arn)) }
            identity[arn] = policies
        }
        for role in configuration.roles {
            guard let text = role.trustPolicy else { continue }
            trust[role.arn] = try read(text, as: .resource, of: role.arn)
        }
        for (account, text) in configuration.serviceControlPolicies {
            serviceControl[account] = try read(text, as: .serviceControl, of: "account \(account)")
        }
        endpointID = configuration.vpcEndpoint?.id
        if let text = configuration.vpcEndpoint?.policy {
            endpoint = try read(text, as: .endpoint, of: configuration.vpcEndpoint?.id ?? "")
        }
        isEnforced = configuration.enforcesPolicies ?? hasPolicy
    }
}
