public import Content
public import Wire

/// Stores a manifest, and points a tag at it if one is given.
///
/// The request always has the media type and the digest. Without the media type, ECR refuses a manifest that names none
/// itself, as "invalid JSON"; with the digest, ECR checks that it received the right bytes. To a repeat ECR answers
/// `ImageAlreadyExistsException`; in immutable repositories `ImageTagAlreadyExistsException` may also mean a repeat. Read
/// the tag before reporting either as a failure.
///
/// - Limit: 4,194,304 characters; 1,000 tags per image; 10 calls a second unless AWS raised that.
/// - IAM: `ecr:PutImage` on the repository.
/// - Source: ECR API Reference, version 2015-09-21, `PutImage`; docs/facts/ecr-api.md#putimage
public struct PutImage: ECROperation {
    public static let name = "PutImage"

    /// The longest answer, which repeats the manifest.
    public var largestAnswer: Int { BatchGetImage.largestOfOne }

    public var registryId: AccountID
    public var repositoryName: RepositoryName
    /// The manifest's bytes, which are UTF-8.
    public var imageManifest: String
    public var imageManifestMediaType: MediaType
    public var imageDigest: Digest
    /// The tag; `nil` stores the image untagged, like the children of an index.
    public var imageTag: Tag?

    public init(registryId: AccountID, repositoryName: RepositoryName, manifest: Manifest, tag: Tag?) {
        self.registryId = registryId
        self.repositoryName = repositoryName
        imageManifest = String(decoding: manifest.bytes, as: UTF8.self)
        imageManifestMediaType = manifest.mediaType
        imageDigest = manifest.digest
        imageTag = tag
    }

    public init(
        registryId: AccountID,
        repositoryName: RepositoryName,
        imageManifest: String,
        imageManifestMediaType: MediaType,
        imageDigest: Digest,
        imageTag: Tag?
    ) {
        self.registryId = registryId
        self.repositoryName = repositoryName
        self.imageManifest = imageManifest
        self.imageManifestMediaType = imageManifestMediaType
        self.imageDigest = imageDigest
        self.imageTag = imageTag
    }

    public struct Response: Decodable, Sendable {
        public var image: ECRImage
    }
}

/// Starts the upload of one blob in parts.
///
/// - Limit: ECR may abandon an upload at any time; the next call then answers `UploadNotFoundException`.
/// - IAM: `ecr:InitiateLayerUpload` on the repository.
/// - Source: ECR API Reference, version 2015-09-21, `InitiateLayerUpload`; docs/facts/ecr-api.md#layer-uploads
public struct InitiateLayerUpload: ECROperation {
    public static let name = "InitiateLayerUpload"

    public var registryId: AccountID
    public var repositoryName: RepositoryName

    public init(registryId: AccountID, repositoryName: RepositoryName) {
        self.registryId = registryId
        self.repositoryName = repositoryName
    }

    public struct Response: Decodable, Sendable {
        public var uploadId: String
        /// The size of every part but the last, in bytes.
        public var partSize: Int64
    }
}

/// Sends the next part of a blob.
///
/// The parts of an upload are sent one after the other. To a part that doesn't follow its predecessor ECR answers
/// `InvalidLayerPartException` with ``ECRError/lastValidByteReceived``.
///
/// - Limit: 5 MiB (except the last part) to 20,971,520 bytes; use the returned `partSize`. 4,200 parts.
/// - IAM: `ecr:UploadLayerPart` on the repository.
/// - Source: ECR API Reference, version 2015-09-21, `UploadLayerPart`; docs/facts/ecr-api.md#layer-uploads
public struct UploadLayerPart: ECROperation {
    public static let name = "UploadLayerPart"
    public static let longestPart = 20_971_520
    public static let shortestPart = 5 << 20
    public static let mostParts = 4_200

    public var registryId: AccountID
    public var repositoryName: RepositoryName
    public var uploadId: String
    /// The offset of the part's first byte in the blob, from zero.
    public var partFirstByte: Int64
    /// The part's bytes, which must not change during the call.
    public var layerPartBlob: PartBuffer

    public init(
        registryId: AccountID,
        repositoryName: RepositoryName,
        uploadId: String,
        partFirstByte: Int64,
        layerPartBlob: PartBuffer
    ) {
        precondition((1...Self.longestPart).contains(layerPartBlob.count))
        self.registryId = registryId
        self.repositoryName = repositoryName
        self.uploadId = uploadId
        self.partFirstByte = partFirstByte
        self.layerPartBlob = layerPartBlob
    }

    /// The offset of the part's last byte in the blob.
    public var partLastByte: Int64 { partFirstByte + Int64(layerPartBlob.count) - 1 }

    public struct Response: Decodable, Sendable {
        public var uploadId: String?
        public var lastByteReceived: Int64?
    }

    enum CodingKeys: CodingKey { case registryId, repositoryName, uploadId, partFirstByte, partLastByte }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(registryId, forKey: .registryId)
        try container.encode(repositoryName, forKey: .repositoryName)
        try container.encode(uploadId, forKey: .uploadId)
        try container.encode(partFirstByte, forKey: .partFirstByte)
        try container.encode(partLastByte, forKey: .partLastByte)
    }
}

/// Completes an upload: ECR hashes the bytes that it has and compares the digest.
///
/// - Limit: One digest; parts must have been sent. `LayerAlreadyExistsException` counts as success.
/// - IAM: `ecr:CompleteLayerUpload` on the repository.
/// - Source: ECR API Reference, version 2015-09-21, `CompleteLayerUpload`; docs/facts/ecr-api.md#layer-uploads
public struct CompleteLayerUpload: ECROperation {
    public static let name = "CompleteLayerUpload"
    /// ECR answers after it has hashed the whole layer.
    public static let deadline = TransportConfiguration.usualCommitLimit

    public var registryId: AccountID
    public var repositoryName: RepositoryName
    public var uploadId: String
    public var layerDigests: [Digest]

    public init(registryId: AccountID, repositoryName: RepositoryName, uploadId: String, layerDigest: Digest) {
        self.registryId = registryId
        self.repositoryName = repositoryName
        self.uploadId = uploadId
        layerDigests = [layerDigest]
    }

    public struct Response: Decodable, Sendable {
        /// The digest that ECR computed; compare it with the digest that was sent.
        public var layerDigest: Digest?
    }
}
