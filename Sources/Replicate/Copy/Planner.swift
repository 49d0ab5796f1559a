internal import Content

/// Decides what must be done for one image at its destinations, before anything is written.
///
/// - Source: docs/architecture.md#one-copy
struct Planner: Sendable {
    let reader: SourceReader
    let options: CopyOptions
    /// Whether blobs will go to the registries' uploads, which are better prepared for.
    var expectsUploads = true

    /// One image: where it comes from, what it is, which tags it should get where.
    struct Wish: Sendable {
        var source: ImageReference
        var root: Manifest
        var tags: [Tag]
        /// An index that was made for `--platform` exists nowhere yet and has no referrers of its own.
        var isMade: Bool
        var notes: [String]
    }

    /// A plan for each session, or why there is none; one destination's failure is not another's.
    func plan(_ wish: Wish, for sessions: [DestinationSession]) async throws -> [Result<Plan, any Error>] {
        var needy: [DestinationSession] = []
        var empty: [DestinationSession] = []
        for session in sessions {
            let known = await session.has(wish.root.digest)
            let lacks = wish.isMade ? !known : !(known || session.isSource)
            if lacks { empty.append(session) }
            if lacks || session.checksContent { needy.append(session) }
        }
        // Nobody waits for it but the last lines: what fails here is found out by who needs it.
        let lacking = needy
        // Where the root is there, little or nothing has to be moved.
        let unprepared = empty
        async let prepared: Void = prepare(unprepared, for: wish.root)
        let trouble = Trouble(sessions.count)
        let indexes = Dictionary(uniqueKeysWithValues: sessions.enumerated().map { (ObjectIdentifier($1), $0) })
        let asking = lacking
        let ask: @Sendable ([Digest]) async throws -> Void = { digests in
            try await asking.forEachConcurrently(limit: asking.count) { session in
                do {
                    try await session.look(for: digests)
                } catch is CancellationError {
                    throw CancellationError()
                } catch {
                    await trouble.note(error, at: indexes[ObjectIdentifier(session)] ?? 0)
                }
            }
        }

        let image: SourceImage
        let referrers: ReferrerSet
        let direct = (wish.isMade ? [] : [wish.root.digest]) + wish.root.children.map(\.digest)
        // In the repository that the image is in, what refers to it is there too.
        let wantsReferrers = options.referrers == .all && sessions.contains { !$0.isSource }
        if wantsReferrers, !wish.root.children.contains(where: { $0.mediaType.isIndex }) {
            async let found = findReferrers(about: direct)
            image = try await graph(under: wish.root, isNeeded: !needy.isEmpty, ask)
            referrers = try await found
        } else {
            image = try await graph(under: wish.root, isNeeded: !needy.isEmpty || wantsReferrers, ask)
            let subjects = image.manifestsBelow(wish.root.digest).filter { !wish.isMade || $0 != wish.root.digest }
            referrers = wantsReferrers ? try await findReferrers(about: subjects) : ReferrerSet()
        }
        await prepared
        return try await sessions.enumerated().map { ($0, $1) }.mapConcurrently(limit: sessions.count) {
            index,
            session in
            if let error = await trouble.at(index) { return .failure(error) }
            do {
                return .success(try await plan(wish, image, referrers, at: session))
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                return .failure(error)
            }
        }
    }

    /// Opens connections while the graph is read: no blob waits for a handshake that it could have had.
    private func prepare(_ needy: [DestinationSession], for root: Manifest) async {
        guard expectsUploads, !options.isDryRun, !needy.isEmpty else { return }
        await ([reader.repository] + needy.map(\.repository)).prepare(for: root, isCertain: true)
    }

    /// The whole graph, or only its root where nobody needs more.
    private func graph(
        under root: Manifest,
        isNeeded: Bool,
        _ ask: @escaping @Sendable ([Digest]) async throws -> Void
    ) async throws -> SourceImage {
        guard isNeeded else { return SourceImage(root: root, manifests: [root.digest: root], missing: [:]) }
        return try await reader.image(under: root, alongside: ask)
    }

    func findReferrers(about subjects: [Digest]) async throws -> ReferrerSet {
        try await ReferrerFinder(reader: reader, repository: reader.repository).findAll(about: subjects.unique())
    }

    private func plan(
        _ wish: Wish,
        _ image: SourceImage,
        _ referrers: ReferrerSet,
        at session: DestinationSession
    ) async throws -> Plan {
        let guardian = TagGuard(session: session, options: options)
        var tags = try await guardian.decide(wish.tags, for: wish.root.digest, isReferrer: false)
        var manifests: [Plan.PlannedManifest] = []
        var further = PlannedReferrers()
        let isAllSkipped = !wish.tags.isEmpty && tags.allSatisfy { if case .skip = $0.action { true } else { false } }
        if !isAllSkipped {
            manifests = try await lacking(image, isMade: wish.isMade, at: session)
            try refuseIndexesOfBlobs(among: manifests, wish.tags.first, at: session)
            if !session.isSource { further = try await plan(referrers, at: session, guardian) }
        }
        further.drop(try await guardian.checkImmutability(of: tags + further.tags))
        let known = Set(manifests.map(\.manifest.digest))
        manifests += further.manifests.filter { !known.contains($0.manifest.digest) }
        tags += further.tags

        let asked = manifests.filter { !$0.isThere || session.checksContent }.map(\.manifest)
        let blobs = try await blobs(of: asked, at: session)
        return Plan(
            source: wish.source,
            destination: session.repository.reference,
            root: wish.root,
            tags: tags,
            manifests: manifests,
            blobs: blobs.missing,
            blobsThere: blobs.there.count,
            blobsElsewhere: blobs.elsewhere,
            notes: wish.notes + referrers.notes + [await session.template?.words].compactMap { $0 }
                + manifests.filter { !$0.isThere }.compactMap { badDataNote($0.manifest) },
            createsRepository: await session.isNew,
            creationTemplate: await session.template?.prefix,
            referrerManifests: further.tagged,
            referrerFailures: further.failures,
            presentBlobs: blobs.there,
            checksContent: session.checksContent
        )
    }

    /// The manifests under the root, children first, with what the destination lacks marked.
    ///
    /// What is under a manifest that the destination has is there too: no registry takes a parent before its children.
    /// Where that is not believed, everything was asked for.
    private func lacking(
        _ image: SourceImage,
        isMade: Bool,
        at session: DestinationSession
    ) async throws -> [Plan.PlannedManifest] {
        var lacking: Set<Digest> = []
        var seen: Set<Digest> = []
        var level = [image.root.digest]
        while !level.isEmpty {
            var next: [Digest] = []
            for digest in level where seen.insert(digest).inserted {
                let known = await session.has(digest)
                if known, session.checksContent { next += image.manifests[digest]?.children.map(\.digest) ?? [] }
                guard !known, !(session.isSource && !(isMade && digest == image.root.digest)) else { continue }
                lacking.insert(digest)
                next += image.manifests[digest]?.children.map(\.digest) ?? []
            }
            level = next
        }
        var planned: [Plan.PlannedManifest] = []
        for digest in image.manifestsBelow(image.root.digest) {
            let isRoot = digest == image.root.digest
            let isThere = !lacking.contains(digest)
            if let manifest = image.manifests[digest] {
                if !isThere { try refuseOddEntries(of: manifest, under: image.root.digest) }
                planned.append(.init(manifest: manifest, role: isRoot ? .root : .child, isThere: isThere))
            } else if !isThere, image.missing[digest] != nil {
                throw CopyError(
                    .childMissing(digest, of: image.missing[digest] ?? image.root.digest),
                    side: .source,
                    image: reader.repository.reference.tagged(nil, digest: image.root.digest).description,
                    operation: "reading the image"
                )
            }
        }
        return planned
    }

    /// Throws if an index of blobs must be put where such are not taken, before anything is moved.
    func refuseIndexesOfBlobs(
        among manifests: [Plan.PlannedManifest],
        _ tag: Tag?,
        at session: DestinationSession
    ) throws {
        guard !session.repository.takesIndexesOfBlobs,
            let refused = manifests.first(where: { !$0.isThere && !$0.manifest.blobEntries.isEmpty })
        else { return }
        throw CopyError(
            .refusedIndexOfBlobs(refused.manifest),
            side: .destination,
            image: session.repository.reference.tagged(tag).description,
            operation: "planning the copy"
        )
    }

    private func badDataNote(_ manifest: Manifest) -> String? {
        guard manifest.badDataCount > 0 else { return nil }
        return
            "data inside the manifest \(manifest.digest) is not what its descriptors say (\(manifest.badDataCount) of them), "
            + "and is ignored"
    }

    /// Throws if an index that must be put names something that can't be brought.
    func refuseOddEntries(of manifest: Manifest, under root: Digest) throws {
        guard let odd = manifest.oddEntries.first else { return }
        throw CopyError(
            .badManifest(odd.error),
            side: .source,
            image: reader.repository.reference.tagged(nil, digest: root).description,
            operation: "reading the image"
        )
    }

    private func blobs(
        of manifests: [Manifest],
        at session: DestinationSession
    ) async throws -> (missing: [Descriptor], there: [Descriptor], elsewhere: [Descriptor]) {
        var seen: Set<Digest> = []
        var wanted = manifests.flatMap(\.blobs).filter { seen.insert($0.digest).inserted }
        var foreign = manifests.flatMap(\.foreignBlobs).filter { seen.insert($0.digest).inserted }
        if !foreign.isEmpty {
            // The source may hold the bytes of a foreign layer, if whoever pushed it said so
            // (docs/facts/image-formats.md#walking-a-graph).
            let absent = try await absentAtSource(foreign)
            wanted += foreign.filter { !absent.contains($0.digest) }
            foreign = foreign.filter { absent.contains($0.digest) }
        }
        let missing = try await session.missing(wanted)
        let there = wanted.filter { !missing.contains($0.digest) }
        return (wanted.filter { missing.contains($0.digest) }, there, foreign)
    }

    /// Who may not ask is answered by the descriptors themselves: such layers are had elsewhere.
    private func absentAtSource(_ foreign: [Descriptor]) async throws -> Set<Digest> {
        do {
            return try await reader.repository.missing(foreign)
        } catch let error as CopyError where error.kind == .notPermitted {
            return Set(foreign.map(\.digest))
        }
    }

    /// What went wrong at which destination while the source was being read.
    private actor Trouble {
        private var errors: [(any Error)?]
        init(_ count: Int) { errors = Array(repeating: nil, count: count) }
        func note(_ error: any Error, at index: Int) { errors[index] = errors[index] ?? error }
        func at(_ index: Int) -> (any Error)? { errors[index] }
    }
}

extension [any ImageRepository] {
    /// For how many blobs an index is expected to need connections before its children are known.
    private static var blobsOfAnIndex: Int { 16 }

    func prepare(for root: Manifest, isCertain: Bool) async {
        let expected = root.children.isEmpty ? root.blobs.count : Self.blobsOfAnIndex
        await withTaskGroup(of: Void.self) { group in
            for place in self {
                group.addTask {
                    await place.prepare(forBlobs: Swift.min(expected, Admission.mostAtOnce), isCertain: isCertain)
                }
            }
        }
    }
}
