internal import Platform

/// The settings of an emulated repository, for tests to make and to compare.
public struct EmulatedSettings: Sendable, Equatable {
    /// A mode as in CreateRepository, for example `IMMUTABLE_WITH_EXCLUSION`.
    public var mutability = "MUTABLE"
    /// The wildcards of the two modes with exclusions.
    public var exclusions: [String] = []
    /// A type as in CreateRepository, for example `KMS`.
    public var encryption = "AES256"
    /// The KMS key as the request named it; `nil` for AWS's own key, or for none.
    public var kmsKey: String?
    public var scansOnPush = false
    public var tags: [String: String] = [:]
    public var lifecyclePolicy: String?
    public var repositoryPolicy: String?

    public init() {}
}

extension Emulator {
    /// Returns the settings of a repository; `nil` if it doesn't exist.
    public func settings(account: String, region: String, repository: String) -> EmulatedSettings? {
        let key = RegistryKey(account: account, region: region)
        guard let found = aws.state.withLock({ try? $0.cloud.repository(repository, in: key) }) else { return nil }
        var settings = EmulatedSettings()
        (settings.mutability, settings.exclusions) = (found.mutability.mode.rawValue, found.mutability.exclusions)
        (settings.encryption, settings.kmsKey) = (found.encryption.type, found.encryption.key)
        (settings.scansOnPush, settings.tags) = (found.scansOnPush, found.resourceTags)
        (settings.lifecyclePolicy, settings.repositoryPolicy) = (found.lifecyclePolicy, found.policy?.text)
        return settings
    }

    /// Sets all settings of a repository, also those that can't be changed in ECR, and tags that only AWS may set.
    ///
    /// - Throws: An error when the repository doesn't exist, or a setting is not valid.
    public func setSettings(
        _ settings: EmulatedSettings,
        account: String,
        region: String,
        repository: String
    ) throws {
        let mutability = try TagMutability(
            mode: settings.mutability,
            filters: settings.exclusions.map { Parameters.ExclusionFilter(filterType: "WILDCARD", filter: $0) }
        )
        if let text = settings.lifecyclePolicy { _ = try LifecyclePolicy(putting: text) }
        let policy = try settings.repositoryPolicy.map {
            StoredPolicy(text: $0, document: try PolicyDocument(ofRepository: $0))
        }
        try change(account, region, repository) { repository in
            repository.mutability = mutability
            repository.encryption = .init(type: settings.encryption, key: settings.kmsKey)
            repository.scansOnPush = settings.scansOnPush
            repository.resourceTags = settings.tags
            repository.lifecyclePolicy = settings.lifecyclePolicy
            repository.policy = policy
        }
    }
}
