public import Content
public import Wire

/// The id by which a manifest is requested.
public enum ManifestID: Hashable, Sendable, CustomStringConvertible {
    case tag(Tag)
    case digest(Digest)
    /// A tag and a digest, `TAG@DIGEST`, which must agree.
    case both(Tag, Digest)

    public init?(_ reference: ImageReference) {
        switch (reference.tag, reference.digest) {
        case (let tag?, let digest?): self = .both(tag, digest)
        case (let tag?, nil): self = .tag(tag)
        case (nil, let digest?): self = .digest(digest)
        case (nil, nil): return nil
        }
    }

    public var tag: Tag? {
        switch self {
        case .tag(let tag), .both(let tag, _): tag
        case .digest: nil
        }
    }

    public var digest: Digest? {
        switch self {
        case .digest(let digest), .both(_, let digest): digest
        case .tag: nil
        }
    }

    public var description: String {
        switch self {
        case .tag(let tag): ":\(tag)"
        case .digest(let digest): "@\(digest)"
        case .both(let tag, let digest): ":\(tag)@\(digest)"
        }
    }
}

/// A repository's answer to one bulk question.
///
/// An id in neither dictionary doesn't exist; one that exists but can't be read is in ``failures``.
public struct Reading: Sendable {
    public var manifests: [ManifestID: Manifest] = [:]
    /// The digests of what ``ImageRepository/read(manifests:digests:)`` was asked for in `digests`.
    public var digests: [ManifestID: Digest] = [:]
    public var failures: [ManifestID: CopyError.Reason] = [:]
    /// Manifests to request again, because those that were read are large.
    public var postponed: Set<ManifestID> = []
    /// Those of ``digests`` that a tag points at although the manifest doesn't exist (any more).
    public var lost: Set<Digest> = []

    public init() {}

    /// Adds the answer to another part of the question.
    mutating func merge(_ part: Reading) {
        manifests.merge(part.manifests) { _, new in new }
        digests.merge(part.digests) { _, new in new }
        failures.merge(part.failures) { _, new in new }
        postponed.formUnion(part.postponed)
    }

    /// Whether the reading is so large that no more large manifests should be added.
    var isFull: Bool { manifests.values.reduce(0) { $0 + $1.byteCount } >= Self.enough }

    /// The bytes of manifests that are enough: two of the largest size, or a thousand or more of the usual size.
    static let enough = 2 * Manifest.largestByteCount
}

/// An open upload that waits for its bytes.
public enum OpenUpload: Sendable {
    /// An upload at a registry, with the URL that the registry gave.
    case at(HTTPURL)
    /// A file on this machine, which needs no opening.
    case file(String)
}

/// A registry's response to the start of an upload.
public enum UploadStart: Sendable {
    /// The blob exists now, because it was mounted from a sibling repository.
    case mounted
    case open(OpenUpload)
}

/// Which tags of a repository are immutable.
public struct TagImmutability: Sendable, Hashable {
    /// Whether a tag that matches no exclusion is immutable.
    public var byDefault: Bool
    /// Wildcard patterns; the opposite of ``byDefault`` holds for a tag that matches one.
    public var exclusions: [String]

    public init(byDefault: Bool, exclusions: [String] = []) {
        self.byDefault = byDefault
        self.exclusions = exclusions
    }

    /// Whether a tag is immutable.
    ///
    /// - Source: docs/facts/ecr-api.md#tag-mutability: `*` is any run of characters, the whole tag must match
    public func fixes(_ tag: Tag) -> Bool {
        exclusions.contains { matchesWildcard(tag.value, $0) } ? !byDefault : byDefault
    }
}

/// An image of a listing, with every tag that points at it.
public struct ListedImage: Sendable, Hashable {
    public var digest: Digest
    public var tags: [Tag]
    /// The time of the push in seconds since 1970; `nil` if the registry doesn't say.
    public var pushedAt: Double?
    /// The size in bytes as the registry computes it (for an index, that of its largest image).
    public var size: Int64?
    public var mediaType: MediaType?
    public var isArchived: Bool
    /// Further names in a layout: whole references, and names that can't be tags.
    public var names: [String] = []
    /// Tags that another image of the same layout has too, so that they identify neither.
    public var sharedTags: [Tag] = []
    /// The subject, if a layout lists the image without a name.
    public var subject: Digest?

    public init(
        digest: Digest,
        tags: [Tag],
        pushedAt: Double? = nil,
        size: Int64? = nil,
        mediaType: MediaType? = nil,
        isArchived: Bool = false
    ) {
        self.digest = digest
        self.tags = tags
        self.pushedAt = pushedAt
        self.size = size
        self.mediaType = mediaType
        self.isArchived = isArchived
    }
}

/// The digest that every tag of a repository points at.
public struct HeldTags: Sendable, Equatable {
    public var digests: [Tag: Digest]
    /// The tags of images that are archived, and so can't be pulled.
    public var archived: Set<Tag>

    public init(digests: [Tag: Digest] = [:], archived: Set<Tag> = []) {
        (self.digests, self.archived) = (digests, archived)
    }
}

/// A name that a registry lists as a tag, but that can't be used as one.
public struct UnusableTag: Sendable, Equatable {
    /// The name as the registry gave it, which is not safe to print.
    public var name: String
    public var reason: CopyError.Reason

    public init(name: String, reason: CopyError.Reason) {
        (self.name, self.reason) = (name, reason)
    }
}

/// Everything that a registry lists for a repository.
public struct ImageListing: Sendable {
    public var images: [ListedImage]
    public var unusableTags: [UnusableTag]

    public init(images: [ListedImage] = [], unusableTags: [UnusableTag] = []) {
        (self.images, self.unusableTags) = (images, unusableTags)
    }

    /// The number of listed tags, without the tags that belong to an image.
    public var tagCount: Int {
        images.flatMap(\.tags).count { !ReferrerFinder.isDigestTag($0) } + unusableTags.count
    }
}

extension ImageListing {
    /// Returns those of `names` that are valid tags, and notes the others as unusable.
    mutating func usable(_ names: [String]) -> [Tag] {
        var tags: [Tag] = []
        for name in names {
            do {
                tags.append(try Tag(parsing: name))
            } catch {
                let reason = if case .malformedTag(_, let reason) = error { reason } else { "\(error)" }
                unusableTags.append(UnusableTag(name: name, reason: .tagUnfit(tag: name, reason: reason)))
            }
        }
        return tags
    }
}

/// One repository of one side, whatever protocol it uses.
///
/// The engine knows registries only through these roles. Every method throws ``CopyError`` with its side, image and
/// operation, or `CancellationError`; retries of single requests happen below it.
public protocol ImageRepository: Sendable {
    /// The repository's reference, without tag and digest.
    var reference: ImageReference { get }
    var side: CopyError.Side { get }

    /// Equal for two repositories of one registry, between which blobs may be mounted.
    var registryKey: String { get }

    /// Whether the registry stores an index whose entries are blobs, as BuildKit's older build caches are.
    var takesIndexesOfBlobs: Bool { get }

    /// Whether content below a manifest that exists here must be checked anyway.
    var checksContent: Bool { get }

    /// Notes for people about an image that is read from here.
    func notes(about root: Digest) -> [String]

    /// The credentials of the last request, for people; `nil` if they are unknown or not AWS's.
    var credentials: String? { get }

    /// Reads manifests, and only the digests of others, with as few requests as the registry allows.
    func read(manifests: [ManifestID], digests: [ManifestID]) async throws -> Reading

    /// Returns those of the blobs that the repository does not have.
    func missing(_ blobs: [Descriptor]) async throws -> Set<Digest>

    /// Returns the source of a blob's bytes: a file, or a request that is answered with the bytes or a redirect to
    /// them.
    ///
    /// Every call returns a new one.
    func source(of blob: Descriptor) async throws -> RelaySource

    /// Handles a response to ``source(of:)``'s request that is neither content nor a redirect, before the next call.
    ///
    /// For example, an expired token is renewed, and a registry that throttles is asked less often.
    func sourceRefused(_ answer: WireResponse, to request: WireRequest) async

    /// Opens an upload, or mounts the blob from a sibling repository if one is given and the registry agrees.
    func startUpload(of blob: Descriptor, mountingFrom sibling: RepositoryName?) async throws -> UploadStart

    /// Returns the sink that sends all bytes of `blob` to an open upload.
    func upload(_ blob: Descriptor, to upload: OpenUpload) async throws -> RelaySink

    /// Returns the reason for which the response refuses the blob; `nil` if the blob was stored.
    func explainUpload(_ answer: WireResponse, of blob: Descriptor, sent: WireRequest) async throws -> UploadRefusal?

    /// Opens connections for this many blobs while the copy is still being planned.
    ///
    /// - Parameter isCertain: Whether the image is known to be missing, so that blobs will probably be moved.
    func prepare(forBlobs count: Int, isCertain: Bool) async

    /// The registry's upload protocol for parts, if it has one.
    var partUploads: (any PartUploading)? { get }

    /// Closes an upload that won't be finished; errors are ignored.
    func closeUpload(_ upload: OpenUpload) async

    /// Stores a manifest, and points `tag` at it if one is given; it succeeds too if both exist already.
    func put(_ manifest: Manifest, tag: Tag?) async throws

    /// Returns the manifests whose subject is `digest`; `nil` if the registry doesn't support the request.
    func referrers(of digest: Digest) async throws -> ReferrerListing?

    /// Whether ``referrers(of:)`` is also called for what was found under digest tags.
    var asksAboutTaggedReferrers: Bool { get }

    /// Returns the tags that begin with a digest; `nil` if listing all tags for one image would be unreasonable.
    ///
    /// A failure is not thrown: the listing says that it is incomplete, and why.
    func listDigestTags() async throws -> DigestTagListing?

    /// Returns the referrers that are listed here for `subject`; `nil` if the registry lists a manifest when it is put.
    ///
    /// In other registries the list is a second step, which may not have happened.
    func ownList(ofReferrersTo subject: Digest) async throws -> Set<Digest>?

    /// Returns which tags are immutable; `nil` if that can't be found out, or if the registry has no immutable tags.
    func immutability() async throws -> TagImmutability?

    /// Lists every tagged image, and every listed name that can't be used as a tag, so that nothing is left out.
    func list() async throws -> ImageListing

    /// Returns every tag and its digest, if the registry lists both in few requests, and `nil` otherwise.
    func listHeldTags() async throws -> HeldTags?

    /// Returns the only image here, if a reference needn't name one; `nil` if it must.
    func soleImage() async throws -> ManifestID?

    /// Keeps an image that was put without a tag and is not part of another, so that it can be found by its digest.
    func keepUntagged(_ root: Manifest) async throws

    /// Creates the repository with the registry's defaults; it succeeds too if the repository exists already.
    func create() async throws

    /// Returns whether a push would create the missing repository.
    func creationOnPush() async throws -> CreationOnPush
}

/// Why a registry refused a blob.
public struct UploadRefusal: Sendable {
    public var error: CopyError
    public var retryAdvice: RetryAdvice

    public init(error: CopyError, retryAdvice: RetryAdvice) {
        self.error = error
        self.retryAdvice = retryAdvice
    }
}

extension ImageRepository {
    public var takesIndexesOfBlobs: Bool { true }

    public var asksAboutTaggedReferrers: Bool { true }

    public func listDigestTags() async throws -> DigestTagListing? { nil }

    public var checksContent: Bool { false }

    public func notes(about root: Digest) -> [String] { [] }

    public var credentials: String? { nil }

    public func creationOnPush() async throws -> CreationOnPush { .notCovered }

    public func prepare(forBlobs count: Int, isCertain: Bool) async {}

    public func sourceRefused(_ answer: WireResponse, to request: WireRequest) async {}

    public func ownList(ofReferrersTo subject: Digest) async throws -> Set<Digest>? { nil }

    public func soleImage() async throws -> ManifestID? { nil }

    public func listHeldTags() async throws -> HeldTags? { nil }

    public func keepUntagged(_ root: Manifest) async throws {}

    public var partUploads: (any PartUploading)? { nil }

    public func read(_ manifests: [ManifestID]) async throws -> Reading {
        try await read(manifests: manifests, digests: [])
    }

    /// Returns those of the manifests that exist.
    func holding(_ digests: some Collection<Digest> & Sendable) async throws -> Set<Digest> {
        guard !digests.isEmpty else { return [] }
        let reading = try await read(manifests: [], digests: digests.map { .digest($0) })
        return Set(reading.digests.values).subtracting(reading.lost)
    }
}
