internal import Content
internal import FoundationEssentials

/// The settings for repositories that ECR creates by itself.
///
/// - Source: the service model, `RepositoryCreationTemplate`; docs/facts/ecr-api.md#creation-templates
struct CreationTemplate: PrefixedSetting, Codable, Equatable {
    /// The event on which a repository is created from a template.
    enum Event: String, Codable, Sendable, CaseIterable {
        case replication = "REPLICATION"
        case pullThrough = "PULL_THROUGH_CACHE"
        case push = "CREATE_ON_PUSH"
    }

    /// The prefix as given, with or without its final slash.
    let prefix: String
    var description: String?
    var encryption: EmulatedRepository.Encryption?
    var resourceTags: [String: String]?
    var mutability: TagMutability?
    var repositoryPolicy: String?
    var lifecyclePolicy: String?
    var appliedFor: [Event]
    var customRole: String?
    let createdAt: Date
    var updatedAt: Date

    static func missing(_ prefix: String, _ account: String) -> ServiceFault {
        ServiceFault(
            "TemplateNotFoundException",
            "The repository creation template with prefix '\(prefix)' does not exist in the registry with id '\(account)'"
        )
    }

    static func duplicate(_ prefix: String, _ account: String) -> ServiceFault {
        ServiceFault(
            "TemplateAlreadyExistsException",
            "The repository creation template with prefix '\(prefix)' already exists in the registry with id '\(account)'"
        )
    }

    /// Applies the template's settings to a new repository.
    func apply(to repository: inout EmulatedRepository) {
        repository.mutability = mutability ?? TagMutability()
        repository.encryption = encryption ?? .init()
        repository.resourceTags = resourceTags ?? [:]
        repository.lifecyclePolicy = lifecyclePolicy
        // The policy was checked when the template was created.
        repository.policy = repositoryPolicy.flatMap { text in
            (try? PolicyDocument(ofRepository: text)).map { StoredPolicy(text: text, document: $0) }
        }
    }
}

extension EmulatedRegistry {
    /// Returns the template with which a repository is created: the one for the event with the longest matching prefix.
    func template(for repository: String, on event: CreationTemplate.Event) -> CreationTemplate? {
        templates?.filter { $0.appliedFor.contains(event) }.covering(repository)
    }
}

extension EmulatedCloud {
    /// Creates the missing repository that a push names, if a template applies to it.
    ///
    /// Whether the caller also needs `ecr:CreateRepository` is unknown; the emulator doesn't require it.
    ///
    /// - Returns: Whether the repository was created.
    /// - Throws: `InvalidParameterException` for an invalid name.
    mutating func createOnPush(_ name: String, in key: RegistryKey, at now: Date) throws(ServiceFault) -> Bool {
        guard registries[key]?.repositories[name] == nil,
            let template = registries[key]?.template(for: name, on: .push)
        else { return false }
        _ = try createRepository(name, in: key, at: now, template.apply)
        return true
    }
}
