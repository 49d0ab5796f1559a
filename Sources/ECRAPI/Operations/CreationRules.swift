public import Content

/// Lists the templates for repositories that ECR creates by itself.
///
/// - Limit: The caller's own account, since the call has no `registryId`; 1 to 1,000 templates a page.
/// - IAM: `ecr:DescribeRepositoryCreationTemplates` on `*`.
/// - Source: ECR API Reference, version 2015-09-21, `DescribeRepositoryCreationTemplates`
public struct DescribeRepositoryCreationTemplates: PagedECROperation {
    public static let name = "DescribeRepositoryCreationTemplates"
    public static let longestPage = 1_000

    public var maxResults: Int?
    public var nextToken: String?

    public init(maxResults: Int? = longestPage) { self.maxResults = maxResults }

    public struct Response: ECRPage {
        /// The account that has the templates.
        public var registryId: AccountID?
        public var repositoryCreationTemplates: [RepositoryCreationTemplate]
        public var nextToken: String?

        enum CodingKeys: CodingKey { case registryId, repositoryCreationTemplates, nextToken }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            registryId = try container.decodeIfPresent(AccountID.self, forKey: .registryId)
            repositoryCreationTemplates = try container.list(.repositoryCreationTemplates)
            nextToken = try container.decodeIfPresent(String.self, forKey: .nextToken)
        }
    }
}

/// The settings for repositories that ECR creates, selected by a prefix of their names.
public struct RepositoryCreationTemplate: Decodable, Hashable, Sendable {
    public var prefix: String
    public var appliedFor: [Occasion]?
    /// The setting for tags; absent where every tag may move.
    public var imageTagMutability: ECRRepository.TagMutability?
    public var imageTagMutabilityExclusionFilters: [ECRRepository.ExclusionFilter]?

    /// The event that makes ECR create a repository.
    public struct Occasion: RawRepresentable, Codable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public static let replication = Self(rawValue: "REPLICATION")
        public static let pullThroughCache = Self(rawValue: "PULL_THROUGH_CACHE")
        /// A push creates the repository; ECR has this since December 2025.
        public static let createOnPush = Self(rawValue: "CREATE_ON_PUSH")
    }

    public init(
        prefix: String,
        appliedFor: [Occasion]?,
        imageTagMutability: ECRRepository.TagMutability? = nil,
        imageTagMutabilityExclusionFilters: [ECRRepository.ExclusionFilter]? = nil
    ) {
        self.prefix = prefix
        self.appliedFor = appliedFor
        self.imageTagMutability = imageTagMutability
        self.imageTagMutabilityExclusionFilters = imageTagMutabilityExclusionFilters
    }
}

extension Collection<RepositoryCreationTemplate> {
    /// Returns the template with which a push creates the repository: the one for pushes with the longest matching
    /// prefix.
    public func creatingOnPush(_ name: RepositoryName) -> RepositoryCreationTemplate? {
        filter { $0.appliedFor?.contains(.createOnPush) ?? false }.covering(name, by: \.prefix)
    }
}

/// Lists the rules with which ECR fetches images from other registries when they are pulled.
///
/// - Limit: 50 rules in a registry, 1 to 1,000 a page.
/// - IAM: `ecr:DescribePullThroughCacheRules` on `*`.
/// - Source: ECR API Reference, version 2015-09-21, `DescribePullThroughCacheRules`;
///   docs/facts/ecr-api.md#pull-through-cache-rules
public struct DescribePullThroughCacheRules: PagedECROperation {
    public static let name = "DescribePullThroughCacheRules"
    public static let longestPage = 1_000

    public var registryId: AccountID
    public var maxResults: Int?
    public var nextToken: String?

    public init(registryId: AccountID, maxResults: Int? = longestPage) {
        (self.registryId, self.maxResults) = (registryId, maxResults)
    }

    public struct Response: ECRPage {
        public var pullThroughCacheRules: [PullThroughCacheRule]
        public var nextToken: String?

        enum CodingKeys: CodingKey { case pullThroughCacheRules, nextToken }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            pullThroughCacheRules = try container.list(.pullThroughCacheRules)
            nextToken = try container.decodeIfPresent(String.self, forKey: .nextToken)
        }
    }
}

/// The upstream registry from which ECR fetches images, selected by a prefix of the repository's name.
public struct PullThroughCacheRule: Decodable, Hashable, Sendable {
    public var ecrRepositoryPrefix: String
    public var upstreamRegistryUrl: String?
    /// The prefix of the upstream's repositories, if their name isn't only the rest of the repository's name.
    public var upstreamRepositoryPrefix: String?
    /// The secret with the upstream's login; its name begins with `ecr-pullthroughcache/`.
    public var credentialArn: String?
    /// The role with which ECR reads from another ECR registry.
    public var customRoleArn: String?

    public init(
        ecrRepositoryPrefix: String,
        upstreamRegistryUrl: String?,
        upstreamRepositoryPrefix: String? = nil,
        credentialArn: String? = nil,
        customRoleArn: String? = nil
    ) {
        self.ecrRepositoryPrefix = ecrRepositoryPrefix
        self.upstreamRegistryUrl = upstreamRegistryUrl
        self.upstreamRepositoryPrefix = upstreamRepositoryPrefix
        self.credentialArn = credentialArn
        self.customRoleArn = customRoleArn
    }
}

extension Collection<PullThroughCacheRule> {
    /// Returns the rule that covers a repository: the one with the longest prefix.
    public func covering(_ name: RepositoryName) -> PullThroughCacheRule? { covering(name, by: \.ecrRepositoryPrefix) }
}

extension Collection {
    /// Returns the element with the longest prefix that covers a repository; `ROOT` covers the repositories that no
    /// other covers.
    ///
    /// A prefix ends at a slash, which may be omitted: `prod` covers `prod/app`, and neither `prod` nor `production`.
    ///
    /// - Source: ECR API Reference, `CreateRepositoryCreationTemplate`, "prefix";
    ///   docs/facts/ecr-api.md#creation-templates
    fileprivate func covering(_ name: RepositoryName, by prefix: (Element) -> String) -> Element? {
        let candidates = filter { element in
            let prefix = prefix(element)
            guard prefix != "ROOT" else { return true }
            return !prefix.isEmpty && name.value.hasPrefix(prefix.hasSuffix("/") ? prefix : "\(prefix)/")
        }
        func rank(_ element: Element) -> Int { prefix(element) == "ROOT" ? 0 : prefix(element).utf8.count }
        return candidates.max { rank($0) < rank($1) }
    }
}
