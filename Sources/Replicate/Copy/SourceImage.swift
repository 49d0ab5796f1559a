internal import Content

/// The graph under one root as the source has it: every manifest, read once, however many destinations there are.
///
/// - Source: docs/architecture.md#laws, 1: an image is a rooted graph of descriptors
struct SourceImage: Sendable {
    var root: Manifest
    /// Every manifest that was read, by digest, the root included.
    var manifests: [Digest: Manifest]
    /// Children that an index names and the source doesn't have, with the index that names them.
    var missing: [Digest: Digest]

    /// Every descriptor of a manifest under `digest`, itself included, children before parents, each once.
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

/// Reads graphs from one source repository, in bulk, and remembers what it has read.
actor SourceReader {
    let repository: any ImageRepository
    private var known: [Digest: Manifest] = [:]
    private var absent: Set<Digest> = []
    /// What ``known`` takes, in bytes.
    private var held = 0
    /// Of images that are done with, the oldest first.
    private var finished: [Digest] = []
    private let budget: Budget

    /// How much memory manifests may take in one run, by ``Manifest/footprint``.
    struct Budget: Sendable {
        /// In bytes; past it manifests of images that are done with are forgotten, and of others only outlines are kept.
        var whole: Int
        /// In bytes; past it an image can't be copied.
        var outlines: Int

        /// Thousands of images of the usual size, and a run within 64 MiB; outlines leave it far within 256 MiB
        /// (docs/architecture.md#bounds).
        static let usual = Budget(whole: 24 << 20, outlines: 72 << 20)
    }

    /// Levels of indexes in indexes; whether ECR takes them is UNSURE (docs/facts/ecr-api.md#putimage), real images use
    /// one.
    static let deepestIndex = 8
    /// Manifests under one root; a guard against a graph made to exhaust us.
    static let mostManifests = 10_000
    /// Manifests asked for at a time: four calls of ECR's side by side.
    static let pieceSize = 400
    /// As many where they have turned out to be large; no repository postpones any of so few.
    static let largePieceSize = 2

    /// The source's digest tags, where its tags were listed anyway.
    private nonisolated let knownDigestTags: DigestTagIndex?
    private nonisolated let listing = SingleFlight<Digest, DigestTagIndex?>()

    init(_ repository: any ImageRepository, digestTags: DigestTagIndex? = nil, budget: Budget = .usual) {
        self.repository = repository
        self.budget = budget
        knownDigestTags = digestTags
    }

    /// Whether the source may have this digest tag; `false` where its tags were listed and the tag is not among them.
    nonisolated func mayHold(_ tag: Tag) -> Bool {
        guard let listing = knownDigestTags?.listing, listing.isWhole, let subject = tag.digestTagSubject else {
            return true
        }
        return listing.tags[subject]?.contains(tag) ?? false
    }

    /// The source's digest tags, if it lists tags; asked for once.
    nonisolated func digestTags() async throws -> DigestTagIndex? {
        if let knownDigestTags { return knownDigestTags }
        return try await listing.run(.ofNothing) { [repository] in
            try await repository.listDigestTags().map(DigestTagIndex.init)
        }
    }

    func remember(_ manifest: Manifest) { _ = try? keep(manifest) }

    func manifest(_ digest: Digest) -> Manifest? { known[digest] }

    /// Told of manifests that no plan needs any more; they are remembered as long as there is room.
    func finish(_ digests: [Digest]) { finished += digests.filter { known[$0] != nil } }

    /// Keeps a manifest, whole if there is room.
    private func keep(_ manifest: Manifest) throws -> Manifest {
        if let before = known[manifest.digest] { return before }
        var kept = manifest
        if held + kept.footprint > budget.whole { forgetFinished() }
        if held + kept.footprint > budget.whole { kept = manifest.outline() }
        guard held + kept.footprint <= budget.outlines else {
            throw failure(
                .unsupported(
                    "its manifests need more than \(ByteCount(Int64(budget.outlines))) of memory",
                    remedy: "copy a part of it with --platform"
                ),
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

    /// Reads those of `digests` that aren't known yet; what is absent is left out.
    ///
    /// Where there are too many for the budget, some are outlines.
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

    /// Reads as ``read(_:)`` does, and says of each that can't be read what is wrong with it.
    ///
    /// - Throws: ``CopyError`` that is no failure of one manifest.
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

    /// Reads everything under `root`, level by level.
    ///
    /// - Parameter alongside: Called with the digests of each level before it is read, and run at the same time:
    ///   this is how the destination is asked side by side.
    func image(
        under root: Manifest,
        alongside: @escaping @Sendable ([Digest]) async throws -> Void
    ) async throws -> SourceImage {
        remember(root)
        var image = SourceImage(root: root, manifests: [root.digest: root], missing: [:])
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
                    .unsupported("the image has more than \(Self.mostManifests) manifests"),
                    root.digest,
                    "reading the image"
                )
            }
            async let asked: Void = alongside(wanted)
            var read = try await read(wanted)
            try await asked
            for child in level.flatMap(\.children) where read[child.digest] == nil {
                // One that the index carries along needs nobody to hold it.
                guard let data = child.data, let manifest = try? Manifest(bytes: data, mediaType: child.mediaType)
                else { continue }
                remember(manifest)
                read[child.digest] = manifest
            }
            for digest in wanted {
                image.manifests[digest] = read[digest]
                if read[digest] == nil { image.missing[digest] = parents[digest] }
            }
            level = wanted.compactMap { read[$0] }.filter { !$0.children.isEmpty }
        }
        guard level.isEmpty else {
            throw failure(
                .unsupported("indexes are nested more than \(Self.deepestIndex) deep"),
                root.digest,
                "reading the image"
            )
        }
        return image
    }

    private func failure(_ reason: CopyError.Reason, _ digest: Digest, _ operation: String) -> CopyError {
        CopyError(
            reason,
            side: repository.side,
            image: repository.reference.tagged(nil, digest: digest).description,
            operation: operation
        )
    }
}
