internal import Content

/// One image to copy.
struct SourceImage: Sendable {
    /// The source's repository, with the tag or digest that was asked for.
    var reference: ImageReference
    var root: Manifest
    /// Whether the root is an index made for several `--platform`s, which exists in no registry yet and has no
    /// referrers.
    var isMade = false
    var notes: [String] = []
    /// A note to show if the image gets no tag.
    var untaggedNote: String?
    /// Why the image may be copied nowhere (``CopyOptions/admission``).
    var refusals: [CopyError] = []
}

/// Decides what to do for one image at one destination, before anything is written.
struct Planner: Sendable {
    let reader: SourceReader
    let options: CopyOptions
    /// Whether blobs will use the registries' uploads, so that connections are worth opening early.
    var expectsUploads = true

    /// Reads both sides to find what the destination lacks of the image, and decides about every tag.
    ///
    /// Several destinations of one image are planned concurrently; the source is read once for all of them.
    ///
    /// - Throws: ``CopyError`` if the image can't be copied there. A tag that must not be set is not an error; the plan
    ///   contains the refusal.
    func plan(_ image: SourceImage, _ tags: [Tag], at destination: DestinationState) async throws -> Plan {
        let root = image.root
        let hasRoot = await destination.has(root.digest) || (destination.isSource && !image.isMade)
        // The content below a manifest that a registry holds is assumed to be there.
        let looksBelow = !hasRoot || destination.checksContent
        let wantsReferrers = options.referrers == .all && !destination.isSource
        async let prepared: Void = prepare(destination, for: image, isNeeded: !hasRoot)
        async let looked: Void = looksBelow ? destination.look(for: root.children.map(\.digest)) : ()
        let graph: ImageGraph
        let referrers: ReferrerSet
        if !wantsReferrers {
            graph = looksBelow ? try await reader.graph(under: root) : ImageGraph(root)
            referrers = ReferrerSet()
        } else if root.children.contains(where: { $0.mediaType.isIndex }) {
            // The manifests to ask about are known only after all indexes have been read.
            graph = try await reader.graph(under: root)
            referrers = try await reader.referrers(of: image, graph.manifestsBelow(root.digest))
        } else {
            async let found = reader.referrers(of: image, [root.digest] + root.children.map(\.digest))
            graph = looksBelow ? try await reader.graph(under: root) : ImageGraph(root)
            referrers = try await found
        }
        try await looked
        if looksBelow {
            let asked = Set(root.children.map(\.digest))
            try await destination.look(
                for: graph.manifestsBelow(root.digest).filter { $0 != root.digest && !asked.contains($0) }
            )
        }
        await prepared
        return try await plan(image, tags, graph, referrers, at: destination)
    }

    /// Opens connections while the graph is read, so that no blob waits for a handshake.
    private func prepare(_ destination: DestinationState, for image: SourceImage, isNeeded: Bool) async {
        guard expectsUploads, !options.isDryRun, isNeeded else { return }
        async let source: Void = reader.prepare(for: image.root)
        await prepareConnections(at: [destination.repository], for: image.root, isCertain: true)
        await source
    }

    private func plan(
        _ image: SourceImage,
        _ wanted: [Tag],
        _ graph: ImageGraph,
        _ referrers: ReferrerSet,
        at destination: DestinationState
    ) async throws -> Plan {
        let guardian = TagGuard(state: destination, options: options)
        var tags = await guardian.decide(wanted, for: image.root.digest, isReferrer: false)
        var manifests: [Plan.PlannedManifest] = []
        var further = PlannedReferrers()
        var new: NewRepository?
        let isAllSkipped = !wanted.isEmpty && tags.allSatisfy { if case .skip = $0.action { true } else { false } }
        var refusals = image.refusals
        // A refused image is not copied, so only a dry run goes on, to find all refusals.
        let isRefused = !refusals.isEmpty || tags.contains { $0.refusal != nil }
        if !isAllSkipped, !isRefused || options.isDryRun {
            manifests = try await lacking(graph, isMade: image.isMade, at: destination)
            if let refused = refusedIndexOfBlobs(among: manifests, wanted.first, at: destination) {
                refusals.append(refused)
            }
            if !destination.isSource { further = try await plan(referrers, at: destination, guardian) }
            tags += further.tags
            let immutable = try await guardian.refuseImmutable(&tags)
            further.drop(immutable)
            tags.removeAll { $0.isReferrer && immutable[$0.tag] != nil }
            do {
                new = try await destination.newRepository(like: reader.repository, options.createRepository)
            } catch let error as CopyError {
                guard case .unsupported = error.reason else { throw error }
                refusals.append(error)
            }
        }
        let known = Set(manifests.map(\.manifest.digest))
        manifests += further.manifests.filter { !known.contains($0.manifest.digest) }

        let asked = manifests.filter { !$0.isThere || destination.checksContent }.map(\.manifest)
        let movesNothing = !refusals.isEmpty || tags.contains { $0.refusal != nil }
        let blobs = movesNothing ? BlobPresence() : try await blobs(of: asked, at: destination)
        return Plan(
            source: image.reference,
            destination: destination.repository.reference,
            // Only now is it known which entries of an index are blobs.
            root: graph.root,
            tags: tags,
            manifests: manifests,
            blobs: blobs.missing,
            blobsThere: blobs.there.count,
            blobsElsewhere: blobs.elsewhere,
            notes: image.notes + [wanted.isEmpty ? image.untaggedNote : nil].compactMap { $0 } + referrers.notes
                + [await destination.template?.words].compactMap { $0 } + (new?.notes ?? [])
                + manifests.filter { !$0.isThere }.compactMap { badDataNote($0.manifest) },
            createsRepository: await destination.isNew,
            creationTemplate: await destination.template?.prefix,
            creationSettings: new?.words ?? [],
            referrerManifests: further.tagged,
            referrerFailures: further.failures,
            imageRefusals: refusals,
            presentBlobs: blobs.there,
            checksContent: destination.checksContent
        )
    }

    /// The manifests under the root, children first, each marked with whether the destination has it.
    ///
    /// Everything under a manifest that the destination has counts as being there too, since no registry accepts a
    /// parent before its children. If that isn't trusted, the destination was asked for everything.
    private func lacking(
        _ image: ImageGraph,
        isMade: Bool,
        at destination: DestinationState
    ) async throws -> [Plan.PlannedManifest] {
        var lacking: Set<Digest> = []
        var seen: Set<Digest> = []
        var level = [image.root.digest]
        while !level.isEmpty {
            var next: [Digest] = []
            for digest in level where seen.insert(digest).inserted {
                let known = await destination.has(digest)
                if known, destination.checksContent { next += image.manifests[digest]?.children.map(\.digest) ?? [] }
                guard !known, !(destination.isSource && !(isMade && digest == image.root.digest)) else { continue }
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
                    image: reader.repository.reference.tagged(nil, digest: image.root.digest),
                    operation: "reading the image"
                )
            }
        }
        return planned
    }

    /// Why the destination would reject one of these manifests because it is an index of blobs; `nil` if it would not.
    func refusedIndexOfBlobs(
        among manifests: [Plan.PlannedManifest],
        _ tag: Tag?,
        at destination: DestinationState
    ) -> CopyError? {
        guard !destination.repository.takesIndexesOfBlobs,
            let refused = manifests.first(where: { !$0.isThere && !$0.manifest.blobEntries.isEmpty })
        else { return nil }
        return CopyError(
            .refusedIndexOfBlobs(refused.manifest),
            side: .destination,
            image: destination.repository.reference.tagged(tag),
            operation: "planning the copy"
        )
    }

    private func badDataNote(_ manifest: Manifest) -> String? {
        guard manifest.badDataCount > 0 else { return nil }
        return
            "ignored the embedded data of \(counted(manifest.badDataCount, "descriptor")) of the manifest "
            + "\(manifest.digest): it has another size or digest"
    }

    /// Throws if an index that must be put names an entry that can't be copied.
    func refuseOddEntries(of manifest: Manifest, under root: Digest) throws {
        guard let odd = manifest.oddEntries.first else { return }
        throw CopyError(
            .badManifest(odd.error),
            side: .source,
            image: reader.repository.reference.tagged(nil, digest: root),
            operation: "reading the image"
        )
    }

    /// Which blobs of some manifests are where.
    private struct BlobPresence {
        var missing: [Descriptor] = []
        var there: [Descriptor] = []
        /// Foreign layers that the source does not hold.
        var elsewhere: [Descriptor] = []
    }

    private func blobs(of manifests: [Manifest], at destination: DestinationState) async throws -> BlobPresence {
        var seen: Set<Digest> = []
        var wanted = manifests.flatMap(\.blobs).filter { seen.insert($0.digest).inserted }
        var foreign = manifests.flatMap(\.foreignBlobs).filter { seen.insert($0.digest).inserted }
        if !foreign.isEmpty {
            // The source holds the bytes of a foreign layer if its publisher pushed them
            // (docs/facts/image-formats.md#walking-a-graph).
            let absent = try await absentAtSource(foreign)
            wanted += foreign.filter { !absent.contains($0.digest) }
            foreign = foreign.filter { absent.contains($0.digest) }
        }
        let missing = try await destination.missing(wanted)
        let there = wanted.filter { !missing.contains($0.digest) }
        return BlobPresence(missing: wanted.filter { missing.contains($0.digest) }, there: there, elsewhere: foreign)
    }

    /// The foreign layers that the source does not hold; if it may not be asked, all of them.
    private func absentAtSource(_ foreign: [Descriptor]) async throws -> Set<Digest> {
        do {
            return try await reader.repository.missing(foreign)
        } catch let error as CopyError where error.kind == .notPermitted {
            return Set(foreign.map(\.digest))
        }
    }
}

/// For how many blobs an index is expected to need connections before its children are known.
private let blobsOfAnIndex = 16

/// Opens connections for the blobs of an image, at all of these places side by side.
func prepareConnections(at places: [any BlobHolder], for root: Manifest, isCertain: Bool) async {
    let expected = root.children.isEmpty ? root.blobs.count : blobsOfAnIndex
    await withTaskGroup(of: Void.self) { group in
        for place in places {
            group.addTask {
                await place.prepare(forBlobs: min(expected, Admission.mostAtOnce), isCertain: isCertain)
            }
        }
    }
}
