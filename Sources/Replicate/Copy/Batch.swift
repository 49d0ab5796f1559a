internal import AWSIdentity
internal import Content
internal import Wire

/// Some images of one source repository on their way to some destinations.
struct Batch: Sendable {
    struct Target: Sendable {
        var reference: DestinationReference
        var session: Result<DestinationSession, any Error>
        /// What the reader should know of this destination.
        var note: String?
    }

    let replicator: Replicator
    let source: ImageReference
    let reader: SourceReader
    let options: CopyOptions
    let targets: [Target]
    /// What the source listed, once it was asked to.
    var listed: ListedSource?

    var from: any ImageRepository { reader.repository }

    /// The one image that was named.
    ///
    /// - Parameter isChosen: Whether it was found rather than named, so that its tag may be news to the reader.
    func copyOne(_ id: ManifestID, tags: [Tag], isChosen: Bool = false) async throws -> [CopyResult] {
        let wanted = targets.map { target in
            let named = ([target.reference.tag].compactMap { $0 } + tags).unique()
            return named.isEmpty ? [id.tag].compactMap { $0 } : named
        }
        let unfit = targets.indices.reduce(into: [Int: any Error]()) { unfit, index in
            unfit[index] = wanted[index].lazy.compactMap { self.unfit($0, at: targets[index]) }.first
        }
        let perTarget = targets.indices.map { index in
            guard unfit[index] == nil else { return [ManifestID]() }
            return wanted[index].isEmpty
                ? id.digest.map { [.digest($0)] } ?? [] : wanted[index].map { ManifestID.tag($0) }
        }
        let (values, failures) = try await asTheyAnswer(perTarget, asksSource: false) {
            try await replicator.drain.abandoning {
                let (root, failures) = try await firstReading(id, wanted)
                return (try await narrowed(root, id), failures.merging(unfit) { _, new in new })
            }
        } _: { wish, indexes in
            // Planned one after another, so that the source's graph is read once; copied side by side.
            let groups = Dictionary(grouping: indexes) { wanted[$0] }
            var work: [Work] = []
            for (tags, indexes) in groups.sorted(by: { $0.value[0] < $1.value[0] }) {
                var wish = wish
                wish.tags = tags
                if isChosen, tags.isEmpty { wish.notes.append(Self.untagged) }
                work += await plan(wish, at: indexes)
            }
            announce(work)
            return try await work.mapConcurrently(limit: work.count) { (index: $0.index, result: await finish($0)) }
        }
        var results: [CopyResult?] = targets.indices.map { index in
            failures[index].map { failed(source, targets[index].reference, $0, tags: wanted[index]) }
        }
        for (index, result) in values.joined() { results[index] = result }
        return results.compactMap { $0 }
    }

    private static let untagged =
        "the image has no tag to keep, and is stored without one; add :TAG to the destination, or pass --tag"

    /// Step 2 of the walk: the source's manifest, and in the same request the wanted tags of a destination that is the
    /// source's own repository.
    private func firstReading(_ id: ManifestID, _ wanted: [[Tag]]) async throws -> (Manifest, [Int: any Error]) {
        let shared = targets.indices.filter { session($0)?.isSource ?? false }
        let sharedTags = shared.flatMap { wanted[$0] }.unique().map { ManifestID.tag($0) }
        let reading = try await from.read(manifests: [id], digests: sharedTags)
        if let reason = reading.failures[id] { throw failure(reason) }
        guard let root = reading.manifests[id] else { throw failure(.imageMissing) }
        // On a long link the destinations' answers take a while yet.
        if !options.isDryRun {
            let places = targets.indices.compactMap(session).filter { !$0.isSource }.map(\.repository)
            await places.prepare(for: root, isCertain: false)
        }
        var failures: [Int: any Error] = [:]
        for index in shared {
            guard let session = session(index) else { continue }
            var own = reading
            own.digests = reading.digests.filter { $0.key != id || id.tag != nil }
            do { try await session.learn(own) } catch { failures[index] = error }
            await session.note(root.digest)
        }
        return (root, failures)
    }

    private func session(_ index: Int) -> DestinationSession? { try? targets[index].session.get() }

    /// The wish for a root that was read, narrowed to platforms if that was asked.
    func narrowed(_ root: Manifest, _ id: ManifestID) async throws -> Planner.Wish {
        let named = source.tagged(id.tag, digest: id.digest)
        guard !options.platforms.isEmpty else {
            let notes = from.notes(about: root.digest)
            return Planner.Wish(source: named, root: root, tags: [], isMade: false, notes: notes)
        }
        do {
            let narrowed = try PlatformSelection(wanted: options.platforms).narrow(root)
            switch narrowed.root {
            case .child(let descriptor):
                guard let child = try await reader.read([descriptor.digest])[descriptor.digest] else {
                    throw failure(.childMissing(descriptor.digest, of: root.digest))
                }
                let note =
                    "\(descriptor.platform?.description ?? "the image") of \(root.digest) is copied, not the index"
                return Planner.Wish(
                    source: named,
                    root: child,
                    tags: [],
                    isMade: false,
                    notes: [note] + narrowed.notes
                )
            case .whole:
                let note = "\(root.digest) has no other platforms, and is copied as it is"
                return Planner.Wish(
                    source: named,
                    root: root,
                    tags: [],
                    isMade: false,
                    notes: [note] + narrowed.notes
                )
            case .made(let manifest):
                let note =
                    "a new index \(manifest.digest) was made from \(root.digest); signatures of the old one don't fit it"
                return Planner.Wish(
                    source: named,
                    root: manifest,
                    tags: [],
                    isMade: true,
                    notes: [note] + narrowed.notes
                )
            }
        } catch let error as PlatformError {
            throw failure(error.reason)
        }
    }

    /// One image on its way to one destination.
    struct Work: Sendable {
        var index: Int
        var wish: Planner.Wish
        var plan: Result<Plan, any Error>
    }

    /// Plans one image for the destinations with these indexes; what is wrong with the image fails only that.
    func plan(_ wish: Planner.Wish, at indexes: [Int]) async -> [Work] {
        let places = indexes.compactMap { index in session(index).map { (index, $0) } }
        do {
            let plans = try await replicator.drain.abandoning {
                try await Planner(
                    reader: reader,
                    options: options,
                    expectsUploads: !replicator.mover.large.takesAll
                ).plan(wish, for: places.map(\.1))
            }
            return zip(places, plans).map { place, plan in
                let noted = plan.map { plan in
                    var plan = plan
                    plan.notes += [targets[place.0].note].compactMap { $0 }
                    return plan
                }
                return Work(index: place.0, wish: wish, plan: noted)
            }
        } catch {
            return places.map { Work(index: $0.0, wish: wish, plan: .failure(error)) }
        }
    }

    /// Tells the mover who will want which blobs, so that it reads each once for all of them.
    func announce(_ work: [Work]) {
        guard work.count > 1 else { return }
        for one in work {
            guard let plan = try? one.plan.get(), let session = session(one.index) else { continue }
            replicator.mover.gatherings.announce(plan.blobs, from: from, to: session.repository)
        }
    }

    func finish(_ work: Work) async -> CopyResult {
        let result = await carryOut(work)
        if let plan = try? work.plan.get() { await reader.finish(plan.manifests.map(\.manifest.digest)) }
        return result
    }

    private func carryOut(_ work: Work) async -> CopyResult {
        let target = targets[work.index]
        var copier: Copier?
        do {
            let session = try target.session.get()
            var plan = try work.plan.get()
            replicator.report(.planned(plan))
            guard !options.isDryRun else { return .planned(plan) }
            try replicator.drain.checkOpen()
            // Not before it is known that there is something to bring there.
            if let template = try await session.createIfMissing() {
                plan.notes.append("ecr:CreateRepository is not allowed; \(template.words)")
            }
            let begun = Copier(
                plan: plan,
                source: from,
                session: session,
                mover: replicator.mover,
                options: options,
                report: replicator.report
            )
            copier = begun
            let receipt = try await begun.run()
            replicator.mover.large.forget(plan.presentBlobs, at: session.repository)
            replicator.report(.finished(receipt))
            return .done(receipt)
        } catch {
            if let plan = try? work.plan.get(), let session = session(work.index) {
                replicator.mover.gatherings.withdraw(plan.blobs, from: from, to: session.repository)
            }
            return failed(work.wish.source, target.reference, error, tags: work.wish.tags, left: copier?.remainder)
        }
    }
}
