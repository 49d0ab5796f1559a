internal import Content
internal import FoundationEssentials
internal import Platform

/// The operations for a whole registry, which is always the caller's own.
extension APICall {
    var own: RegistryKey { RegistryKey(account: caller.account, region: region) }

    /// The caller's own registry.
    var registry: EmulatedRegistry { registry(own) }

    func registry(_ key: RegistryKey) -> EmulatedRegistry { aws.state.withLock { $0.cloud.registry(key) } }

    /// Changes a registry: the caller's own, unless another is given.
    @discardableResult
    func changeRegistry<Result>(
        _ key: RegistryKey? = nil,
        _ body: (inout EmulatedRegistry) throws(ServiceFault) -> Result
    ) throws(ServiceFault) -> Result {
        let key = key ?? own
        let result = try aws.state.withLock { state throws(ServiceFault) in
            try body(&state.cloud.registries[key, default: EmulatedRegistry(key: key)])
        }
        aws.save()
        return result
    }

    func describeRegistry() -> JSON {
        .members([
            "registryId": .text(caller.account),
            "replicationConfiguration": json(of: registry.replication ?? ReplicationConfiguration(rules: [])),
        ])
    }

    func putReplicationConfiguration() throws -> JSON {
        let configuration = try input.required("replicationConfiguration", \.replicationConfiguration)
        try configuration.check()
        try changeRegistry { $0.replication = configuration }
        return .members(["replicationConfiguration": json(of: configuration)])
    }

    /// Answers a status for each destination: complete if the destination's repository of the same name has the image,
    /// else in progress.
    ///
    /// The emulator itself replicates nothing.
    func describeImageReplicationStatus() throws -> JSON {
        let (repository, image, id) = try namedImage()
        let destinations = registry(key).replication?.destinations(of: repository.name) ?? []
        let statuses = destinations.map { destination in
            let target = registry(RegistryKey(account: destination.registryId, region: destination.region))
            let hasImage = target.repositories[repository.name]?.images[image.digest] != nil
            return JSON.members([
                "region": .text(destination.region), "registryId": .text(destination.registryId),
                "status": .text(hasImage ? "COMPLETE" : "IN_PROGRESS"),
            ])
        }
        return .members([
            "repositoryName": .text(repository.name), "imageId": id.json, "replicationStatuses": .list(statuses),
        ])
    }

    func putRegistryPolicy() throws -> JSON {
        let text = try input.required("policyText", \.policyText)
        let policy = StoredPolicy(text: text, document: try PolicyDocument(ofRepository: text, kind: "registry"))
        try changeRegistry { $0.policy = policy }
        return self.policy(text)
    }

    func getRegistryPolicy() throws -> JSON { policy(try storedPolicy()) }

    func deleteRegistryPolicy() throws -> JSON {
        let text = try storedPolicy()
        try changeRegistry { $0.policy = nil }
        return policy(text)
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
        try changeRegistry { $0.settings[name] = value }
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
                        "deleteReplication": rule.deleteReplication.map { .members(["enabled": .boolean($0.enabled)]) },
                    ])
                }
            )
        ])
    }
}
