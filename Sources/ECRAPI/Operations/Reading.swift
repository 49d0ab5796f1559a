public import Content
internal import Wire

/// Fetches manifests by tag or digest.
///
/// The answer is 200 even when nothing was found: check ``Response/failures``. Images come in any order. The request
/// accepts every type of manifest, so that ECR converts none.
///
/// - Limit: 1 to 100 identifiers per call.
/// - IAM: `ecr:BatchGetImage` on the repository.
/// - Source: ECR API Reference, version 2015-09-21, `BatchGetImage`; docs/facts/ecr-api.md#batchgetimage
public struct BatchGetImage: ECROperation {
    public static let name = "BatchGetImage"
    public static let mostIdentifiers = 100

    public var registryId: AccountID
    public var repositoryName: RepositoryName
    public var imageIds: [ImageIdentifier]
    public var acceptedMediaTypes: [MediaType]

    /// The longest answer, in bytes: room for one manifest of the maximum size, escaped as JSON, or for many of the
    /// usual size.
    ///
    /// If many manifests don't fit, the caller can request them in smaller groups.
    public var largestAnswer: Int {
        imageIds.count == 1 ? Self.largestOfOne : Self.largestOfMany
    }

    /// The longest answer with one manifest; in JSON each quote and line break of a manifest takes two bytes.
    static let largestOfOne = 2 * Manifest.largestByteCount + WireRequest.largestSmallAnswer
    /// The longest answer with many manifests: 40 KiB for each of a hundred; manifests have one to ten.
    static let largestOfMany = 4 << 20

    public init(
        registryId: AccountID,
        repositoryName: RepositoryName,
        imageIds: [ImageIdentifier],
        acceptedMediaTypes: [MediaType] = MediaType.everyManifest
    ) {
        self.registryId = registryId
        self.repositoryName = repositoryName
        self.imageIds = imageIds
        self.acceptedMediaTypes = acceptedMediaTypes
    }

    public struct Response: Decodable, Sendable {
        public var images: [ECRImage]
        public var failures: [ImageFailure]

        enum CodingKeys: CodingKey { case images, failures }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            images = try container.decode([ECRImage].self, forKey: .images)
            failures = try container.list(.failures)
        }
    }
}

/// Checks which layers and configurations a repository has.
///
/// - Limit: 1 to 100 digests per call.
/// - IAM: `ecr:BatchCheckLayerAvailability` on the repository.
/// - Source: ECR API Reference, version 2015-09-21, `BatchCheckLayerAvailability`;
///   docs/facts/ecr-api.md#batchchecklayeravailability
public struct BatchCheckLayerAvailability: ECROperation {
    public static let name = "BatchCheckLayerAvailability"
    public static let mostDigests = 100

    public var registryId: AccountID
    public var repositoryName: RepositoryName
    public var layerDigests: [Digest]

    public init(registryId: AccountID, repositoryName: RepositoryName, layerDigests: [Digest]) {
        self.registryId = registryId
        self.repositoryName = repositoryName
        self.layerDigests = layerDigests
    }

    public struct Response: Decodable, Sendable {
        public var layers: [Layer]
        public var failures: [Failure]

        enum CodingKeys: CodingKey { case layers, failures }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            layers = try container.list(.layers)
            failures = try container.list(.failures)
        }
    }

    public struct Layer: Decodable, Hashable, Sendable {
        public var layerDigest: Digest
        public var layerAvailability: Availability?
        /// The layer's compressed size, in bytes; absent when the layer is unavailable.
        public var layerSize: Int64?
        public var mediaType: MediaType?
    }

    /// The state of a layer; an open set, since ECR added `ARCHIVED` after the first clients were written.
    public struct Availability: RawRepresentable, Codable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public static let available = Self(rawValue: "AVAILABLE")
        public static let unavailable = Self(rawValue: "UNAVAILABLE")
        public static let archived = Self(rawValue: "ARCHIVED")
    }

    public struct Failure: Decodable, Hashable, Sendable {
        public struct Code: RawRepresentable, Codable, Hashable, Sendable {
            public let rawValue: String
            public init(rawValue: String) { self.rawValue = rawValue }
            public static let invalidLayerDigest = Self(rawValue: "InvalidLayerDigest")
            /// The value that some local clouds send where ECR sends `UNAVAILABLE`.
            public static let missingLayerDigest = Self(rawValue: "MissingLayerDigest")
        }

        public var layerDigest: String?
        public var failureCode: Code?
        public var failureReason: String?
    }
}

/// Fetches a URL from which one blob can be downloaded.
///
/// The URL gives access for about an hour, so its query must never be printed.
///
/// - Limit: Blobs that an image refers to; others answer `LayerInaccessibleException`.
/// - IAM: `ecr:GetDownloadUrlForLayer` on the repository.
/// - Source: ECR API Reference, version 2015-09-21, `GetDownloadUrlForLayer`;
///   docs/facts/ecr-api.md#getdownloadurlforlayer
public struct GetDownloadUrlForLayer: ECROperation {
    public static let name = "GetDownloadUrlForLayer"

    public var registryId: AccountID
    public var repositoryName: RepositoryName
    public var layerDigest: Digest

    public init(registryId: AccountID, repositoryName: RepositoryName, layerDigest: Digest) {
        self.registryId = registryId
        self.repositoryName = repositoryName
        self.layerDigest = layerDigest
    }

    public struct Response: Decodable, Sendable, CustomStringConvertible, CustomReflectable {
        public var downloadUrl: String
        public var layerDigest: Digest?

        public var description: String { "a download address" }
        public var customMirror: Mirror { Mirror(self, children: ["download": description]) }
    }
}

/// Lists the referrers of an image: signatures, SBOMs, attestations.
///
/// - Limit: 1 to 50 referrers a page; ECR's default is 20.
/// - IAM: `ecr:BatchGetImage` on the repository.
/// - Source: ECR API Reference, version 2015-09-21, `ListImageReferrers`; docs/facts/ecr-api.md#listimagereferrers
public struct ListImageReferrers: PagedECROperation {
    public static let name = "ListImageReferrers"
    public static let longestPage = 50

    public struct Subject: Encodable, Hashable, Sendable {
        public var imageDigest: Digest
    }

    public struct Filter: Encodable, Hashable, Sendable {
        /// - Limit: 5 types.
        public var artifactTypes: [String]?
        /// The status to select; ECR's default leaves out archived referrers.
        public var artifactStatus: ImageStatus?

        public init(artifactTypes: [String]? = nil, artifactStatus: ImageStatus? = .any) {
            self.artifactTypes = artifactTypes
            self.artifactStatus = artifactStatus
        }
    }

    public var registryId: AccountID
    public var repositoryName: RepositoryName
    public var subjectId: Subject
    public var filter: Filter?
    public var maxResults: Int?
    public var nextToken: String?

    public init(
        registryId: AccountID,
        repositoryName: RepositoryName,
        subject: Digest,
        filter: Filter? = Filter(),
        maxResults: Int? = longestPage
    ) {
        self.registryId = registryId
        self.repositoryName = repositoryName
        subjectId = Subject(imageDigest: subject)
        self.filter = filter
        self.maxResults = maxResults
    }

    public struct Response: ECRPage {
        public var referrers: [Referrer]
        public var nextToken: String?

        enum CodingKeys: CodingKey { case referrers, nextToken }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            referrers = try container.decode([Referrer].self, forKey: .referrers)
            nextToken = try container.decodeIfPresent(String.self, forKey: .nextToken)
        }
    }

    public struct Referrer: Decodable, Hashable, Sendable {
        public var digest: Digest
        public var mediaType: MediaType
        public var artifactType: String?
        /// The size of the referrer's manifest, in bytes.
        public var size: Int64
        public var annotations: [String: String]?
        public var artifactStatus: ImageStatus?
    }
}
