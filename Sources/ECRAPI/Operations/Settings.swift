public import Content

/// Fetches the policy by which ECR deletes or archives a repository's images.
///
/// - IAM: `ecr:GetLifecyclePolicy` on the repository.
/// - Source: ECR API Reference, version 2015-09-21, `GetLifecyclePolicy`; `LifecyclePolicyNotFoundException` if there
///   is none
public struct GetLifecyclePolicy: ECROperation {
    public static let name = "GetLifecyclePolicy"

    public var registryId: AccountID
    public var repositoryName: RepositoryName

    public init(registryId: AccountID, repositoryName: RepositoryName) {
        self.registryId = registryId
        self.repositoryName = repositoryName
    }

    public struct Response: Decodable, Sendable {
        /// The policy's JSON: rules by priority.
        public var lifecyclePolicyText: String
    }
}

extension ECRError.Code {
    public static let lifecyclePolicyNotFound = Self(rawValue: "LifecyclePolicyNotFoundException")
}

extension DescribeRegistry.Rule {
    /// Whether AWS replicates a repository of this name to that registry.
    public func covers(_ repository: RepositoryName, to account: AccountID, region: String) -> Bool {
        let isDestination = (destinations ?? []).contains { $0.registryId == account && $0.region == region }
        let filters = repositoryFilters ?? []
        return isDestination && (filters.isEmpty || filters.contains { repository.value.hasPrefix($0.filter) })
    }
}
