internal import Content

/// One image that is to be copied.
struct SourceImage: Sendable {
    /// The source's repository, with the tag or digest that was asked for.
    var reference: ImageReference
    var root: Manifest
    /// Whether the root is an index that was made for several `--platform`s: it exists nowhere yet, and nothing refers
    /// to it.
    var isMade = false
    var notes: [String] = []
    /// Shown where the image gets no tag.
    var untaggedNote: String?
}

/// Decides what must be done for one image at one destination, before anything is written.
struct Planner: Sendable {
    let reader: SourceReader
    let options: CopyOptions
    /// Whether blobs will go through the registries' uploads, for which connections are opened early.
    var expectsUploads = true

    /// Reads what the destination lacks of the image, at both sides, and decides about every tag.
    ///
    /// Several destinations of one image are planned side by side; the source is read once for all of them.
    ///
    /// - Throws: ``CopyError`` if the image can't be copied there. That a tag must not be set is not an error: the plan
    ///   says so.
    func plan(_ image: SourceImage, _ tags: [Tag], at destination: DestinationState) async throws -> Plan {
        let root = image.root
        let hasRoot = await destination.has(root.digest) || (destination.isSource && !image.isMade)
        // What lies below a manifest that a registry holds is not asked for again.
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
            // Which manifests there are to ask about is known only when all indexes were read.
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
        let isAllSkipped = !wanted.isEmpty && tags.allSatisfy { if case .skip = $0.action { true } else { false } }
        var refusals: [CopyError] = []
        // A refused image goes nowhere: only a dry run asks further, for all that would be refused.
        let isRefused = tags.contains { $0.refusal != nil }
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
        }
        let known = Set(manifests.map(\.manifest.digest))
        manifests += further.manifests.filter { !known.contains($0.manifest.digest) }

        let asked = manifests.filter { !$0.isThere || destination.checksContent }.map(\.manifest)
        let movesNothing = !refusals.isEmpty || tags.contains { $0.refusal != nil }
        let blobs = movesNothing ? BlobPresence() : try await blobs(of: asked, at: destination)
        return Plan(
            source: image.reference,
            destination: destination.repository.reference,
            // Which of an index's entries are blobs may have been found out only now.
            root: graph.root,
            tags: tags,
            manifests: manifests,
            blobs: blobs.missing,
            blobsThere: blobs.there.count,
            blobsElsewhere: blobs.elsewhere,
            notes: image.notes + [wanted.isEmpty ? image.untaggedNote : nil].compactMap { $0 } + referrers.notes
                + [await destination.template?.words].compactMap { $0 }
                + manifests.filter { !$0.isThere }.compactMap { badDataNote($0.manifest) },
            createsRepository: await destination.isNew,
            creationTemplate: await destination.template?.prefix,
            referrerManifests: further.tagged,
            referrerFailures: further.failures,
            imageRefusals: refusals,
            presentBlobs: blobs.there,
            checksContent: destination.checksContent
        )
    }

    /// The manifests under the root, children first, with what the destination lacks marked.
    ///
    /// What is under a manifest that the destination has is there too: no registry takes a parent before its children.
    /// Where that is not believed, everything was asked for.
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
                    image: reader.repository.reference.tagged(nil, digest: image.root.digest).description,
                    operation: "reading the image"
                )
            }
        }
        return planned
    }

    /// Why the destination would refuse one of these manifests: it is an index whose entries are blobs.
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
            image: destination.repository.reference.tagged(tag).description,
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

    /// Where the blobs of some manifests are.
    private struct BlobPresence {
        var missing: [Descriptor] = []
        var there: [Descriptor] = []
        /// Foreign layers that the source does not hold either.
        var elsewhere: [Descriptor] = []
    }

    private func blobs(of manifests: [Manifest], at destination: DestinationState) async throws -> BlobPresence {
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
        let missing = try await destination.missing(wanted)
        let there = wanted.filter { !missing.contains($0.digest) }
        return BlobPresence(missing: wanted.filter { missing.contains($0.digest) }, there: there, elsewhere: foreign)
    }

    /// Who may not ask is answered by the descriptors themselves: such layers are had elsewhere.
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
