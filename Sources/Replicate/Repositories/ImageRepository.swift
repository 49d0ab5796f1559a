public import Content
public import Wire

/// How a manifest is asked for.
public enum ManifestID: Hashable, Sendable, CustomStringConvertible {
    case tag(Tag)
    case digest(Digest)
    /// Both must agree: `TAG@DIGEST`.
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

/// What a repository answered to one bulk question.
///
/// An id that is in neither dictionary is not there; one that is there but can't be had is in ``failures``.
public struct Reading: Sendable {
    public var manifests: [ManifestID: Manifest] = [:]
    /// Only what was asked for by ``ImageRepository/read(manifests:digests:)``'s `digests`.
    public var digests: [ManifestID: Digest] = [:]
    public var failures: [ManifestID: CopyError.Reason] = [:]
    /// Manifests that are left for another question, since those that were read are large.
    public var postponed: Set<ManifestID> = []
    /// Of ``digests``, those that a tag points at although they are not there (any more).
    public var lost: Set<Digest> = []

    public init() {}

    /// Takes in the answer to another part of the question.
    mutating func merge(_ part: Reading) {
        manifests.merge(part.manifests) { _, new in new }
        digests.merge(part.digests) { _, new in new }
        failures.merge(part.failures) { _, new in new }
        postponed.formUnion(part.postponed)
    }

    /// Whether no more large manifests should be read into it.
    var isFull: Bool { manifests.values.reduce(0) { $0 + $1.byteCount } >= Self.enough }

    /// In bytes of manifests: two of the greatest size; of the usual size, a thousand or more.
    static let enough = 2 * Manifest.largestByteCount
}

/// An upload that has been opened and waits for its bytes.
public enum OpenUpload: Sendable {
    /// At a registry, which said where to.
    case at(HTTPURL)
    /// A file of this machine, which needs no opening.
    case file(String)
}

/// How a registry answered the wish to bring a blob.
public enum UploadStart: Sendable {
    /// The blob is there now: it was taken from a sibling repository.
    case mounted
    case open(OpenUpload)
}

/// Which tags of a repository can't be moved.
public struct TagImmutability: Sendable, Hashable {
    /// Whether a tag that matches no exclusion is fixed.
    public var byDefault: Bool
    /// Wildcards; a tag that matches one is the other way round.
    public var exclusions: [String]

    public init(byDefault: Bool, exclusions: [String] = []) {
        self.byDefault = byDefault
        self.exclusions = exclusions
    }

    /// - Source: docs/facts/ecr-api.md#tag-mutability: `*` is any run of characters, the whole tag must match
    public func fixes(_ tag: Tag) -> Bool {
        exclusions.contains { matchesWildcard(tag.value, $0) } ? !byDefault : byDefault
    }
}

/// An image of a listing, with every tag that points at it.
public struct ListedImage: Sendable, Hashable {
    public var digest: Digest
    public var tags: [Tag]
    /// Seconds since 1970; `nil` where the registry doesn't say.
    public var pushedAt: Double?
    /// In bytes, as the registry reckons it (for an index the largest of its images).
    public var size: Int64?
    public var mediaType: MediaType?
    public var isArchived: Bool
    /// What it is called besides, in a layout: whole references, and names that no tag can have.
    public var names: [String] = []
    /// Tags that another image of the same layout has too, so that they mean neither.
    public var sharedTags: [Tag] = []
    /// What it refers to, in a layout that lists it without a name.
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

/// What every tag of a repository holds.
public struct HeldTags: Sendable, Equatable {
    public var digests: [Tag: Digest]
    /// Tags of images that are archived, and so can't be pulled.
    public var archived: Set<Tag>

    public init(digests: [Tag: Digest] = [:], archived: Set<Tag> = []) {
        (self.digests, self.archived) = (digests, archived)
    }
}

/// A name that a registry lists as a tag, and that has no image for us.
public struct UnusableTag: Sendable, Equatable {
    /// As the registry wrote it: not fit to be shown as it is.
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

    /// How many tags are listed, those that follow an image left out.
    public var tagCount: Int {
        images.flatMap(\.tags).count { !ReferrerFinder.isDigestTag($0) } + unusableTags.count
    }
}

extension ImageListing {
    /// Those of `names` that are tags; the others are noted as unusable.
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

/// One repository of one side, whatever is spoken there.
///
/// The engine knows registries through these roles only. Every method throws ``CopyError`` with its side, image
/// and operation filled in, or `CancellationError`; retries of single requests happen below.
public protocol ImageRepository: Sendable {
    /// Without tag and digest.
    var reference: ImageReference { get }
    var side: CopyError.Side { get }

    /// Equal for two repositories of one registry, between which blobs may be mounted.
    var registryKey: String { get }

    /// Whether an index may be stored whose entries are blobs, as BuildKit's older build caches are.
    var takesIndexesOfBlobs: Bool { get }

    /// Whether what lies below a manifest that is here must be looked at all the same.
    var checksContent: Bool { get }

    /// What people should know of an image that is read from here.
    func notes(about root: Digest) -> [String]

    /// With which credentials it was asked last, for people; `nil` where that is not known, or nothing of AWS.
    var credentials: String? { get }

    /// Reads manifests, and for others only which digest they have, with as few requests as the registry allows.
    func read(manifests: [ManifestID], digests: [ManifestID]) async throws -> Reading

    /// Which of these blobs the repository does not have.
    func missing(_ blobs: [Descriptor]) async throws -> Set<Digest>

    /// Where the blob's bytes are: a request that answers with them, or with a redirect to them, or a file.
    ///
    /// Asking again gives a new one.
    func source(of blob: Descriptor) async throws -> RelaySource

    /// Told of an answer to what ``source(of:)`` gave that is neither content nor a redirect, before it is asked again.
    ///
    /// A token that has run out, say, is renewed here, and a registry that throttles is asked less often.
    func sourceRefused(_ answer: WireResponse, to request: WireRequest) async

    /// Begins an upload, or mounts the blob from a sibling repository if one is named and the registry agrees.
    func startUpload(of blob: Descriptor, mountingFrom sibling: RepositoryName?) async throws -> UploadStart

    /// What brings all bytes of `blob` to an open upload.
    func upload(_ blob: Descriptor, to upload: OpenUpload) async throws -> RelaySink

    /// What the answer to an upload means: `nil` for stored.
    func explainUpload(_ answer: WireResponse, of blob: Descriptor, sent: WireRequest) async throws -> UploadRefusal?

    /// Opens connections for so many blobs while others are still planning what to do with them.
    ///
    /// - Parameter isCertain: Whether the image isn't there, so that blobs will probably be moved.
    func prepare(forBlobs count: Int, isCertain: Bool) async

    /// The registry's way to take a blob in parts, if it has one.
    var partUploads: (any PartUploading)? { get }

    /// Ends an upload that won't be finished; failing to is no failure.
    func closeUpload(_ upload: OpenUpload) async

    /// Stores a manifest, and points `tag` at it if one is given. What is there already is success.
    func put(_ manifest: Manifest, tag: Tag?) async throws

    /// Manifests whose subject is `digest`; `nil` if the registry doesn't know the question.
    func referrers(of digest: Digest) async throws -> ReferrerListing?

    /// Whether what was found under a digest tag is asked about by ``referrers(of:)`` too.
    var asksAboutTaggedReferrers: Bool { get }

    /// The tags that begin with a digest, where listing tags for the sake of one image is reasonable; else `nil`.
    ///
    /// Trouble with it is no error: the listing says that it is not whole, and why.
    func listDigestTags() async throws -> DigestTagListing?

    /// What is listed here as referring to `subject`, where putting such a manifest and listing it are two things, of
    /// which the second may not have happened; `nil` where the registry does both at once.
    func ownList(ofReferrersTo subject: Digest) async throws -> Set<Digest>?

    /// `nil` if that can't be found out, or the registry knows no such thing.
    func immutability() async throws -> TagImmutability?

    /// Every tagged image, and every listed name that can't be used as a tag: nothing is left out.
    func list() async throws -> ImageListing

    /// Every tag and the digest it holds, where the registry lists both in few requests; else `nil`.
    func listHeldTags() async throws -> HeldTags?

    /// The one image that is here, where a reference needn't name any; `nil` where it must.
    func soleImage() async throws -> ManifestID?

    /// Told of an image that was put without a tag and is no part of another: it is meant to be found by its digest.
    func keepUntagged(_ root: Manifest) async throws

    /// Creates the repository with the registry's defaults; one that is there already is success.
    func create() async throws

    /// Whether a push would create the repository, which is missing.
    func creationOnPush() async throws -> CreationOnPush
}

/// Why a registry didn't take a blob.
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

    /// Which of these manifests are there.
    func holding(_ digests: some Collection<Digest> & Sendable) async throws -> Set<Digest> {
        guard !digests.isEmpty else { return [] }
        let reading = try await read(manifests: [], digests: digests.map { .digest($0) })
        return Set(reading.digests.values).subtracting(reading.lost)
    }
}
