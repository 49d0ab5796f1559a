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

/// Sets the policy by which ECR deletes or archives a repository's images, in place of any earlier one.
///
/// - Limit: A text of 100 to 30,720 characters.
/// - IAM: `ecr:PutLifecyclePolicy` on the repository.
/// - Source: ECR API Reference, version 2015-09-21, `PutLifecyclePolicy`
public struct PutLifecyclePolicy: ECROperation {
    public static let name = "PutLifecyclePolicy"

    public var registryId: AccountID
    public var repositoryName: RepositoryName
    /// The policy's JSON.
    public var lifecyclePolicyText: String

    public init(registryId: AccountID, repositoryName: RepositoryName, lifecyclePolicyText: String) {
        self.registryId = registryId
        self.repositoryName = repositoryName
        self.lifecyclePolicyText = lifecyclePolicyText
    }

    public struct Response: Decodable, Sendable {}
}

/// Fetches the policy that lets callers, also those of other accounts, use a repository.
///
/// - IAM: `ecr:GetRepositoryPolicy` on the repository.
/// - Source: ECR API Reference, version 2015-09-21, `GetRepositoryPolicy`; `RepositoryPolicyNotFoundException` if there
///   is none
public struct GetRepositoryPolicy: ECROperation {
    public static let name = "GetRepositoryPolicy"

    public var registryId: AccountID
    public var repositoryName: RepositoryName

    public init(registryId: AccountID, repositoryName: RepositoryName) {
        self.registryId = registryId
        self.repositoryName = repositoryName
    }

    public struct Response: Decodable, Sendable {
        /// The policy's JSON.
        public var policyText: String
    }
}

/// Sets the policy of a repository, in place of any earlier one.
///
/// `force` is never sent, so ECR refuses a policy that would keep its caller from setting another one.
///
/// - Limit: A text of at most 10,240 characters.
/// - IAM: `ecr:SetRepositoryPolicy` on the repository.
/// - Source: ECR API Reference, version 2015-09-21, `SetRepositoryPolicy`; docs/facts/ecr-api.md#repositories
public struct SetRepositoryPolicy: ECROperation {
    public static let name = "SetRepositoryPolicy"

    public var registryId: AccountID
    public var repositoryName: RepositoryName
    /// The policy's JSON.
    public var policyText: String

    public init(registryId: AccountID, repositoryName: RepositoryName, policyText: String) {
        self.registryId = registryId
        self.repositoryName = repositoryName
        self.policyText = policyText
    }

    public struct Response: Decodable, Sendable {}
}

/// Adds resource tags to a repository, or changes their values.
///
/// - Limit: 50 resource tags in a repository; a key has at most 128 characters and doesn't begin with `aws:`, and a
///   value has at most 256. The call has no `registryId`: the ARN names the registry.
/// - IAM: `ecr:TagResource` on the repository.
/// - Source: ECR API Reference, version 2015-09-21, `TagResource`
public struct TagResource: ECROperation {
    public static let name = "TagResource"

    /// The repository's ARN.
    public var resourceArn: String
    public var tags: [CreateRepository.ResourceTag]

    public init(resourceArn: String, tags: [CreateRepository.ResourceTag]) {
        self.resourceArn = resourceArn
        self.tags = tags
    }

    public struct Response: Decodable, Sendable {}
}

/// Lists the resource tags of a repository, including those that begin with `aws:`.
///
/// - Limit: The call has no `registryId`: the ARN names the registry.
/// - IAM: `ecr:ListTagsForResource` on the repository.
/// - Source: ECR API Reference, version 2015-09-21, `ListTagsForResource`
public struct ListTagsForResource: ECROperation {
    public static let name = "ListTagsForResource"

    /// The repository's ARN.
    public var resourceArn: String

    public init(resourceArn: String) { self.resourceArn = resourceArn }

    public struct Response: Decodable, Sendable {
        public var tags: [CreateRepository.ResourceTag]

        enum CodingKeys: CodingKey { case tags }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            tags = try container.list(.tags)
        }
    }
}

extension ECRError.Code {
    public static let lifecyclePolicyNotFound = Self(rawValue: "LifecyclePolicyNotFoundException")
    public static let repositoryPolicyNotFound = Self(rawValue: "RepositoryPolicyNotFoundException")
    public static let invalidTagParameter = Self(rawValue: "InvalidTagParameterException")
}

extension DescribeRegistry.Rule {
    /// Whether AWS replicates a repository of this name to that registry.
    public func covers(_ repository: RepositoryName, to account: AccountID, region: String) -> Bool {
        let isDestination = (destinations ?? []).contains { $0.registryId == account && $0.region == region }
        let filters = repositoryFilters ?? []
        return isDestination && (filters.isEmpty || filters.contains { repository.value.hasPrefix($0.filter) })
    }
}
