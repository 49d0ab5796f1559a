internal import Content

/// Copies images of one source repository to the destinations of a run: reads both sides, plans, carries the plans out.
struct RepositoryCopy: Sendable {
    let run: CopyRun
    /// The resolved source, with the tag or digest that was asked for.
    let source: ImageReference
    let reader: SourceReader
    let options: CopyOptions
    let destinations: [Destination]
    /// The source's identity, for what gates ask other services.
    var sourceOptions = SideOptions()

    var from: any ImageRepository { reader.repository }

    /// Copies the image with this tag or digest.
    ///
    /// - Parameter isChosen: Whether the image was found rather than named, so that the user may not know its tag.
    /// - Throws: ``CopyError`` if the source can't be read.
    func copyOne(_ id: ManifestID, isChosen: Bool = false) async throws -> [CopyResult] {
        let wanted = destinations.map { $0.wanted(for: id.tag) }
        // Both sides are read at the same time.
        return try await withAnswers(to: questions(id, wanted)) { answers in
            let (image, failures) = try await run.drain.abandoning {
                let (root, failures) = try await readRoot(id, wanted)
                var image = try await admitted(narrowed(root, id))
                if isChosen { image.untaggedNote = Self.untagged }
                return (image, failures)
            }
            return try await copy(image, failures, wanted, to: answers)
        }
    }

    /// Copies one image to destinations as they answer.
    ///
    /// - Parameter failures: Why the image can't be copied to some of them.
    /// - Returns: A result for each destination, in their order.
    private func copy(
        _ image: SourceImage,
        _ failures: [Int: any Error],
        _ wanted: [[Tag]],
        to answers: AsyncStream<DestinationAnswer>
    ) async throws -> [CopyResult] {
        try await withThrowingTaskGroup(of: [Int: CopyResult].self) { group in
            var errors = failures
            for await answer in answers {
                switch answer {
                case .failed(let index, let error): errors[index] = errors[index] ?? error
                case .ready(let indexes):
                    let ready = indexes.filter { failures[$0] == nil }
                    group.addTask { try await copy(image, to: ready) { wanted[$0] } }
                }
            }
            var results: [Int: CopyResult] = [:]
            for try await copied in group { results.merge(copied) { $1 } }
            // A destination that has not answered by now was cancelled.
            return destinations.indices.map { index in
                results[index]
                    ?? failed(source, destinations[index], errors[index] ?? CancellationError(), tags: wanted[index])
            }
        }
    }

    private static let untagged =
        "the image has no tag to keep, and is stored without one; add :TAG to the destination, or pass --tag"

    /// The question for each destination: the tags that the image gets there, or the image itself if it gets none.
    private func questions(_ id: ManifestID, _ wanted: [[Tag]]) -> [Question] {
        destinations.indices.map { index in
            if let error = wanted[index].lazy.compactMap({ unfit($0, at: destinations[index]) }).first {
                return .none(error)
            }
            // A destination that is the source's own repository is read together with the source.
            if state(index)?.isSource ?? false { return .ids([]) }
            return .ids(wanted[index].isEmpty ? id.digest.map { [.digest($0)] } ?? [] : wanted[index].map { .tag($0) })
        }
    }

    /// Reads the source's manifest, and with the same request the wanted tags of a destination that is the source's own
    /// repository.
    ///
    /// - Returns: The manifest, and why such a destination can't be copied to.
    private func readRoot(_ id: ManifestID, _ wanted: [[Tag]]) async throws -> (Manifest, [Int: any Error]) {
        let own = destinations.indices.filter { state($0)?.isSource ?? false }
        let ownTags = own.flatMap { wanted[$0] }.unique().map { ManifestID.tag($0) }
        let reading = try await from.read(manifests: [id], digests: ownTags)
        if let reason = reading.failures[id] { throw failure(reason) }
        guard let root = reading.manifests[id] else { throw failure(.imageMissing) }
        // On a long link, the destinations have not answered yet.
        if !options.isDryRun {
            let others = destinations.indices.compactMap(state).filter { !$0.isSource }.map(\.repository)
            await prepareConnections(at: others, for: root, isCertain: false)
        }
        var failures: [Int: any Error] = [:]
        for index in own {
            guard let state = state(index) else { continue }
            var tags = reading
            tags.digests = reading.digests.filter { $0.key != id || id.tag != nil }
            do { try await state.learn(tags) } catch { failures[index] = error }
            await state.note(root.digest)
        }
        return (root, failures)
    }

    func state(_ index: Int) -> DestinationState? { try? destinations[index].state.get() }

    /// The image to copy for a root that was read: the root itself, or what `--platform` selects of it.
    func narrowed(_ root: Manifest, _ id: ManifestID) async throws -> SourceImage {
        let named = source.tagged(id.tag, digest: id.digest)
        guard !options.platforms.isEmpty else {
            return SourceImage(reference: named, root: root, notes: from.notes(about: root.digest))
        }
        if options.matchesSingleImages, root.kind != .index {
            let platform = try await SourceAccess(from, run).platform(of: root)
            if let reason = PlatformSelection(wanted: options.platforms).refusal(of: platform) {
                throw failure(reason)
            }
            return SourceImage(reference: named, root: root, notes: from.notes(about: root.digest))
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
                return SourceImage(reference: named, root: child, notes: [note] + narrowed.notes)
            case .whole:
                let note = "\(root.digest) has no other platforms, and is copied as it is"
                return SourceImage(reference: named, root: root, notes: [note] + narrowed.notes)
            case .made(let manifest):
                let note =
                    "a new index \(manifest.digest) was made from \(root.digest); signatures of the old one are not "
                    + "valid for it"
                return SourceImage(reference: named, root: manifest, isMade: true, notes: [note] + narrowed.notes)
            }
        } catch let error as PlatformError {
            throw failure(error.reason)
        }
    }

    /// The image with the reasons for which it may not be copied.
    ///
    /// It is asked once for all destinations, about the manifest that would be put, so that nothing else can be put
    /// afterwards.
    ///
    /// - Parameter tags: The tags of the source by which the image was chosen; `nil` for the one in its reference.
    func admitted(_ image: SourceImage, chosenBy tags: [Tag]? = nil) async throws -> SourceImage {
        guard let admission = options.admission else { return image }
        var image = image
        let source = SourceAccess(from, run, sourceOptions)
        image.refusals = try await admission.refusals(
            of: AdmissionCandidate(
                image: image.reference.tagged(image.reference.tag, digest: image.root.digest),
                tags: tags,
                root: image.root,
                source: source
            )
        )
        return image
    }

    // MARK: One image

    /// Plans an image for these destinations, then carries the plans out concurrently.
    ///
    /// - Parameter tags: The tags that the image gets at a destination.
    func copy(
        _ image: SourceImage,
        to indexes: [Int],
        _ tags: @escaping @Sendable (Int) -> [Tag]
    ) async throws -> [Int: CopyResult] {
        let planned = try await indexes.mapConcurrently(limit: indexes.count) { index in
            (index, await plan(image, tags(index), at: index))
        }
        shareDownloads(planned)
        let results = try await planned.mapConcurrently(limit: planned.count) { index, plan in
            (index, await carryOut(plan, image, tags(index), at: index))
        }
        await reader.finish(image, planned.flatMap { (try? $0.1.get())?.manifests ?? [] }.map(\.manifest.digest))
        return Dictionary(uniqueKeysWithValues: results)
    }

    private func plan(_ image: SourceImage, _ tags: [Tag], at index: Int) async -> Result<Plan, any Error> {
        do {
            let state = try destinations[index].state.get()
            let planner = Planner(reader: reader, options: options, expectsUploads: !run.mover.large.takesAll)
            var plan = try await run.drain.abandoning { try await planner.plan(image, tags, at: state) }
            plan.notes += [destinations[index].note].compactMap { $0 }
            return .success(plan)
        } catch {
            return .failure(error)
        }
    }

    /// Tells the mover which destinations need which blobs, so that each blob is downloaded once for all of them.
    private func shareDownloads(_ planned: [(Int, Result<Plan, any Error>)]) {
        guard planned.count > 1 else { return }
        for case (let index, .success(let plan)) in planned where plan.refusal == nil {
            guard let state = state(index) else { continue }
            run.mover.index.want(plan.blobs, from: from, at: state.repository)
        }
    }

    private func carryOut(
        _ planned: Result<Plan, any Error>,
        _ image: SourceImage,
        _ tags: [Tag],
        at index: Int
    ) async -> CopyResult {
        var copier: Copier?
        do {
            let state = try destinations[index].state.get()
            var plan = try planned.get()
            run.report(.planned(plan))
            if options.isDryRun { return .planned(plan) }
            if let refusal = plan.refusal { throw refusal }
            try run.drain.checkOpen()
            plan.notes += try await state.createIfMissing()
            let started = Copier(
                plan: plan,
                source: from,
                state: state,
                mover: run.mover,
                options: options,
                report: run.report
            )
            copier = started
            let receipt = try await started.run()
            _ = await state.takeUnreportedNotes()
            run.mover.large.forget(plan.presentBlobs, at: state.repository)
            run.report(.finished(receipt))
            return .done(receipt)
        } catch {
            if let plan = try? planned.get(), let state = state(index) {
                run.mover.index.stopWanting(plan.blobs, from: from, at: state.repository)
                await state.takeUnreportedNotes().forEach { run.report(.notice($0)) }
            }
            return failed(image.reference, destinations[index], error, tags: tags, left: copier?.remainder)
        }
    }
}
