internal import Content
internal import Platform
internal import Wire

/// What one run knows about one destination repository: what it holds, and what this run has put there.
///
/// All images that go there share it, so that no question is asked twice.
actor DestinationState {
    nonisolated let repository: any ImageRepository
    /// Whether source and destination are the same repository, used by the same identity, so that everything is there
    /// already.
    nonisolated let isSource: Bool
    /// Whether to check the content below manifests that the destination holds, instead of assuming that it is there.
    ///
    /// - Source: docs/architecture.md#trust-in-registries
    nonisolated let checksContent: Bool
    private(set) var tags: [Tag: Digest] = [:]
    private var there: Set<Digest> = []
    /// Whether every image was listed, so that what isn't known isn't there.
    private var isListed = false
    /// What the last pieces of images were asked about and found missing, the oldest first.
    private var absent: [Absent] = []
    /// Whether the repository did not exist when this run began, so that it needs no requests.
    private(set) var isNew = false
    /// The template by which a push creates the repository, if that is how it will be created.
    private(set) var template: CreationTemplate?
    /// The KMS key to use here for each key of the source.
    private nonisolated let kmsKeys: [String: String]
    /// The settings with which this run will create the repository; `nil` for the registry's defaults.
    private var new: NewRepository?
    /// Notes about the creation that no receipt has reported yet.
    private var unreported: [String] = []
    private nonisolated let immutability = SingleFlight<RepositoryName, TagImmutability?>()
    private nonisolated let creation = SingleFlight<RepositoryName, [String]>()
    /// Puts a manifest once, however many images name it.
    nonisolated let deliveries = SingleFlight<Digest, Bool>()
    /// The queue in which large manifests are put one after another.
    nonisolated let largePuts = WaitQueue<Int, Void, Bool>()

    /// What the run knows about blobs, here and elsewhere.
    private nonisolated let blobs: BlobIndex

    init(
        _ repository: any ImageRepository,
        isSource: Bool,
        repairs: Bool = false,
        kmsKeys: [String: String] = [:],
        blobs: BlobIndex = BlobIndex()
    ) {
        self.repository = repository
        self.kmsKeys = kmsKeys
        self.blobs = blobs
        self.isSource = isSource
        checksContent = !isSource && (repairs || repository.checksContent)
    }

    /// Asks which of `ids` the repository holds.
    func read(_ ids: [ManifestID]) async throws {
        guard !ids.isEmpty else { return }
        try learn(try await repository.read(manifests: [], digests: ids))
    }

    /// Asks for every tag, if the repository lists tags with their digests; otherwise asks for `wanted` only.
    func readEveryTag(_ wanted: [ManifestID]) async throws {
        guard let held = try await repository.listHeldTags() else { return try await read(wanted) }
        if let id = wanted.first(where: { id in id.tag.map(held.archived.contains) ?? false }) {
            throw failure(.archived, id, "DescribeImages")
        }
        tags.merge(held.digests) { $1 }
        there.formUnion(held.digests.values)
    }

    /// Asks for every image, if the repository lists images; otherwise asks for `wanted` only.
    ///
    /// - Returns: The listing; `nil` if only `wanted` was asked for.
    func list(_ wanted: [ManifestID], taggedOnly: Bool) async throws -> ImageListing? {
        guard let listing = try await repository.listImages(taggedOnly: taggedOnly) else {
            try await read(wanted)
            return nil
        }
        for image in listing.images {
            there.insert(image.digest)
            for tag in image.tags { tags[tag] = image.digest }
        }
        // A repair asks for the manifests themselves.
        isListed = !taggedOnly && !checksContent
        return listing
    }

    /// Remembers the tags and digests of a reading.
    func learn(_ reading: Reading) throws {
        for (id, digest) in reading.digests {
            if let tag = id.tag { tags[tag] = digest }
            if !reading.lost.contains(digest) { there.insert(digest) }
        }
        for (id, reason) in reading.failures {
            throw failure(reason, id, "BatchGetImage")
        }
    }

    /// Treats a missing repository as empty, because this run or the first push will create it.
    ///
    /// - Throws: `error`, which said that the repository is missing, if neither is allowed.
    func beginEmpty(after error: CopyError, creating: CopyOptions.RepositoryCreation) async throws {
        if creating == .never {
            switch try await repository.creationOnPush() {
            case .template(let found): template = found
            case .notCovered: throw error
            case .unknown:
                var error = error
                error.circumstance = .unknownTemplates
                throw error
            }
        }
        isNew = true
    }

    /// The settings with which this run will create the repository like that of `source`.
    ///
    /// - Returns: `nil` if this run doesn't create it, or creates it with the registry's defaults.
    /// - Throws: ``CopyError`` of the reason `unsupported` if the repository can't be like the source's.
    func newRepository(
        like source: any ManifestReader,
        _ wanted: CopyOptions.RepositoryCreation
    ) async throws -> NewRepository? {
        guard isNew, template == nil, wanted == .likeSource else { return nil }
        new = try await repository.newRepository(like: source, keys: kmsKeys)
        return new
    }

    /// Creates the repository if it is missing and a push will not create it; this happens once, however many images go
    /// there.
    ///
    /// If creating it isn't allowed and a creation template covers it, the push creates it.
    ///
    /// - Returns: Notes about what differs from the settings that were asked for.
    func createIfMissing() async throws -> [String] {
        guard isNew, template == nil else { return [] }
        return try await creation.run(repository.reference.repository) { [repository, new] in
            do {
                if let new {
                    let notes = try await repository.create(new)
                    await self.keep(notes)
                    return notes
                }
                try await repository.create()
                return []
            } catch let error as CopyError {
                guard case .denied(let action, _) = error.reason,
                    case .template(let found) = try await repository.creationOnPush()
                else { throw error }
                return ["\(action) is not allowed; \(found.words)"]
            }
        }
    }

    private func keep(_ notes: [String]) { unreported = notes }

    /// The notes about the creation that no receipt has reported, each of which is returned once.
    ///
    /// What was not set when the repository was created is never set later, so a failed copy must not hide it.
    func takeUnreportedNotes() -> [String] {
        defer { unreported = [] }
        return unreported
    }

    /// Notes a manifest that the repository is known to hold, for example because it is the source's own.
    func note(_ digest: Digest) { there.insert(digest) }

    func has(_ digest: Digest) -> Bool { there.contains(digest) }

    /// Those of `digests` that the repository isn't known to hold.
    func lacked(of digests: [Digest]) -> [Digest] { digests.filter { !there.contains($0) } }

    func holds(_ tag: Tag) -> Digest? { tags[tag] }

    /// Asks which of the unknown digests the repository holds; a new repository isn't asked.
    func look(for digests: [Digest]) async throws {
        guard !isNew, !isSource, !isListed else { return }
        let unknown = digests.unique().filter { digest in
            !there.contains(digest) && !absent.contains { $0.manifests.contains(digest) }
        }
        guard !unknown.isEmpty else { return }
        let held = try await repository.holding(unknown)
        there.formUnion(held)
    }

    // MARK: Many images

    /// What was found missing for one piece of images.
    private struct Absent: Sendable {
        var manifests: Set<Digest> = []
        var blobs: Set<Digest> = []
    }

    /// The number of pieces whose missing content is remembered; what is forgotten is asked about again.
    ///
    /// One piece is being read, one waits, and one is being copied.
    private static let mostPieces = 3

    /// Starts to remember what is missing of another piece of images.
    func beginPiece() { absent = absent.suffix(Self.mostPieces - 1) + [Absent()] }

    /// Asks about manifests for several images, and remembers those that are missing.
    func prefetch(manifests digests: [Digest]) async throws {
        try await look(for: digests)
        let missing = digests.filter { !there.contains($0) }
        if !absent.isEmpty { absent[absent.count - 1].manifests.formUnion(missing) }
    }

    /// Asks about blobs for several images, and remembers those that are missing.
    func prefetch(blobs: [Descriptor]) async throws {
        let missing = try await missing(blobs)
        if !absent.isEmpty { absent[absent.count - 1].blobs.formUnion(missing) }
    }

    /// Asks for digests and tags in one request, and returns the errors of those that could not be answered.
    ///
    /// - Throws: ``CopyError`` if the error is not about one of them.
    func lookSeparately(for digests: [Digest], tags wanted: [Tag]) async throws -> [ManifestID: CopyError] {
        guard !isNew, !isListed else { return [:] }
        let unknown = isSource ? [] : digests.unique().filter { !there.contains($0) }
        let ids: [ManifestID] = unknown.map { .digest($0) } + wanted.filter { tags[$0] == nil }.map { .tag($0) }
        guard !ids.isEmpty else { return [:] }
        let answer = try await repository.readSeparately(manifests: [], digests: ids) { $0.endsQuestions }
        var reading = answer.reading
        reading.failures = [:]
        try learn(reading)
        return answer.failures
    }

    /// The referrers that the repository's own lists name for each of `subjects`; `nil` if it lists referrers by
    /// itself.
    ///
    /// A list that can't be read counts as empty: its error shows up when a referrer is added to it.
    func ownLists(ofReferrersTo subjects: Set<Digest>) async throws -> [Digest: Set<Digest>]? {
        guard !subjects.isEmpty else { return nil }
        guard !isNew else { return [:] }
        let lists = try await subjects.mapConcurrently(limit: Self.parallelQuestions) { [repository] subject in
            do {
                return (subject, try await repository.ownList(ofReferrersTo: subject))
            } catch let error as CopyError where !error.endsQuestions {
                return (subject, [] as Set<Digest>?)
            }
        }
        guard lists.allSatisfy({ $0.1 != nil }) else { return nil }
        return Dictionary(uniqueKeysWithValues: lists.map { ($0, $1 ?? []) })
    }

    /// The most lists to request at once.
    static let parallelQuestions = 8

    /// The `blobs` that must be copied; the repository is asked only about those that this run doesn't know.
    func missing(_ blobs: [Descriptor]) async throws -> Set<Digest> {
        guard !blobs.isEmpty, !isSource else { return [] }
        let wanted = blobs.filter { !self.blobs.holds($0.digest, at: repository) }
        guard !wanted.isEmpty, !isNew else { return Set(wanted.map(\.digest)) }
        let unknown = wanted.filter { blob in !absent.contains { $0.blobs.contains(blob.digest) } }
        var missing = Set(wanted.map(\.digest)).subtracting(unknown.map(\.digest))
        guard !unknown.isEmpty else { return missing }
        let found = try await repository.missing(unknown)
        self.blobs.note(unknown.map(\.digest).filter { !found.contains($0) }, at: repository)
        missing.formUnion(found)
        return missing
    }

    /// Notes that this run has put a blob here, or has found it here.
    nonisolated func noteMoved(_ digest: Digest) { blobs.note([digest], at: repository) }

    /// The repository's tag immutability, which is requested at most once in a run.
    func tagImmutability() async throws -> TagImmutability? {
        try await immutability.run(repository.reference.repository) { [repository] in
            try await repository.immutability()
        }
    }

    func didPut(_ digest: Digest, tag: Tag?) {
        there.insert(digest)
        if let tag { tags[tag] = digest }
    }

    nonisolated func failure(_ reason: CopyError.Reason, _ id: ManifestID?, _ operation: String) -> CopyError {
        let image = repository.reference.tagged(id?.tag, digest: id?.digest)
        return CopyError(reason, side: repository.side, image: image, operation: operation)
    }
}
