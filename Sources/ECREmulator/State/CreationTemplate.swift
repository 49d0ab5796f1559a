internal import Content
internal import FoundationEssentials

/// How ECR makes the repositories that it makes by itself.
///
/// - Source: the service model, `RepositoryCreationTemplate`; docs/facts/ecr-api.md#creation-templates
struct CreationTemplate: Codable, Sendable, Equatable {
    /// When a repository is made by a template.
    enum Occasion: String, Codable, Sendable, CaseIterable {
        case replication = "REPLICATION"
        case pullThrough = "PULL_THROUGH_CACHE"
        case push = "CREATE_ON_PUSH"
    }

    /// As it was given, with or without its last slash.
    let prefix: String
    var description: String?
    var encryption: EmulatedRepository.Encryption?
    var resourceTags: [String: String]?
    var mutability: TagMutability?
    var repositoryPolicy: String?
    var lifecyclePolicy: String?
    var appliedFor: [Occasion]
    var customRole: String?
    let createdAt: Date
    var updatedAt: Date

    var namespace: RepositoryNamespace { RepositoryNamespace(prefix) }

    /// Gives a repository that was just made what the template says.
    func apply(to repository: inout EmulatedRepository) {
        repository.mutability = mutability ?? TagMutability()
        repository.encryption = encryption ?? .init()
        repository.resourceTags = resourceTags ?? [:]
        repository.lifecyclePolicy = lifecyclePolicy
        // It was read when the template was made.
        repository.policy = repositoryPolicy.flatMap { text in
            (try? PolicyDocument(ofRepository: text)).map { KeptPolicy(text: text, document: $0) }
        }
    }
}

extension EmulatedRegistry {
    /// The template by which a repository of that name is made: of those for the occasion the one with the longest prefix.
    func template(for repository: String, on occasion: CreationTemplate.Occasion) -> CreationTemplate? {
        (templates ?? []).filter { $0.appliedFor.contains(occasion) && $0.namespace.covers(repository) }
            .max { $0.namespace.length < $1.namespace.length }
    }
}

extension EmulatedCloud {
    /// Makes the repository that a push names, where it is missing and a template is for that.
    ///
    /// Whether the caller needs `ecr:CreateRepository` too is not known; here it isn't asked for.
    ///
    /// - Returns: Whether it was made.
    /// - Throws: `InvalidParameterException` for a name that no repository can have.
    mutating func createOnPush(_ name: String, in key: RegistryKey, at now: Date) throws(ServiceFault) -> Bool {
        guard registries[key]?.repositories[name] == nil,
            let template = registries[key]?.template(for: name, on: .push)
        else { return false }
        _ = try createRepository(name, in: key, at: now, template.apply)
        return true
    }
}
