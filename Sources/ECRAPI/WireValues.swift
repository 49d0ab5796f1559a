public import Content
public import FoundationEssentials

/// An image's digest, its tag, or both, which must then agree.
public struct ImageIdentifier: Codable, Hashable, Sendable {
    /// A text and not a `Digest`, since ECR's failures repeat the request's text.
    public var imageDigest: String?
    public var imageTag: String?

    public init(digest: Digest? = nil, tag: Tag? = nil) {
        imageDigest = digest?.description
        imageTag = tag?.value
    }

    /// The digest; `nil` if there is none, or if it isn't SHA-256.
    public var digest: Digest? { imageDigest.flatMap { try? Digest(parsing: $0) } }
    /// The tag; `nil` if there is none, or if other registries refuse it.
    public var tag: Tag? { imageTag.flatMap { try? Tag(parsing: $0) } }
}

extension ImageIdentifier: CustomStringConvertible {
    public var description: String {
        [imageTag.map { ":\($0)" }, imageDigest.map { "@\($0)" }].compactMap { $0 }.joined()
    }
}

/// The reason why one image of a batch is missing from the answer.
public struct ImageFailure: Decodable, Hashable, Sendable {
    public var imageId: ImageIdentifier?
    public var failureCode: Code?
    public var failureReason: String?

    /// The failure's code; an open set, since AWS has extended it twice since 2015.
    public struct Code: RawRepresentable, Codable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public static let imageNotFound = Self(rawValue: "ImageNotFound")
        public static let invalidImageDigest = Self(rawValue: "InvalidImageDigest")
        public static let invalidImageTag = Self(rawValue: "InvalidImageTag")
        /// Both were given, and the tag now points elsewhere.
        public static let imageTagDoesNotMatchDigest = Self(rawValue: "ImageTagDoesNotMatchDigest")
        public static let missingDigestAndTag = Self(rawValue: "MissingDigestAndTag")
        /// The image belongs to an index and can't be deleted; deletions only.
        public static let imageReferencedByManifestList = Self(rawValue: "ImageReferencedByManifestList")
        public static let kmsError = Self(rawValue: "KmsError")
        public static let upstreamAccessDenied = Self(rawValue: "UpstreamAccessDenied")
        public static let upstreamTooManyRequests = Self(rawValue: "UpstreamTooManyRequests")
        public static let upstreamUnavailable = Self(rawValue: "UpstreamUnavailable")
        /// The image is archived or being restored (docs/facts/ecr-api.md#describeimages).
        public static let imageInaccessible = Self(rawValue: "ImageInaccessible")
    }
}

/// A manifest as ECR stores it.
public struct ECRImage: Decodable, Hashable, Sendable {
    public var registryId: String?
    public var repositoryName: String?
    public var imageId: ImageIdentifier?
    /// The manifest as UTF-8, byte for byte as pushed, to the last newline.
    public var imageManifest: String?
    public var imageManifestMediaType: MediaType?

    /// The manifest's bytes, which its digest hashes.
    public var manifestBytes: [UInt8]? { imageManifest.map { Array($0.utf8) } }
}

/// Whether an image is active and can be pulled, or is archived.
public struct ImageStatus: RawRepresentable, Codable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public static let active = Self(rawValue: "ACTIVE")
    public static let archived = Self(rawValue: "ARCHIVED")
    /// The image is being restored.
    public static let activating = Self(rawValue: "ACTIVATING")
    /// Any status; for filters only.
    public static let any = Self(rawValue: "ANY")
}

/// Selects the images of a listing.
public struct ImageFilter: Encodable, Hashable, Sendable {
    public struct TagStatus: RawRepresentable, Codable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public static let tagged = Self(rawValue: "TAGGED")
        public static let untagged = Self(rawValue: "UNTAGGED")
        public static let any = Self(rawValue: "ANY")
    }

    public var tagStatus: TagStatus?
    /// The status to select; ECR's default leaves out archived images, ours is `ANY`.
    public var imageStatus: ImageStatus?

    public init(tagStatus: TagStatus? = nil, imageStatus: ImageStatus? = .any) {
        self.tagStatus = tagStatus
        self.imageStatus = imageStatus
    }
}

/// A time as ECR writes it: seconds since 1970, as an integer, with a fraction, or with an exponent.
public struct ECRTimestamp: Decodable, Hashable, Sendable, Comparable {
    public let secondsSince1970: Double

    public init(secondsSince1970: Double) { self.secondsSince1970 = secondsSince1970 }

    public var date: Date { Date(timeIntervalSince1970: secondsSince1970) }

    public init(from decoder: any Decoder) throws {
        secondsSince1970 = try decoder.singleValueContainer().decode(Double.self)
    }

    public static func < (left: Self, right: Self) -> Bool { left.secondsSince1970 < right.secondsSince1970 }
}

extension KeyedDecodingContainer {
    /// Decodes a list that the service may omit when it is empty.
    func list<Element: Decodable>(_ key: Key) throws -> [Element] {
        try decodeIfPresent([Element].self, forKey: key) ?? []
    }
}
