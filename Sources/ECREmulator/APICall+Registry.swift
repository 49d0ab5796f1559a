internal import Content
internal import FoundationEssentials
internal import Platform

/// What holds for a whole registry, which is always the caller's own.
extension APICall {
    private var own: RegistryKey { RegistryKey(account: caller.account, region: region) }

    private func changeRegistry(_ body: (inout EmulatedRegistry) -> Void) {
        aws.state.withLock { body(&$0.cloud.registries[own, default: EmulatedRegistry(key: own)]) }
        aws.save()
    }

    private var registry: EmulatedRegistry { aws.state.withLock { $0.cloud.registry(own) } }

    func describeRegistry() -> JSON {
        .members([
            "registryId": .text(caller.account),
            "replicationConfiguration": json(of: registry.replication ?? ReplicationConfiguration(rules: [])),
        ])
    }

    func putReplicationConfiguration() throws -> JSON {
        let configuration = try input.required("replicationConfiguration", \.replicationConfiguration)
        guard configuration.rules.count <= 10 else {
            throw ServiceFault.invalidParameter(
                "replicationConfiguration.rules",
                "Member must have length less than or equal to 10"
            )
        }
        changeRegistry { $0.replication = configuration }
        return .members(["replicationConfiguration": json(of: configuration)])
    }

    func putRegistryPolicy() throws -> JSON {
        let text = try input.required("policyText", \.policyText)
        let policy = KeptPolicy(text: text, document: try PolicyDocument(ofRepository: text, kind: "registry"))
        changeRegistry { $0.policy = policy }
        return self.policy(text)
    }

    func getRegistryPolicy() throws -> JSON { policy(try storedPolicy()) }

    func deleteRegistryPolicy() throws -> JSON {
        let text = try storedPolicy()
        changeRegistry { $0.policy = nil }
        return policy(text)
    }

    func createPullThroughCacheRule() throws -> JSON {
        let prefix = try input.required("ecrRepositoryPrefix", \.ecrRepositoryPrefix)
        let rule = PullThroughRule(
            prefix: prefix,
            upstreamURL: try input.required("upstreamRegistryUrl", \.upstreamRegistryUrl),
            upstream: input.upstreamRegistry,
            createdAt: aws.now
        )
        guard !(registry.pullThroughRules ?? []).contains(where: { $0.prefix == prefix }) else {
            throw ServiceFault(
                "PullThroughCacheRuleAlreadyExistsException",
                "A pull through cache rule with the prefix '\(prefix)' already exists in the registry with id "
                    + "'\(own.account)'"
            )
        }
        changeRegistry { $0.pullThroughRules = ($0.pullThroughRules ?? []) + [rule] }
        return json(of: rule)
    }

    func describePullThroughCacheRules() throws -> JSON {
        var rules = aws.state.withLock { $0.cloud.registry(key) }.pullThroughRules ?? []
        for prefix in input.ecrRepositoryPrefixes ?? [] {
            guard rules.contains(where: { $0.prefix == prefix }) else {
                throw ServiceFault(
                    "PullThroughCacheRuleNotFoundException",
                    "The pull through cache rule with the prefix '\(prefix)' does not exist in the registry with id "
                        + "'\(key.account)'"
                )
            }
        }
        if let prefixes = input.ecrRepositoryPrefixes { rules = rules.filter { prefixes.contains($0.prefix) } }
        let page = try input.page(rules.sorted { $0.prefix < $1.prefix })
        return .members(["pullThroughCacheRules": .list(page.items.map(json)), "nextToken": page.next])
    }

    func getAccountSetting() throws -> JSON {
        let name = try input.required("name", \.name)
        guard let value = registry.settings[name] else {
            throw ServiceFault("ValidationException", "The account setting '\(name)' is not valid")
        }
        return .members(["name": .text(name), "value": .text(value)])
    }

    func putAccountSetting() throws -> JSON {
        let name = try input.required("name", \.name)
        let value = try input.required("value", \.value)
        let allowed = [
            "BASIC_SCAN_TYPE_VERSION": ["AWS_NATIVE"], "REGISTRY_POLICY_SCOPE": ["V1", "V2"],
            "BLOB_MOUNTING": ["ENABLED", "DISABLED"],
        ]
        guard allowed[name]?.contains(value) == true else {
            throw ServiceFault("ValidationException", "The account setting '\(name)' can't be '\(value)'")
        }
        changeRegistry { $0.settings[name] = value }
        return .members(["name": .text(name), "value": .text(value)])
    }

    private func storedPolicy() throws -> String {
        guard let policy = registry.policy else {
            throw ServiceFault(
                "RegistryPolicyNotFoundException",
                "Registry policy does not exist in the registry with id '\(own.account)'"
            )
        }
        return policy.text
    }

    private func policy(_ text: String) -> JSON {
        .members(["registryId": .text(own.account), "policyText": .text(text)])
    }

    private func json(of configuration: ReplicationConfiguration) -> JSON {
        .members([
            "rules": .list(
                configuration.rules.map { rule in
                    .members([
                        "destinations": .list(
                            rule.destinations.map {
                                .members(["region": .text($0.region), "registryId": .text($0.registryId)])
                            }
                        ),
                        "repositoryFilters": rule.repositoryFilters.map { filters in
                            .list(
                                filters.map {
                                    .members(["filter": .text($0.filter), "filterType": .text($0.filterType)])
                                }
                            )
                        },
                    ])
                }
            )
        ])
    }

    private func json(of rule: PullThroughRule) -> JSON {
        .members([
            "ecrRepositoryPrefix": .text(rule.prefix), "upstreamRegistryUrl": .text(rule.upstreamURL),
            "upstreamRegistry": rule.upstream.map(JSON.text), "registryId": .text(key.account),
            "createdAt": .seconds(rule.createdAt.timeIntervalSince1970),
        ])
    }
}
