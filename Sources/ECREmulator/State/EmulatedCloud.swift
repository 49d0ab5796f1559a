internal import Content
internal import FoundationEssentials

/// The registry of one account in one region.
struct RegistryKey: Hashable, Codable, Sendable {
    var account: String
    var region: String
}

/// The contents and settings of one registry.
struct EmulatedRegistry: Codable, Sendable {
    let key: RegistryKey
    var repositories: [String: EmulatedRepository] = [:]
    var settings = [
        "BASIC_SCAN_TYPE_VERSION": "AWS_NATIVE", "REGISTRY_POLICY_SCOPE": "V2", "BLOB_MOUNTING": "DISABLED",
    ]

    /// The registry's policy; `nil` for none, also in state saved by earlier emulators.
    var policy: StoredPolicy?
    var replication: ReplicationConfiguration?
    var pullThroughRules: [PullThroughRule]?
    var templates: [CreationTemplate]?
    var scanning: ScanningConfiguration?
    var signing: SigningConfiguration?
    /// Users and roles whose pulls aren't recorded.
    var pullExclusions: [String]?

    var mountsBlobs: Bool { settings["BLOB_MOUNTING"] == "ENABLED" }
}

/// The rules by which ECR itself replicates images; the emulator stores and returns them, but replicates nothing.
struct ReplicationConfiguration: Codable, Sendable, Equatable {
    struct Rule: Codable, Sendable, Equatable {
        var destinations: [Destination]
        var repositoryFilters: [Filter]?
        var deleteReplication: Deletion?
    }

    struct Destination: Codable, Sendable, Equatable {
        var region: String
        var registryId: String
    }

    struct Filter: Codable, Sendable, Equatable {
        var filter: String
        var filterType: String
    }

    /// Whether images that are deleted here are deleted at the destination too.
    struct Deletion: Codable, Sendable, Equatable { var enabled: Bool }

    var rules: [Rule]

    /// - Throws: `InvalidParameterException`
    /// - Source: the service model, `PutReplicationConfiguration`; quotas by docs/facts/ecr-api.md#native-replication
    func check() throws(ServiceFault) {
        let member = "replicationConfiguration.rules"
        try Constraint.count(rules.count, 0...10, member)
        for rule in rules {
            try Constraint.count(rule.destinations.count, 0...100, "\(member).destinations")
            for destination in rule.destinations {
                try Constraint.pattern(destination.region, .region, "\(member).destinations.region")
                try Constraint.pattern(destination.registryId, .account, "\(member).destinations.registryId")
            }
            guard let filters = rule.repositoryFilters else { continue }
            try Constraint.count(filters.count, 1...100, "\(member).repositoryFilters")
            for filter in filters {
                try Constraint.choice(filter.filterType, ["PREFIX_MATCH"], "\(member).repositoryFilters.filterType")
                try Constraint.length(filter.filter, 2...256, "\(member).repositoryFilters.filter")
                try Constraint.pattern(filter.filter, .replicationFilter, "\(member).repositoryFilters.filter")
            }
        }
    }

    /// Returns the destinations of a repository's images, each once.
    func destinations(of repository: String) -> [Destination] {
        var found: [Destination] = []
        for rule in rules where rule.repositoryFilters?.contains(where: { repository.hasPrefix($0.filter) }) ?? true {
            for destination in rule.destinations where !found.contains(destination) { found.append(destination) }
        }
        return found
    }
}

/// The contents of all emulated accounts, as a value: tests call ECR's rules as methods, without a socket.
struct EmulatedCloud: Codable, Sendable {
    var registries: [RegistryKey: EmulatedRegistry] = [:]

    func registry(_ key: RegistryKey) -> EmulatedRegistry { registries[key] ?? EmulatedRegistry(key: key) }

    /// - Throws: `RepositoryNotFoundException`
    func repository(_ name: String, in key: RegistryKey) throws(ServiceFault) -> EmulatedRepository {
        guard let repository = registries[key]?.repositories[name] else { throw .repositoryNotFound(name, key.account) }
        return repository
    }

    /// Changes a repository in place, without copying it.
    ///
    /// - Throws: `RepositoryNotFoundException`, or the error of `body`; changes that `body` made before it stay.
    mutating func change<Result>(
        _ name: String,
        in key: RegistryKey,
        _ body: (inout EmulatedRepository) throws -> Result
    ) throws -> Result {
        guard registries[key]?.repositories[name] != nil else {
            throw ServiceFault.repositoryNotFound(name, key.account)
        }
        // The fallback is never used; it allows the change in place.
        let unused = EmulatedRepository(account: key.account, region: key.region, name: name, createdAt: Date())
        return try body(
            &registries[key, default: EmulatedRegistry(key: key)].repositories[name, default: unused]
        )
    }

    /// - Throws: `RepositoryAlreadyExistsException`, `InvalidParameterException`
    mutating func createRepository(
        _ name: String,
        in key: RegistryKey,
        at now: Date,
        _ configure: (inout EmulatedRepository) -> Void = { _ in }
    ) throws(ServiceFault) -> EmulatedRepository {
        guard (try? RepositoryName(parsing: name)) != nil else {
            throw .invalidParameter(
                "repositoryName",
                "must satisfy regular expression "
                    + "'(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*'"
            )
        }
        var registry = registry(key)
        guard registry.repositories[name] == nil else {
            throw ServiceFault(
                "RepositoryAlreadyExistsException",
                "The repository with name '\(name)' already exists in the registry with id '\(key.account)'"
            )
        }
        var repository = EmulatedRepository(account: key.account, region: key.region, name: name, createdAt: now)
        configure(&repository)
        registry.repositories[name] = repository
        registries[key] = registry
        return repository
    }

    mutating func deleteRepository(
        _ name: String,
        in key: RegistryKey,
        force: Bool
    ) throws(ServiceFault) -> EmulatedRepository {
        let repository = try repository(name, in: key)
        guard force || repository.images.isEmpty else {
            throw ServiceFault(
                "RepositoryNotEmptyException",
                "The repository with name '\(name)' in registry with id '\(key.account)' cannot be deleted because it "
                    + "still contains images"
            )
        }
        registries[key]?.repositories[name] = nil
        return repository
    }

    /// Shares a blob between two repositories of one registry.
    ///
    /// - Returns: Whether the blob was mounted: the setting is on, the blob exists, and both repositories have the same
    ///   encryption.
    /// - Source: docs/facts/ecr-registry.md#mounting
    mutating func mount(_ digest: Digest, from source: String, to target: String, in key: RegistryKey) -> Bool {
        guard let registry = registries[key], registry.mountsBlobs,
            let holder = registry.repositories[source], let receiver = registry.repositories[target],
            let blob = holder.blobs[digest], holder.encryption == receiver.encryption
        else { return false }
        registries[key]?.repositories[target]?.blobs[digest] = blob
        return true
    }
}
