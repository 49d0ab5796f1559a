package import Content
package import ECRAPI
internal import Platform

/// The settings of an ECR repository that a new repository can be given too.
///
/// - Source: docs/facts/ecr-api.md#describerepositories, #repositories
package struct RepositorySettings: Sendable, Hashable {
    /// The registry that has the repository.
    package var origin: ECRHost
    package var tagMutability: ECRRepository.TagMutability?
    /// The filters for tags to which the opposite of ``tagMutability`` applies.
    package var exclusionFilters: [ECRRepository.ExclusionFilter]?
    package var encryption: ECRRepository.Encryption?
    package var scanning: ECRRepository.ScanningConfiguration?
    /// All resource tags, also those that AWS has set, whose keys begin with `aws:`.
    package var tags: [CreateRepository.ResourceTag]
    /// The lifecycle policy's JSON; `nil` for none.
    package var lifecyclePolicy: String?
    /// The repository policy's JSON; `nil` for none.
    package var repositoryPolicy: String?

    package init(
        of repository: ECRRepository,
        in origin: ECRHost,
        tags: [CreateRepository.ResourceTag] = [],
        lifecyclePolicy: String? = nil,
        repositoryPolicy: String? = nil
    ) {
        self.origin = origin
        tagMutability = repository.imageTagMutability
        exclusionFilters = repository.imageTagMutabilityExclusionFilters
        encryption = repository.encryptionConfiguration
        scanning = repository.imageScanningConfiguration
        self.tags = tags
        self.lifecyclePolicy = lifecyclePolicy
        self.repositoryPolicy = repositoryPolicy
    }
}

extension ECRImageRepository {
    /// The repository's settings, which are requested at most once in a run, with four requests at the same time.
    ///
    /// A denied request is an error, because a repository that is created without the setting would stay without it.
    func settings() async throws -> RepositorySettings? {
        try await knownSettings.run(reference.repository) { try await readSettings() }
    }

    private func readSettings() async throws -> RepositorySettings {
        let (account, name) = (host.account, reference.repository)
        async let described = explained("DescribeRepositories") {
            try await api.send(DescribeRepositories(registryId: account, repositoryNames: [name])).repositories
        }
        async let tags = setting(ListTagsForResource(resourceArn: place.arn), absent: nil)
        async let lifecycle = setting(
            GetLifecyclePolicy(registryId: account, repositoryName: name),
            absent: .lifecyclePolicyNotFound
        )
        async let policy = setting(
            GetRepositoryPolicy(registryId: account, repositoryName: name),
            absent: .repositoryPolicyNotFound
        )
        guard let repository = try await described.first else {
            throw CopyError(
                .rejected(code: CopyError.incompleteAnswer, text: "the answer does not mention the repository"),
                side: side,
                image: reference,
                operation: "DescribeRepositories"
            )
        }
        return RepositorySettings(
            of: repository,
            in: host,
            tags: try await tags?.tags ?? [],
            lifecyclePolicy: try await lifecycle?.lifecyclePolicyText,
            repositoryPolicy: try await policy?.policyText
        )
    }

    /// Requests one setting.
    ///
    /// - Returns: `nil` if the repository doesn't have it, or if a local emulator doesn't know the operation.
    private func setting<Operation: ECROperation>(
        _ operation: Operation,
        absent: ECRError.Code?
    ) async throws -> Operation.Response? {
        try await explained(Operation.name) {
            do {
                return try await api.send(operation)
            } catch let error as ECRError where error.code == absent || error.code.isUnknownOperation {
                return nil
            }
        }
    }
}
