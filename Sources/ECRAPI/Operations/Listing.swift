public import Content

/// Lists images, one entry per digest.
///
/// The answer names the subject of every referrer. Its sizes can't be used to plan a copy: the size of an index is that of
/// its largest manifest.
///
/// - Limit: 1 to 1,000 images a page, or 1 to 100 identifiers without paging; a missing image fails the whole call with
///   `ImageNotFoundException`.
/// - IAM: `ecr:DescribeImages` on the repository.
/// - Source: ECR API Reference, version 2015-09-21, `DescribeImages`; docs/facts/ecr-api.md#describeimages
public struct DescribeImages: PagedECROperation {
    public static let name = "DescribeImages"
    public static let longestPage = 1_000

    public var registryId: AccountID
    public var repositoryName: RepositoryName
    public var imageIds: [ImageIdentifier]?
    public var filter: ImageFilter?
    public var maxResults: Int?
    public var nextToken: String?

    /// Requests all images, archived ones too.
    public init(
        registryId: AccountID,
        repositoryName: RepositoryName,
        filter: ImageFilter? = ImageFilter(),
        maxResults: Int? = longestPage
    ) {
        self.registryId = registryId
        self.repositoryName = repositoryName
        self.filter = filter
        self.maxResults = maxResults
    }

    /// Requests certain images.
    public init(
        registryId: AccountID,
        repositoryName: RepositoryName,
        imageIds: [ImageIdentifier],
        filter: ImageFilter? = ImageFilter()
    ) {
        self.registryId = registryId
        self.repositoryName = repositoryName
        self.imageIds = imageIds
        self.filter = filter
    }

    public struct Response: ECRPage {
        public var imageDetails: [Detail]
        public var nextToken: String?

        enum CodingKeys: CodingKey { case imageDetails, nextToken }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            imageDetails = try container.decode([Detail].self, forKey: .imageDetails)
            nextToken = try container.decodeIfPresent(String.self, forKey: .nextToken)
        }
    }

    public struct Detail: Decodable, Hashable, Sendable {
        public var imageDigest: Digest
        public var imageTags: [String]?
        public var imageSizeInBytes: Int64?
        public var imagePushedAt: ECRTimestamp?
        public var imageManifestMediaType: MediaType?
        public var artifactMediaType: String?
        public var lastRecordedPullTime: ECRTimestamp?
        /// The subject of this image, if it is a referrer.
        public var subjectManifestDigest: Digest?
        /// The image's status; absent where the service doesn't know archives, and then the image is active.
        public var imageStatus: ImageStatus?
        public var lastArchivedAt: ECRTimestamp?
        public var lastActivatedAt: ECRTimestamp?
        public var imageScanStatus: ScanStatus?

        enum CodingKeys: CodingKey {
            case imageDigest, imageTags, imageSizeInBytes, imagePushedAt, imageManifestMediaType, artifactMediaType
            case lastRecordedPullTime, subjectManifestDigest, imageStatus, lastArchivedAt, lastActivatedAt
            case imageScanStatus
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            imageDigest = try container.decode(Digest.self, forKey: .imageDigest)
            imageTags = try container.decodeIfPresent([String].self, forKey: .imageTags)
            imageSizeInBytes = try container.decodeIfPresent(Int64.self, forKey: .imageSizeInBytes)
            imagePushedAt = try container.decodeIfPresent(ECRTimestamp.self, forKey: .imagePushedAt)
            imageManifestMediaType = try container.decodeIfPresent(MediaType.self, forKey: .imageManifestMediaType)
            artifactMediaType = try container.decodeIfPresent(String.self, forKey: .artifactMediaType)
            lastRecordedPullTime = try container.decodeIfPresent(ECRTimestamp.self, forKey: .lastRecordedPullTime)
            // The client that pushed the referrer wrote this value; a digest other than SHA-256 must not make a page of a
            // thousand fail.
            subjectManifestDigest = try? container.decodeIfPresent(Digest.self, forKey: .subjectManifestDigest)
            imageStatus = try container.decodeIfPresent(ImageStatus.self, forKey: .imageStatus)
            lastArchivedAt = try container.decodeIfPresent(ECRTimestamp.self, forKey: .lastArchivedAt)
            lastActivatedAt = try container.decodeIfPresent(ECRTimestamp.self, forKey: .lastActivatedAt)
            imageScanStatus = try container.decodeIfPresent(ScanStatus.self, forKey: .imageScanStatus)
        }
    }

    public struct ScanStatus: Decodable, Hashable, Sendable {
        public var status: String?
        public var description: String?
    }
}

/// Lists tags, one entry per digest and tag; an untagged image is one entry without a tag.
///
/// - Limit: 1 to 1,000 entries a page.
/// - IAM: `ecr:ListImages` on the repository.
/// - Source: ECR API Reference, version 2015-09-21, `ListImages`; docs/facts/ecr-api.md#listimages
public struct ListImages: PagedECROperation {
    public static let name = "ListImages"
    public static let longestPage = 1_000

    public var registryId: AccountID
    public var repositoryName: RepositoryName
    public var filter: ImageFilter?
    public var maxResults: Int?
    public var nextToken: String?

    public init(
        registryId: AccountID,
        repositoryName: RepositoryName,
        filter: ImageFilter? = ImageFilter(),
        maxResults: Int? = longestPage
    ) {
        self.registryId = registryId
        self.repositoryName = repositoryName
        self.filter = filter
        self.maxResults = maxResults
    }

    public struct Response: ECRPage {
        public var imageIds: [ImageIdentifier]
        public var nextToken: String?

        enum CodingKeys: CodingKey { case imageIds, nextToken }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            imageIds = try container.decode([ImageIdentifier].self, forKey: .imageIds)
            nextToken = try container.decodeIfPresent(String.self, forKey: .nextToken)
        }
    }
}

/// Deletes tags, or images with all their tags.
///
/// A tag's identifier removes that tag, and the image with its last tag; a digest's identifier removes the image.
///
/// - Limit: 1 to 100 identifiers per call.
/// - IAM: `ecr:BatchDeleteImage` on the repository.
/// - Source: ECR API Reference, version 2015-09-21, `BatchDeleteImage`; docs/facts/ecr-api.md#deleting-images
public struct BatchDeleteImage: ECROperation {
    public static let name = "BatchDeleteImage"
    public static let mostIdentifiers = 100

    public var registryId: AccountID
    public var repositoryName: RepositoryName
    public var imageIds: [ImageIdentifier]

    public init(registryId: AccountID, repositoryName: RepositoryName, imageIds: [ImageIdentifier]) {
        self.registryId = registryId
        self.repositoryName = repositoryName
        self.imageIds = imageIds
    }

    public struct Response: Decodable, Sendable {
        public var imageIds: [ImageIdentifier]
        public var failures: [ImageFailure]

        enum CodingKeys: CodingKey { case imageIds, failures }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            imageIds = try container.list(.imageIds)
            failures = try container.list(.failures)
        }
    }
}
