internal import Content
internal import Platform

/// Carries out a plan: children before parents, and the tag last.
///
/// A registry accepts a manifest only if it holds everything the manifest names. A client that pulls from the
/// destination meanwhile gets the old image or the new one, never a mixture.
///
/// - Source: docs/architecture.md#one-copy
struct Copier: Sendable {
    let plan: Plan
    let source: any ImageRepository
    let state: DestinationState
    let mover: BlobMover
    let options: CopyOptions
    let report: @Sendable (CopyEvent) -> Void

    private let counts = Lock(Counts())

    /// The most manifests in flight; `PutImage` is ECR's scarcest quota (10 a second, docs/facts/quotas.md#rates).
    static let parallelManifests = 8
    /// The most blobs that wait for a slot at once; the slots limit what moves.
    static let parallelBlobs = 64

    private struct Counts {
        var moved = 0
        var mounted = 0
        var bytes: Int64 = 0
        var manifests = 0
        var arrived: Set<Digest> = []
        var put: Set<Digest> = []
    }

    init(
        plan: Plan,
        source: any ImageRepository,
        state: DestinationState,
        mover: BlobMover,
        options: CopyOptions,
        report: @escaping @Sendable (CopyEvent) -> Void
    ) {
        self.plan = plan
        self.source = source
        self.state = state
        self.mover = mover
        self.options = options
        self.report = report
    }

    func run() async throws -> CopyReceipt {
        let lacking = Dictionary(
            plan.manifestsToPut.map { ($0.manifest.digest, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        let missing = Set(plan.blobs.map(\.digest))
        // If the content was checked, something may be missing below a manifest that the destination holds.
        let part = Dictionary(
            plan.manifests.filter { $0.role != .referrer && (!$0.isThere || plan.checksContent) }.map {
                ($0.manifest.digest, $0)
            },
            uniquingKeysWith: { first, _ in first }
        )
        try await copyContent(below: plan.root.digest, part, missing)
        let tags = plan.tags.filter { !$0.isReferrer }
        guard (options.tagsAfterReferrers && plan.putsReferrers && !tags.isEmpty) || options.additions != nil else {
            let set = try await setTags(tags, lacking)
            return receipt(set, try await copyReferrers(missing))
        }
        // The subject is put before its referrers, and here both are put before the tag that makes the image visible.
        if lacking[plan.root.digest] != nil, await !state.has(plan.root.digest) {
            try await put(plan.root, tag: nil)
            if tags.isEmpty { try await state.repository.keepUntagged(plan.root) }
        }
        let referrers = try await copyReferrers(missing)
        let added = try await addReferrers()
        return receipt(try await setTags(tags, lacking, afterAdding: !added.isEmpty), referrers, added)
    }

    /// Copies everything under `digest` and the manifests themselves, except the root's, which waits for its tag.
    private func copyContent(
        below digest: Digest,
        _ part: [Digest: Plan.PlannedManifest],
        _ missing: Set<Digest>
    ) async throws {
        guard let planned = part[digest] else { return }
        let manifest = planned.manifest
        let work: [@Sendable () async throws -> Void] = [
            { try await copyBlobs(of: manifest, missing) },
            { try await copyChildren(of: manifest, part, missing) },
        ]
        try await work.forEachConcurrently(limit: work.count) { try await $0() }
    }

    private func copyChildren(
        of manifest: Manifest,
        _ part: [Digest: Plan.PlannedManifest],
        _ missing: Set<Digest>
    ) async throws {
        let children = manifest.children.map(\.digest).unique().compactMap { part[$0]?.manifest }
        try await children.forEachConcurrently(limit: Self.parallelManifests) { child in
            // Two images of a run may share a child; it is put once.
            _ = try await state.deliveries.run(child.digest) {
                try await copyContent(below: child.digest, part, missing)
                if await !state.has(child.digest) { try await put(child, tag: nil) }
                return true
            }
        }
    }

    func copyBlobs(of manifest: Manifest, _ missing: Set<Digest>) async throws {
        let blobs = (manifest.blobs + manifest.foreignBlobs).filter { missing.contains($0.digest) }
        try await blobs.forEachConcurrently(limit: Self.parallelBlobs) { blob in
            count(try await mover.move(BlobTransfer(blob, from: source, to: state.repository)), blob)
            state.noteMoved(blob.digest)
        }
    }

    func count(_ arrival: BlobMover.Arrival, _ blob: Descriptor) {
        counts.withLock {
            switch arrival {
            case .moved:
                $0.moved += 1
                $0.bytes += blob.size
            case .mounted: $0.mounted += 1
            case .wasThere: break
            }
            $0.arrived.insert(blob.digest)
        }
    }

    /// Sets the tags that need it.
    ///
    /// A guarded tag is read again if bytes had to move since it was read, whether this image or another one moved
    /// them.
    ///
    /// - Parameter hasAdded: Whether referrers were added, which moved bytes too.
    private func setTags(
        _ tags: [Plan.PlannedTag],
        _ lacking: [Digest: Plan.PlannedManifest],
        afterAdding hasAdded: Bool = false
    ) async throws -> [CopyReceipt.TagResult] {
        let current = try await confirmed(tags, afterAdding: hasAdded)
        // The first tag is set alone: if the registry rejects it, the others are not set either.
        let wanted = current.filter(\.needsPut)
        for some in [wanted.prefix(1), wanted.dropFirst()] {
            try await some.forEachConcurrently(limit: Self.parallelManifests) { planned in
                guard let manifest = manifest(planned.digest) else { return }
                try await put(manifest, tag: planned.tag)
            }
        }
        // A tag that stays may point at a manifest that the destination has lost.
        if let kept = tags.first(where: { !$0.isReferrer && $0.digest == plan.root.digest && !$0.needsPut }),
            !current.contains(where: { !$0.isReferrer && $0.needsPut }), kept.action == .keep,
            lacking[plan.root.digest] != nil, await !state.has(plan.root.digest)
        {
            try await put(plan.root, tag: kept.tag)
        }
        // An image without a tag to set is still put.
        if tags.isEmpty, !plan.tags.contains(where: { !$0.isReferrer }), lacking[plan.root.digest] != nil,
            await !state.has(plan.root.digest)
        {
            try await put(plan.root, tag: nil)
            try await state.repository.keepUntagged(plan.root)
        }
        return try zip(tags, current).map { planned, now in
            switch now.action {
            case .keep: return CopyReceipt.TagResult(tag: planned.tag, outcome: .unchanged)
            case .skip(let held): return .init(tag: planned.tag, outcome: .skipped, previous: held)
            case .set: return .init(tag: planned.tag, outcome: .set)
            case .move(let held): return .init(tag: planned.tag, outcome: .moved, previous: held)
            case .refuse(let error): throw error
            }
        }
    }

    /// The tags as they are to be set now: guarded ones are read again if bytes had to move.
    func confirmed(_ tags: [Plan.PlannedTag], afterAdding hasAdded: Bool = false) async throws -> [Plan.PlannedTag] {
        guard options.isGuarded, tags.contains(where: \.needsPut), !plan.blobs.isEmpty || hasAdded else { return tags }
        return try await TagGuard(state: state, options: options).confirm(tags)
    }

    func manifest(_ digest: Digest) -> Manifest? {
        digest == plan.root.digest ? plan.root : plan.referrerManifests[digest] ?? plan.manifest(digest)
    }

    /// Puts a manifest, and copies content again if the registry says that it is missing.
    func put(_ manifest: Manifest, tag: Tag?) async throws {
        guard manifest.byteCount > Self.largeManifest else { return try await putWhole(manifest, tag: tag) }
        // Sending a manifest takes several times its size in memory.
        try await state.largePuts.inTurn { try await putWhole(manifest, tag: tag) }
    }

    /// The size in bytes above which manifests are put one after another.
    static let largeManifest = 128 << 10

    /// The manifest with its bytes, which are read again if only its outline was kept.
    private func whole(_ manifest: Manifest) async throws -> Manifest {
        guard manifest.isOutline else { return manifest }
        let id = ManifestID.digest(manifest.digest)
        let reading = try await source.read([id])
        if let whole = reading.manifests[id] { return whole }
        throw CopyError(
            reading.failures[id] ?? .childMissing(manifest.digest, of: plan.root.digest),
            side: .source,
            image: source.reference.tagged(nil, digest: manifest.digest),
            operation: "reading the image again"
        )
    }

    func putWhole(_ manifest: Manifest, tag: Tag?) async throws {
        let manifest = try await whole(manifest)
        try await putRepairing(manifest, tag: tag)
        let isNew = await !state.has(manifest.digest)
        await state.didPut(manifest.digest, tag: tag)
        counts.withLock {
            if isNew { $0.manifests += 1 }
            $0.put.insert(manifest.digest)
        }
        report(.manifestPut(manifest.digest, tag: tag, to: state.repository.reference))
    }

    /// The part of the plan that has not been carried out yet.
    var remainder: CopyResult.Remainder {
        let counts = counts.withLock { $0 }
        let blobs = plan.blobs.filter { !counts.arrived.contains($0.digest) }
        return CopyResult.Remainder(
            blobs: blobs.count,
            bytes: blobs.reduce(0) { $0 + $1.size },
            manifests: plan.manifestsToPut.count { !counts.put.contains($0.manifest.digest) }
        )
    }

    private func receipt(
        _ tags: [CopyReceipt.TagResult],
        _ referrers: CopiedReferrers,
        _ added: [AddedReferrer] = []
    ) -> CopyReceipt {
        let wanted = plan.tags.filter { !$0.isReferrer }.map(\.tag)
        var receipt = CopyReceipt(
            source: plan.source,
            destination: plan.destination,
            digest: plan.root.digest,
            mediaType: plan.root.mediaType,
            tags: tags.filter { wanted.contains($0.tag) }
        )
        let counts = counts.withLock { $0 }
        receipt.blobsMoved = counts.moved
        receipt.blobsMounted = counts.mounted
        receipt.bytesMoved = counts.bytes
        // For this image, content that another image of the run copied counts as already there.
        receipt.blobsThere = plan.blobsThere + max(0, plan.blobs.count - counts.moved - counts.mounted)
        receipt.manifestsPut = counts.manifests
        receipt.referrers = referrers.count
        receipt.referrerFailures = plan.referrerFailures + referrers.failures
        receipt.addedReferrers = added.map(\.manifest.digest)
        receipt.notes = plan.notes + (plan.lostText.map { ["repaired: \($0)"] } ?? []) + added.compactMap(\.note)
        receipt.manifestsRepaired = plan.lostManifests.count
        receipt.blobsRepaired = plan.lostBlobs.count
        if options.repairs, plan.checksContent, plan.lostText == nil, plan.isDone {
            receipt.notes.append("nothing is missing below \(plan.destination)@\(plan.root.digest)")
        }
        return receipt
    }
}

extension Plan.PlannedTag {
    var needsPut: Bool {
        switch action {
        case .set, .move: true
        case .keep, .skip, .refuse: false
        }
    }
}

extension Plan {
    /// Whether a referrer, or a referrer's tag, needs to be put.
    fileprivate var putsReferrers: Bool {
        manifests.contains { $0.role == .referrer && !$0.isThere } || tags.contains { $0.isReferrer && $0.needsPut }
    }

    /// The plan's manifest with this digest.
    func manifest(_ digest: Digest) -> Manifest? { manifests.first { $0.manifest.digest == digest }?.manifest }
}
