internal import Content
internal import Platform
internal import Wire

/// What one run knows about one destination repository: what it holds, and what this run has put there.
///
/// Shared by all images that go there, so that none asks what another has learned.
actor DestinationState {
    nonisolated let repository: any ImageRepository
    /// Whether source and destination are one repository, reached by one identity: then everything is there.
    nonisolated let isSource: Bool
    /// Whether what lies below a manifest that is there is looked at, instead of being believed to be there.
    ///
    /// - Source: docs/architecture.md#trust-in-registries
    nonisolated let checksContent: Bool
    private(set) var tags: [Tag: Digest] = [:]
    private var there: Set<Digest> = []
    /// Whether the repository did not exist when this run began: nobody needs to ask it anything.
    private(set) var isNew = false
    /// By which a push creates the repository, if that is how it will be created.
    private(set) var template: CreationTemplate?
    private nonisolated let immutability = SingleFlight<RepositoryName, TagImmutability?>()
    private nonisolated let creation = SingleFlight<RepositoryName, CreationTemplate?>()
    /// Puts a manifest once, however many images name it.
    nonisolated let deliveries = SingleFlight<Digest, Bool>()
    /// Large manifests are put one after another.
    nonisolated let largePuts = WaitQueue<Int, Void, Bool>()

    /// What the run knows of blobs, here and elsewhere.
    private nonisolated let blobs: BlobIndex

    init(
        _ repository: any ImageRepository,
        isSource: Bool,
        repairs: Bool = false,
        blobs: BlobIndex = BlobIndex()
    ) {
        self.repository = repository
        self.blobs = blobs
        self.isSource = isSource
        checksContent = !isSource && (repairs || repository.checksContent)
    }

    /// Asks which of `ids` the repository holds.
    func read(_ ids: [ManifestID]) async throws {
        guard !ids.isEmpty else { return }
        try learn(try await repository.read(manifests: [], digests: ids))
    }

    /// Asks for every tag, where the repository lists them with their digests; else for `wanted` only.
    func readEveryTag(_ wanted: [ManifestID]) async throws {
        guard let held = try await repository.listHeldTags() else { return try await read(wanted) }
        if let id = wanted.first(where: { id in id.tag.map(held.archived.contains) ?? false }) {
            throw failure(.archived, id, "DescribeImages")
        }
        tags.merge(held.digests) { $1 }
        there.formUnion(held.digests.values)
    }

    /// Learns what a reading said about tags and digests.
    func learn(_ reading: Reading) throws {
        for (id, digest) in reading.digests {
            if let tag = id.tag { tags[tag] = digest }
            if !reading.lost.contains(digest) { there.insert(digest) }
        }
        for (id, reason) in reading.failures {
            throw failure(reason, id, "BatchGetImage")
        }
    }

    /// The repository is missing, and will be created: by us before the first byte goes there, or by the first push.
    ///
    /// - Throws: `error`, which said that it is missing, if neither is allowed.
    func beginEmpty(after error: CopyError, creating: RepositoryCreation) async throws {
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

    /// Creates the repository if it was missing and no push does; once, however many images go there.
    ///
    /// Where that isn't allowed and a creation template covers the repository, the push creates it.
    ///
    /// - Returns: The template that takes the place of what was asked for.
    func createIfMissing() async throws -> CreationTemplate? {
        guard isNew, template == nil else { return nil }
        return try await creation.run(repository.reference.repository) { [repository] in
            do {
                try await repository.create()
                return nil
            } catch let error as CopyError {
                guard case .denied = error.reason, case .template(let found) = try await repository.creationOnPush()
                else { throw error }
                return found
            }
        }
    }

    /// Known from elsewhere: it is the source's own repository, for example.
    func note(_ digest: Digest) { there.insert(digest) }

    func has(_ digest: Digest) -> Bool { there.contains(digest) }

    func holds(_ tag: Tag) -> Digest? { tags[tag] }

    /// Asks for those digests that nothing is known of; a new repository isn't asked.
    func look(for digests: [Digest]) async throws {
        guard !isNew, !isSource else { return }
        let unknown = digests.unique().filter { !there.contains($0) }
        guard !unknown.isEmpty else { return }
        let held = try await repository.holding(unknown)
        there.formUnion(held)
    }

    /// Asks for digests and tags in one question, and tells what is wrong with those that nothing can be said of.
    ///
    /// - Throws: ``CopyError`` that is no failure of one of them.
    func lookSeparately(for digests: [Digest], tags wanted: [Tag]) async throws -> [ManifestID: CopyError] {
        guard !isNew else { return [:] }
        let unknown = isSource ? [] : digests.unique().filter { !there.contains($0) }
        let ids: [ManifestID] = unknown.map { .digest($0) } + wanted.filter { tags[$0] == nil }.map { .tag($0) }
        guard !ids.isEmpty else { return [:] }
        let answer = try await repository.readSeparately(manifests: [], digests: ids) { $0.endsQuestions }
        var reading = answer.reading
        reading.failures = [:]
        try learn(reading)
        return answer.failures
    }

    /// What the repository lists as referring to each of `subjects`; `nil` where what is put is listed at once.
    ///
    /// A list that can't be read counts as empty: what is wrong with it shows when something is put on it.
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

    /// Lists asked for at once.
    static let parallelQuestions = 8

    /// Which of `blobs` must be brought; asked about are those of which this run knows nothing.
    func missing(_ blobs: [Descriptor]) async throws -> Set<Digest> {
        guard !blobs.isEmpty, !isSource else { return [] }
        let unknown = blobs.filter { !self.blobs.holds($0.digest, at: repository) }
        guard !unknown.isEmpty, !isNew else { return Set(unknown.map(\.digest)) }
        let missing = try await repository.missing(unknown)
        self.blobs.note(unknown.map(\.digest).filter { !missing.contains($0) }, at: repository)
        return missing
    }

    /// Notes that this run has put a blob here, or found it here.
    nonisolated func noteMoved(_ digest: Digest) { blobs.note([digest], at: repository) }

    /// Asked at most once in a run.
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
        return CopyError(reason, side: repository.side, image: image.description, operation: operation)
    }
}
