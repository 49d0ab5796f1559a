internal import Content
internal import Wire

/// A repository at one side of a run.
///
/// The engine knows registries through the roles below only. Every method throws ``CopyError`` with its side, image and
/// operation filled in, or `CancellationError`; retries of single requests happen below.
protocol RepositoryPlace: Sendable {
    /// The repository, without tag and digest.
    var reference: ImageReference { get }
    var side: CopyError.Side { get }

    /// Equal for two repositories of one registry, between which blobs may be mounted.
    var registryKey: String { get }

    /// The credentials of the last request, for people; `nil` where they are unknown, or not AWS's.
    var credentials: String? { get }

    /// Whether one request can ask about many manifests or blobs, so that asking for several images together saves
    /// requests.
    var answersInBulk: Bool { get }
}

/// Reads manifests and lists images.
protocol ManifestReader: RepositoryPlace {
    /// Reads manifests, and for others only which digest they have, with as few requests as the registry allows.
    func read(manifests: [ManifestID], digests: [ManifestID]) async throws -> Reading

    /// Lists every tagged image, and every listed name that can't be used as a tag: nothing is left out.
    func list() async throws -> ImageListing

    /// Lists every tag and the digest it holds, where the registry lists both in few requests; else `nil`.
    func listHeldTags() async throws -> HeldTags?

    /// Lists every image, where the registry lists images with their digests in few requests; else `nil`.
    ///
    /// - Parameter taggedOnly: Whether images without a tag are left out.
    func listImages(taggedOnly: Bool) async throws -> ImageListing?

    /// Lists the names of all tags, without asking what they hold.
    func listTagNames() async throws -> [String]

    /// The only image, where a reference needn't name one; `nil` where it must.
    func soleImage() async throws -> ManifestID?

    /// Notes about an image that is read from here, for people.
    func notes(about root: Digest) -> [String]

    /// The repository's settings, which a new repository can be given too; `nil` where the registry is not ECR.
    func settings() async throws -> RepositorySettings?
}

/// Stores manifests and sets tags.
protocol ManifestWriter: RepositoryPlace {
    /// Stores a manifest, and points `tag` at it if one is given. A manifest that is stored already is a success.
    func put(_ manifest: Manifest, tag: Tag?) async throws

    /// Makes an image that was put without a tag, and is not part of another, findable by its digest.
    func keepUntagged(_ root: Manifest) async throws

    /// Deletes tags and images: a tag's id removes the tag, and the image with its last tag; a digest's id removes the
    /// image with all its tags. What is gone already counts as deleted.
    ///
    /// - Returns: Why some of them could not be deleted; `nil` where nothing can be deleted.
    func delete(_ ids: [ManifestID]) async throws -> [ManifestID: CopyError.Reason]?

    /// Which tags are immutable; `nil` if that can't be found out, or the registry has no such setting.
    func immutability() async throws -> TagImmutability?

    /// Creates the repository with the registry's defaults; one that exists already is a success.
    func create() async throws

    /// The settings with which to create the repository like that of `source`; `nil` where repositories have none.
    ///
    /// - Parameter keys: The KMS key to use here, by the source's key.
    /// - Throws: ``CopyError`` of the reason `unsupported` if the repository can't be like the source's.
    func newRepository(like source: any ManifestReader, keys: [String: String]) async throws -> NewRepository?

    /// Creates the repository with these settings; one that exists already is a success, and is not changed.
    ///
    /// - Returns: Notes about settings that could not be made.
    func create(_ new: NewRepository) async throws -> [String]

    /// Whether a push would create the repository, which is missing.
    func creationOnPush() async throws -> CreationOnPush

    /// Whether an index may be stored whose entries are blobs, as BuildKit's older build caches are.
    var takesIndexesOfBlobs: Bool { get }

    /// Whether the content below a manifest that is stored must be looked at all the same.
    var checksContent: Bool { get }
}

/// Holds blobs.
protocol BlobHolder: RepositoryPlace {
    /// Which of these blobs the repository does not have.
    func missing(_ blobs: [Descriptor]) async throws -> Set<Digest>

    /// Opens connections for this many blobs, while the copy is still being planned.
    ///
    /// - Parameter isCertain: Whether the image is missing at the destination, so that blobs will probably be moved.
    func prepare(forBlobs count: Int, isCertain: Bool) async
}

/// Gives blobs.
protocol BlobReader: BlobHolder {
    /// The address of the blob's bytes: a request that answers with them or with a redirect to them, or a file.
    ///
    /// Each call gives a fresh one.
    func source(of blob: Descriptor) async throws -> RelaySource

    /// Takes note of an answer to an address of ``source(of:)`` that is neither content nor a redirect, before another
    /// address is asked for.
    ///
    /// A token that has expired is renewed here, and a registry that throttles is asked less often.
    func sourceRefused(_ answer: WireResponse, to request: WireRequest) async
}

/// Receives blobs.
protocol BlobReceiver: BlobHolder {
    /// Stores a blob: mounts it from a sibling repository if one is named and the registry agrees, otherwise opens an
    /// upload and has the blob sent to it.
    ///
    /// An upload that doesn't end with a stored blob is closed before this throws, even if the task was cancelled.
    ///
    /// - Throws: ``BlobFailure`` with the advice whether to retry, ``CopyError``, `CancellationError`, and what
    ///   ``IncomingBlob/send(to:)`` throws.
    func receive(_ incoming: any IncomingBlob) async throws -> BlobReception

    /// The registry's way to receive a blob in parts, if it has one.
    var partUploads: (any PartUploading)? { get }
}

/// Lists what refers to an image.
protocol ReferrerLister: RepositoryPlace {
    /// The manifests whose subject is `digest`; `nil` if the registry doesn't know the question.
    func referrers(of digest: Digest) async throws -> ReferrerListing?

    /// Whether manifests that were found under a digest tag are asked about by ``referrers(of:)`` too.
    var asksAboutTaggedReferrers: Bool { get }

    /// The tags that begin with a digest, where listing tags for the sake of one image is reasonable; else `nil`.
    ///
    /// Trouble with it is not an error: the listing says that it is not whole, and why.
    func listDigestTags() async throws -> DigestTagListing?

    /// What is listed here as referring to `subject`, where putting a referrer and listing it are two requests, of which
    /// the second may not have happened; `nil` where the registry does both at once.
    func ownList(ofReferrersTo subject: Digest) async throws -> Set<Digest>?
}

/// A repository in every role.
protocol ImageRepository: ManifestReader, ManifestWriter, BlobReader, BlobReceiver, ReferrerLister {}

extension RepositoryPlace {
    var credentials: String? { nil }

    var answersInBulk: Bool { false }

    /// Equal for two values that stand for one repository, whatever identity it is reached by.
    var placeKey: String { "\(registryKey)/\(reference.repository)" }
}

extension ManifestReader {
    func notes(about root: Digest) -> [String] { [] }

    func settings() async throws -> RepositorySettings? { nil }

    func soleImage() async throws -> ManifestID? { nil }

    func listHeldTags() async throws -> HeldTags? { nil }

    func listImages(taggedOnly: Bool) async throws -> ImageListing? { nil }

    func listTagNames() async throws -> [String] {
        let listing = try await list()
        return listing.images.flatMap(\.tags).map(\.value) + listing.unusableTags.map(\.name)
    }

    func read(_ manifests: [ManifestID]) async throws -> Reading {
        try await read(manifests: manifests, digests: [])
    }

    /// Which of these manifests the repository has.
    func holding(_ digests: some Collection<Digest> & Sendable) async throws -> Set<Digest> {
        guard !digests.isEmpty else { return [] }
        let reading = try await read(manifests: [], digests: digests.map { .digest($0) })
        return Set(reading.digests.values).subtracting(reading.lost)
    }
}

extension ManifestWriter {
    var takesIndexesOfBlobs: Bool { true }

    var checksContent: Bool { false }

    func creationOnPush() async throws -> CreationOnPush { .notCovered }

    func newRepository(like source: any ManifestReader, keys: [String: String]) async throws -> NewRepository? { nil }

    func create(_ new: NewRepository) async throws -> [String] {
        try await create()
        return []
    }

    func keepUntagged(_ root: Manifest) async throws {}

    func delete(_ ids: [ManifestID]) async throws -> [ManifestID: CopyError.Reason]? { nil }
}

extension BlobHolder {
    func prepare(forBlobs count: Int, isCertain: Bool) async {}
}

extension BlobReader {
    func sourceRefused(_ answer: WireResponse, to request: WireRequest) async {}
}

extension BlobReceiver {
    var partUploads: (any PartUploading)? { nil }
}

extension ReferrerLister {
    var asksAboutTaggedReferrers: Bool { true }

    func listDigestTags() async throws -> DigestTagListing? { nil }

    func ownList(ofReferrersTo subject: Digest) async throws -> Set<Digest>? { nil }
}
