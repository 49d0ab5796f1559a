public import Content

/// Lists repositories and their settings.
///
/// - Limit: 1 to 1,000 a page, or 1 to 100 names without paging; a missing repository fails the whole call with
///   `RepositoryNotFoundException`.
/// - IAM: `ecr:DescribeRepositories` on the repositories.
/// - Source: ECR API Reference, version 2015-09-21, `DescribeRepositories`; docs/facts/ecr-api.md#describerepositories
public struct DescribeRepositories: PagedECROperation {
    public static let name = "DescribeRepositories"
    public static let longestPage = 1_000
    public static let mostNames = 100

    public var registryId: AccountID
    public var repositoryNames: [RepositoryName]?
    public var maxResults: Int?
    public var nextToken: String?

    /// Requests all repositories.
    public init(registryId: AccountID, maxResults: Int? = longestPage) {
        self.registryId = registryId
        self.maxResults = maxResults
    }

    /// Requests certain repositories.
    public init(registryId: AccountID, repositoryNames: [RepositoryName]) {
        self.registryId = registryId
        self.repositoryNames = repositoryNames
    }

    public struct Response: ECRPage {
        public var repositories: [ECRRepository]
        public var nextToken: String?

        enum CodingKeys: CodingKey { case repositories, nextToken }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            repositories = try container.decode([ECRRepository].self, forKey: .repositories)
            nextToken = try container.decodeIfPresent(String.self, forKey: .nextToken)
        }
    }
}

/// Creates a repository.
///
/// - Limit: 50 resource tags. The encryption can't be changed later.
/// - IAM: `ecr:CreateRepository`; with tags also `ecr:TagResource`.
/// - Source: ECR API Reference, version 2015-09-21, `CreateRepository`; docs/facts/ecr-api.md#repositories
public struct CreateRepository: ECROperation {
    public static let name = "CreateRepository"

    public struct ResourceTag: Codable, Hashable, Sendable {
        public var key: String
        public var value: String

        enum CodingKeys: String, CodingKey {
            case key = "Key"
            case value = "Value"
        }

        public init(key: String, value: String) {
            self.key = key
            self.value = value
        }
    }

    public var registryId: AccountID
    public var repositoryName: RepositoryName
    public var tags: [ResourceTag]?
    public var imageTagMutability: ECRRepository.TagMutability?
    public var imageTagMutabilityExclusionFilters: [ECRRepository.ExclusionFilter]?
    public var imageScanningConfiguration: ECRRepository.ScanningConfiguration?
    public var encryptionConfiguration: ECRRepository.Encryption?

    public init(
        registryId: AccountID,
        repositoryName: RepositoryName,
        tags: [ResourceTag]? = nil,
        imageTagMutability: ECRRepository.TagMutability? = nil,
        imageTagMutabilityExclusionFilters: [ECRRepository.ExclusionFilter]? = nil,
        imageScanningConfiguration: ECRRepository.ScanningConfiguration? = nil,
        encryptionConfiguration: ECRRepository.Encryption? = nil
    ) {
        self.registryId = registryId
        self.repositoryName = repositoryName
        self.tags = tags
        self.imageTagMutability = imageTagMutability
        self.imageTagMutabilityExclusionFilters = imageTagMutabilityExclusionFilters
        self.imageScanningConfiguration = imageScanningConfiguration
        self.encryptionConfiguration = encryptionConfiguration
    }

    public struct Response: Decodable, Sendable {
        public var repository: ECRRepository
    }
}

/// A repository and its settings.
public struct ECRRepository: Decodable, Hashable, Sendable {
    public var repositoryName: RepositoryName
    public var repositoryArn: String?
    public var registryId: AccountID?
    public var repositoryUri: String?
    public var createdAt: ECRTimestamp?
    /// The setting for tags; absent where every tag may move.
    public var imageTagMutability: TagMutability?
    public var imageTagMutabilityExclusionFilters: [ExclusionFilter]?
    public var imageScanningConfiguration: ScanningConfiguration?
    public var encryptionConfiguration: Encryption?

    /// Whether tags may move, by default.
    public struct TagMutability: RawRepresentable, Codable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public static let mutable = Self(rawValue: "MUTABLE")
        public static let immutable = Self(rawValue: "IMMUTABLE")
        /// Tags can't move, except those that match a filter.
        public static let immutableWithExclusion = Self(rawValue: "IMMUTABLE_WITH_EXCLUSION")
        /// Tags can move, except those that match a filter.
        public static let mutableWithExclusion = Self(rawValue: "MUTABLE_WITH_EXCLUSION")
    }

    /// A filter for tags that are exempt from the repository's setting.
    public struct ExclusionFilter: Codable, Hashable, Sendable {
        /// The filter's type; `WILDCARD` is the only one.
        public var filterType: String
        /// The pattern for the whole tag; `*` stands for any number of characters, including zero.
        public var filter: String

        public init(filter: String, filterType: String = "WILDCARD") {
            self.filter = filter
            self.filterType = filterType
        }

        /// Whether the filter matches `tag`.
        public func matches(_ tag: Tag) -> Bool { matchesWildcard(tag.value, filter) }
    }

    public struct ScanningConfiguration: Codable, Hashable, Sendable {
        public var scanOnPush: Bool?
        public init(scanOnPush: Bool?) { self.scanOnPush = scanOnPush }
    }

    public struct Encryption: Codable, Hashable, Sendable {
        /// The encryption: `AES256`, `KMS` or `KMS_DSSE`.
        public var encryptionType: String
        public var kmsKey: String?

        public init(encryptionType: String, kmsKey: String? = nil) {
            self.encryptionType = encryptionType
            self.kmsKey = kmsKey
        }
    }

    /// Whether an existing tag can't be moved to another image.
    ///
    /// - Source: docs/facts/ecr-api.md#tag-mutability
    public func fixes(_ tag: Tag) -> Bool {
        let isExcluded = (imageTagMutabilityExclusionFilters ?? []).contains { $0.matches(tag) }
        return switch imageTagMutability {
        case .immutable: true
        case .immutableWithExclusion: !isExcluded
        case .mutableWithExclusion: isExcluded
        default: false
        }
    }
}
