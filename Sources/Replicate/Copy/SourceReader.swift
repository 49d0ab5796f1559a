internal import Content
internal import Platform

/// The graph of manifests under one root, as the source has it.
struct ImageGraph: Sendable {
    var root: Manifest
    /// Every manifest that was read, by digest, the root included.
    var manifests: [Digest: Manifest]
    /// Children that an index names but the source doesn't have, with the index that names them.
    var missing: [Digest: Digest] = [:]

    init(_ root: Manifest) { (self.root, manifests) = (root, [root.digest: root]) }

    /// The digests of all manifests under `digest`, including itself, children before parents, each once.
    func manifestsBelow(_ digest: Digest) -> [Digest] {
        var order: [Digest] = []
        var seen: Set<Digest> = []
        func visit(_ digest: Digest) {
            guard seen.insert(digest).inserted else { return }
            for child in manifests[digest]?.children ?? [] {
                visit(child.digest)
            }
            order.append(digest)
        }
        visit(digest)
        return order
    }
}

/// Reads graphs from one source repository in bulk, and remembers what it has read.
actor SourceReader {
    let repository: any ImageRepository
    private var known: [Digest: Manifest] = [:]
    /// Manifests that were read by a digest tag and its digest, before their image is planned.
    private var prefetched: [Tag: Manifest] = [:]
    private var absent: Set<Digest> = []
    /// The memory that ``known`` takes, in bytes.
    private var held = 0
    /// The manifests of images that are finished, the oldest first.
    private var finished: [Digest] = []
    private let budget: Budget

    /// How much memory manifests may take in one run, by ``Manifest/footprint``.
    struct Budget: Sendable {
        /// The limit in bytes past which finished manifests are forgotten, and only outlines of others are kept.
        var whole: Int
        /// The limit in bytes past which an image can't be copied.
        var outlines: Int

        /// The usual budget, which holds thousands of images of usual size while a run stays within 64 MiB.
        ///
        /// Outlines keep a run far below 256 MiB (docs/architecture.md#bounds).
        static let usual = Budget(whole: 24 << 20, outlines: 72 << 20)
    }

    /// The deepest nesting of indexes that is read.
    ///
    /// Whether ECR accepts nested indexes is UNSURE (docs/facts/ecr-api.md#putimage); real images use one level.
    static let deepestIndex = 8
    /// The most manifests under one root, as a guard against a graph made to exhaust memory.
    static let mostManifests = 10_000
    /// The number of manifests to request at a time, which are four concurrent calls of ECR.
    static let pieceSize = 400
    /// The number of manifests to request at a time if they have turned out to be large; no repository postpones any of
    /// them.
    static let largePieceSize = 2

    /// The source's digest tags, if its tags were listed anyway.
    private nonisolated let knownDigestTags: DigestTagIndex?
    /// The source's referrers by subject, if a listing stated them all.
    private nonisolated let knownReferrers: ReferrerIndex?
    private nonisolated let listing = SingleFlight<Digest, DigestTagIndex?>()
    /// The graphs of images that are being planned, by root, so that several destinations share one read.
    private nonisolated let graphs = SingleFlight<Digest, ImageGraph>()
    private nonisolated let referrers = SingleFlight<Digest, ReferrerSet>()
    private nonisolated let preparations = SingleFlight<Digest, Bool>()

    init(
        _ repository: any ImageRepository,
        digestTags: DigestTagIndex? = nil,
        referrers: ReferrerIndex? = nil,
        budget: Budget = .usual
    ) {
        self.repository = repository
        self.budget = budget
        knownDigestTags = digestTags
        knownReferrers = referrers
    }

    /// The manifests whose subject is `digest`; `nil` if the source doesn't know the question.
    nonisolated func referrers(listedFor digest: Digest) async throws -> ReferrerListing? {
        if let knownReferrers { return knownReferrers.listing(of: digest) }
        return try await repository.referrers(of: digest)
    }

    /// Whether the source may have this digest tag; `false` if its tags were listed and the tag is not among them.
    nonisolated func mayHold(_ tag: Tag) -> Bool {
        guard let listing = knownDigestTags?.listing, listing.isWhole, let subject = tag.digestTagSubject else {
            return true
        }
        return listing.tags[subject]?.contains(tag) ?? false
    }

    /// The source's digest tags, if it lists tags; they are requested once.
    nonisolated func digestTags() async throws -> DigestTagIndex? {
        if let knownDigestTags { return knownDigestTags }
        return try await listing.run(.ofNothing) { [repository] in
            try await repository.listDigestTags().map { DigestTagIndex($0) }
        }
    }

    func remember(_ manifest: Manifest) { _ = try? keep(manifest) }

    func manifest(_ digest: Digest) -> Manifest? { known[digest] }

    /// Notes that an image is finished: its manifests are kept only as long as there is room.
    func finish(_ image: SourceImage, _ digests: [Digest]) async {
        finished += digests.filter { known[$0] != nil }
        await graphs.forget(image.root.digest)
        await referrers.forget(image.root.digest)
        await preparations.forget(image.root.digest)
    }

    /// Opens connections for the blobs of an image, once for all destinations.
    nonisolated func prepare(for root: Manifest) async {
        _ = try? await preparations.run(root.digest) { [repository] in
            await prepareConnections(at: [repository], for: root, isCertain: true)
            return true
        }
    }

    /// Finds what refers to an image, once for all destinations.
    ///
    /// - Parameter manifests: The manifests of the image, its root among them.
    nonisolated func referrers(of image: SourceImage, _ manifests: [Digest]) async throws -> ReferrerSet {
        let root = image.root.digest
        return try await referrers.run(root) {
            try await self.referrers(asking: manifests.filter { !image.isMade || $0 != root })
        }
    }

    /// Finds what refers to any of `subjects`.
    nonisolated func referrers(asking subjects: [Digest]) async throws -> ReferrerSet {
        try await ReferrerFinder(reader: self, repository: repository).findAll(about: subjects.unique())
    }

    /// Keeps a manifest, whole if there is room and as an outline otherwise.
    private func keep(_ manifest: Manifest) throws -> Manifest {
        if let before = known[manifest.digest] { return before }
        var kept = manifest
        if held + kept.footprint > budget.whole { forgetFinished() }
        if held + kept.footprint > budget.whole { kept = manifest.outline() }
        guard held + kept.footprint <= budget.outlines else {
            throw failure(
                .unsupported(.manifestMemory(Int64(budget.outlines))),
                manifest.digest,
                "reading the image"
            )
        }
        known[kept.digest] = kept
        held += kept.footprint
        return kept
    }

    private func forgetFinished() {
        for digest in finished { held -= known.removeValue(forKey: digest)?.footprint ?? 0 }
        finished = []
    }

    /// Reads those of `digests` that aren't known yet; the result lacks those that the source doesn't have.
    ///
    /// If there are too many for the budget, some are outlines.
    func read(_ digests: [Digest]) async throws -> [Digest: Manifest] {
        var found: [Digest: Manifest] = [:]
        var waiting: [Digest] = []
        for digest in digests.unique() {
            if let manifest = known[digest] {
                found[digest] = manifest
            } else if !absent.contains(digest) {
                waiting.append(digest)
            }
        }
        var pieceSize = Self.pieceSize
        while !waiting.isEmpty {
            let piece = Array(waiting.prefix(pieceSize))
            waiting.removeFirst(piece.count)
            let reading = try await repository.read(piece.map { .digest($0) })
            var postponed: [Digest] = []
            for digest in piece {
                if let manifest = reading.manifests[.digest(digest)] {
                    found[digest] = try keep(manifest)
                } else if let reason = reading.failures[.digest(digest)] {
                    throw failure(reason, digest, "BatchGetImage")
                } else if reading.postponed.contains(.digest(digest)) {
                    postponed.append(digest)
                } else {
                    absent.insert(digest)
                }
            }
            if !postponed.isEmpty { pieceSize = Self.largePieceSize }
            waiting = postponed + waiting
        }
        return found
    }

    /// Reads as ``read(_:)`` does, and returns the error of each manifest that can't be read.
    ///
    /// - Throws: ``CopyError`` if the error is not about one manifest.
    func readSeparately(
        _ digests: [Digest]
    ) async throws -> (found: [Digest: Manifest], failures: [Digest: CopyError]) {
        let wanted = digests.unique().filter { known[$0] == nil && !absent.contains($0) }
        var failures: [Digest: CopyError] = [:]
        if !wanted.isEmpty {
            let answer = try await repository.readSeparately(manifests: wanted.map { .digest($0) })
            for digest in wanted {
                if let manifest = answer.reading.manifests[.digest(digest)] {
                    known[digest] = manifest
                } else if let error = answer.failures[.digest(digest)] {
                    failures[digest] = error
                } else {
                    absent.insert(digest)
                }
            }
        }
        let found = digests.unique().compactMap { digest in known[digest].map { (digest, $0) } }
        return (Dictionary(uniqueKeysWithValues: found), failures)
    }

    /// Reads manifests for several images in bulk, as far as there is room; errors show up when an image needs them.
    ///
    /// - Parameter tagged: Digest tags, each with the image that the listing names for it.
    /// - Returns: Those of the manifests that are known now.
    func prefetch(_ digests: [Digest], tagged: [Tag: Digest] = [:]) async throws -> [Digest: Manifest] {
        var wanted: [ManifestID] = digests.unique().filter { known[$0] == nil && !absent.contains($0) }
            .map { .digest($0) }
        wanted += tagged.sorted { $0.key < $1.key }.map { .both($0.key, $0.value) }
        // Images that are being copied need most of the room.
        let limit = budget.whole / 4
        for piece in wanted.chunked(Self.pieceSize) where held < limit {
            let reading = try await repository.read(piece)
            for (id, manifest) in reading.manifests where held < limit {
                let kept = try keep(manifest)
                if let tag = id.tag { prefetched[tag] = kept }
            }
        }
        let found = (digests + tagged.values).unique().compactMap { digest in known[digest].map { (digest, $0) } }
        return Dictionary(uniqueKeysWithValues: found)
    }

    /// Takes the manifest that a digest tag was found to hold by ``prefetch(_:tagged:)``.
    func takePrefetched(_ tag: Tag) -> Manifest? { prefetched.removeValue(forKey: tag) }

    /// Reads every manifest under `root`, level by level, once for all destinations.
    nonisolated func graph(under root: Manifest) async throws -> ImageGraph {
        guard !root.children.isEmpty else {
            await remember(root)
            return ImageGraph(root)
        }
        return try await graphs.run(root.digest) { try await self.readGraph(under: root) }
    }

    private func readGraph(under root: Manifest) async throws -> ImageGraph {
        remember(root)
        var image = ImageGraph(root)
        var level = [root]
        for _ in 0..<Self.deepestIndex {
            var parents: [Digest: Digest] = [:]
            for parent in level {
                for child in parent.children where image.manifests[child.digest] == nil {
                    parents[child.digest] = parent.digest
                }
            }
            let wanted = level.flatMap(\.children).map(\.digest).unique().filter { parents[$0] != nil }
            guard !wanted.isEmpty else { return image }
            guard image.manifests.count + wanted.count <= Self.mostManifests else {
                throw failure(
                    .unsupported(.other("the image has more than \(Self.mostManifests) manifests")),
                    root.digest,
                    "reading the image"
                )
            }
            let answered = try await readChildren(of: level, wanted)
            var read = answered.found
            for child in level.flatMap(\.children) where read[child.digest] == nil {
                // A manifest that the index embeds as `data` doesn't need to be in the registry.
                guard let data = child.data, let manifest = try? Manifest(bytes: data, mediaType: child.mediaType)
                else { continue }
                remember(manifest)
                read[child.digest] = manifest
            }
            let blobs = try await blobs(among: level.flatMap(\.children).filter { read[$0.digest] == nil })
            if !blobs.isEmpty {
                for parent in level { takeForBlobs(blobs, in: parent, of: &image) }
            }
            if let failure = wanted.lazy.filter({ !blobs.contains($0) }).compactMap({ answered.failures[$0] }).first {
                throw failure
            }
            for digest in wanted where !blobs.contains(digest) {
                image.manifests[digest] = read[digest]
                if read[digest] == nil { image.missing[digest] = parents[digest] }
            }
            level = wanted.compactMap { read[$0] }.filter { !$0.children.isEmpty }
        }
        guard level.isEmpty else {
            throw failure(
                .unsupported(.other("indexes are nested more than \(Self.deepestIndex) deep")),
                root.digest,
                "reading the image"
            )
        }
        return image
    }

    /// Reads the manifests that indexes name.
    ///
    /// If an entry's media type doesn't say that it is a manifest, failing to read it as one is not an error yet.
    private func readChildren(
        of level: [Manifest],
        _ wanted: [Digest]
    ) async throws -> (found: [Digest: Manifest], failures: [Digest: CopyError]) {
        let unsure = Set(level.flatMap(\.children).filter { !$0.mediaType.isManifest }.map(\.digest))
        do {
            return (try await read(wanted), [:])
        } catch let error as CopyError where !unsure.isEmpty && !error.endsRun {
            var found = try await read(wanted.filter { !unsure.contains($0) })
            let (rest, failures) = try await readSeparately(wanted.filter(unsure.contains))
            found.merge(rest) { first, _ in first }
            return (found, failures)
        }
    }

    /// The entries of indexes that are not manifests at the source, but that it holds as blobs.
    private func blobs(among entries: [Descriptor]) async throws -> Set<Digest> {
        let unsure = entries.filter { !$0.mediaType.isManifest }
        guard !unsure.isEmpty else { return [] }
        let missing = try await repository.missing(unsure.filter { $0.data == nil })
        return Set(unsure.map(\.digest)).subtracting(missing)
    }

    private func takeForBlobs(_ blobs: Set<Digest>, in index: Manifest, of image: inout ImageGraph) {
        let changed = (image.manifests[index.digest] ?? index).takingForBlobs(blobs)
        image.manifests[index.digest] = changed
        if image.root.digest == index.digest { image.root = changed }
        // An outline remains an outline.
        if let kept = known[index.digest] { known[index.digest] = kept.takingForBlobs(blobs) }
    }

    private func failure(_ reason: CopyError.Reason, _ digest: Digest, _ operation: String) -> CopyError {
        CopyError(
            reason,
            side: repository.side,
            image: repository.reference.tagged(nil, digest: digest),
            operation: operation
        )
    }
}
