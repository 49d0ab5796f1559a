internal import Content

/// Asks about many images together, before each of them is planned.
///
/// ECR answers for a hundred manifests or layers at a time, so that a piece of images takes far fewer requests than its
/// images one by one. What is not found out here is asked when an image is planned, which is where its error belongs.
struct ImagePrefetch: Sendable {
    let run: CopyRun
    let reader: SourceReader
    /// The digest tags of the source, if its tags were listed.
    let digestTags: DigestTagIndex?
    /// The referrers of the source, if a listing stated them all.
    let referrers: ReferrerIndex?
    /// What was read, by digest.
    private var manifests: [Digest: Manifest] = [:]

    /// An image that will be planned, at the destinations that get it.
    struct Upcoming: Sendable {
        var root: Manifest
        var options: CopyOptions
        /// The tags that it gets, by the index of the destination.
        var tags: [Int: [Tag]]
    }

    /// A destination, and the manifests that it needs.
    private struct Place: Sendable {
        let index: Int
        let state: DestinationState
        /// Manifests that it lacks, whose entries have not been looked at.
        var level: [Digest] = []
        /// Manifests that it lacks.
        var lacking: [Digest] = []
    }

    /// The most referrers of a piece of images that are read together.
    private static let mostReferrers = ReferrerBudget.most

    init(run: CopyRun, reader: SourceReader, digestTags: DigestTagIndex?, referrers: ReferrerIndex?) {
        (self.run, self.reader, self.digestTags, self.referrers) = (run, reader, digestTags, referrers)
    }

    /// Reads the children and referrers of the images, and asks each destination for what it needs of them.
    ///
    /// - Throws: ``CopyError`` if a question fails; what was learned until then is kept.
    mutating func ask(about images: [Upcoming], at states: [Int: DestinationState]) async throws {
        var places: [Place] = []
        for (index, state) in states.sorted(by: { $0.key < $1.key }) where Self.isWorthwhile(state) {
            await state.beginPiece()
            places.append(Place(index: index, state: state))
        }
        guard images.count > 1, !places.isEmpty else { return }
        for image in images { manifests[image.root.digest] = image.root }
        var wanted: [Upcoming] = []
        for image in images where await place(image, at: &places) { wanted.append(image) }
        let (first, repositories) = (first(of: wanted, at: places), places.map(\.state.repository))
        async let opened: Void = open(first, at: repositories)
        try await readChildren(&places)
        try await readReferrers(of: wanted, &places)
        try await askForBlobs(places)
        await opened
    }

    private static func isWorthwhile(_ state: DestinationState) -> Bool {
        state.repository.answersInBulk && !state.checksContent && !state.isSource
    }

    /// Adds an image to the destinations that lack it.
    ///
    /// - Returns: Whether any destination gets it.
    private mutating func place(_ image: Upcoming, at places: inout [Place]) async -> Bool {
        let target = target(of: image)
        var isWanted = false
        for place in places.indices {
            guard let tags = image.tags[places[place].index] else { continue }
            let state = places[place].state
            let guardian = TagGuard(state: state, options: image.options)
            let decisions = await guardian.decide(tags, for: target, isReferrer: false)
            // Nothing is asked for an image that is refused, or whose tags are all skipped.
            guard !decisions.contains(where: { $0.refusal != nil }),
                decisions.isEmpty || decisions.contains(where: { !$0.isSkipped })
            else { continue }
            isWanted = true
            if await !state.has(target) { places[place].level.append(target) }
        }
        return isWanted
    }

    /// The manifest that is copied for an image: its root, or what the selected platforms make of it.
    private mutating func target(of image: Upcoming) -> Digest {
        guard !image.options.platforms.isEmpty,
            let narrowed = try? PlatformSelection(wanted: image.options.platforms).narrow(image.root)
        else { return image.root.digest }
        switch narrowed.root {
        case .whole: return image.root.digest
        case .child(let entry): return entry.digest
        case .made(let index):
            manifests[index.digest] = index
            return index.digest
        }
    }

    /// The first image that will be moved; `nil` if none is.
    private func first(of images: [Upcoming], at places: [Place]) -> Manifest? {
        let lacking = Set(places.flatMap(\.level))
        return images.first { lacking.contains($0.root.digest) && !$0.options.isDryRun }?.root
    }

    /// Opens connections for the blobs of an image, while questions are asked.
    private func open(_ image: Manifest?, at repositories: [any BlobHolder]) async {
        guard let image, !run.mover.large.takesAll else { return }
        await prepareConnections(at: [reader.repository] + repositories, for: image, isCertain: true)
    }

    // MARK: Children

    /// Reads what the missing manifests name, level by level, and asks the destinations for it.
    private mutating func readChildren(_ places: inout [Place]) async throws {
        for _ in 0..<SourceReader.deepestIndex {
            let level = places.flatMap(\.level).unique()
            guard !level.isEmpty else { return }
            try await read(level.filter { manifests[$0] == nil })
            let children = places.map { place in place.level.flatMap { entries(of: $0) }.unique() }
            async let found = reader.prefetch(children.joined().unique())
            for place in places.indices {
                places[place].lacking += places[place].level
                places[place].level = []
            }
            let states = places.map(\.state)
            let lacking = try await states.indices.mapConcurrently(limit: max(states.count, 1)) { place in
                try await states[place].prefetch(manifests: children[place])
                return await states[place].lacked(of: children[place])
            }
            manifests.merge(try await found) { first, _ in first }
            for place in places.indices {
                let known = Set(places[place].lacking)
                places[place].level = lacking[place].filter { manifests[$0] != nil && !known.contains($0) }
            }
        }
    }

    private mutating func read(_ digests: [Digest]) async throws {
        guard !digests.isEmpty else { return }
        manifests.merge(try await reader.prefetch(digests)) { first, _ in first }
    }

    private func entries(of digest: Digest) -> [Digest] {
        (manifests[digest]?.children ?? []).filter(\.mediaType.isManifest).map(\.digest)
    }

    // MARK: Referrers

    /// Reads the referrers of the images and of their children, as far as the source's listing names them.
    private mutating func readReferrers(of images: [Upcoming], _ places: inout [Place]) async throws {
        guard let referrers else { return }
        var found: [Digest] = []
        var tagged: [Tag: Digest] = [:]
        var waiting = images.filter { $0.options.referrers == .all }.map(\.root).flatMap { root in
            [root.digest] + root.children.map(\.digest)
        }
        var seen = Set(waiting)
        while let subject = waiting.popLast(), found.count + tagged.count < Self.mostReferrers {
            for digest in referrers.referrers(of: subject).prefix(Self.mostReferrers) where seen.insert(digest).inserted
            {
                found.append(digest)
                waiting.append(digest)
            }
            for (tag, digest) in (digestTags?.held(about: subject) ?? []).prefix(Self.mostReferrers) {
                tagged[tag] = digest
                if seen.insert(digest).inserted { waiting.append(digest) }
            }
        }
        var lacking: [[Digest]] = []
        for place in places { lacking.append(await place.state.lacked(of: found + tagged.values)) }
        let wanted = Set(lacking.joined())
        let read = try await reader.prefetch(found.filter(wanted.contains), tagged: tagged)
        manifests.merge(read) { first, _ in first }
        for place in places.indices { places[place].lacking += lacking[place] }
    }

    // MARK: Blobs

    private func askForBlobs(_ places: [Place]) async throws {
        try await places.forEachConcurrently(limit: places.count) { place in
            let blobs = place.lacking.unique().compactMap { manifests[$0] }.flatMap(\.blobs)
            try await place.state.prefetch(blobs: blobs.uniqueByDigest())
        }
    }
}

extension Plan.PlannedTag {
    fileprivate var isSkipped: Bool { if case .skip = action { true } else { false } }
}
