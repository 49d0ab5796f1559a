internal import Content
internal import Platform
internal import Wire

/// Shares one download among several destinations.
extension BlobMover {
    /// How long destinations with an open upload wait for the others.
    static let waitForOthers: Duration = .seconds(2)

    /// Moves a blob to all destinations that need it with one download, or to one alone if no other needs it.
    func moveShared(_ transfer: BlobTransfer) async throws -> Arrival {
        let (blob, source, destination) = (transfer.blob, transfer.source, transfer.destination)
        // Blobs in parts share their reads in another way.
        let destinations = index.destinations(for: transfer).filter { !large.takes(blob, to: $0) }
        if destinations.count > 1, destinations.contains(where: { $0.placeKey == destination.placeKey }) {
            let key = BlobTransfer.Key(place: source.placeKey, digest: blob.digest)
            let results = try await shared.run(key) {
                try await admission.admit(blob.size) {
                    try await moveTogether(blob, source, index.together(destinations))
                }
            }
            // After a failure, the next image that needs the blob tries again.
            if results.values.contains(where: { (try? $0.get()) == nil }) { await shared.forget(key) }
            switch results[destination.placeKey] {
            case .success(let arrival): return arrival
            // Each destination can get it from the descriptor on its own.
            case .failure(let error) where blob.knownContent != nil && error.isAboutBlobMissing(at: source): break
            case .failure(let error): throw error
            case nil: break
            }
            // The destination was left out, or its response was lost: it may have the blob anyway.
            if try await destination.missing([blob]).isEmpty { return .moved }
        }
        return try await moveAdmitted(transfer)
    }

    private func moveTogether(
        _ blob: Descriptor,
        _ source: any BlobReader,
        _ destinations: [any BlobReceiver]
    ) async throws -> [String: Result<Arrival, any Error>] {
        let corruptions = Lock(0)
        let done = Lock<[String: Result<Arrival, any Error>]>([:])
        let left = Lock(destinations)
        do {
            // Only the source's failures get here, whichever destination is named.
            guard let first = destinations.first else { return [:] }
            let transfer = BlobTransfer(blob, from: source, to: first)
            try await retry.moving(transfer, budgets).run { _ in
                do {
                    try await tryTogether(blob, source, left, done)
                } catch let failure as BlobFailure {
                    for destination in left.withLock({ $0 }) {
                        try note(failure, of: BlobTransfer(blob, from: source, to: destination), corruptions)
                    }
                    throw failure
                }
            }
        } catch
            where error is BlobFailure || error is RetryBudgetSpent || error is RetryWaitTooLong || error is Drained
        {
            // The source failed, so every destination that is left would fail again.
            for destination in left.withLock({ $0 }) {
                done.withLock { $0[destination.placeKey] = .failure((error as? BlobFailure)?.error ?? error) }
            }
        }
        return done.withLock { $0 }
    }

    /// Downloads the blob once for the destinations in `left`, and removes those that have it or have failed
    /// themselves.
    ///
    /// - Throws: ``BlobFailure`` if the source failed.
    private func tryTogether(
        _ blob: Descriptor,
        _ source: any BlobReader,
        _ left: Lock<[any BlobReceiver]>,
        _ done: Lock<[String: Result<Arrival, any Error>]>
    ) async throws {
        async let address = source.source(of: blob)
        var uploads: [OpenedUpload] = []
        for (destination, opening) in await openTogether(blob, source, left.withLock { $0 }) {
            switch opening {
            case .arrived(let arrival):
                done.withLock { $0[destination.placeKey] = .success(arrival) }
                left.withLock { $0.removeAll { $0.placeKey == destination.placeKey } }
            case .open(let upload): uploads.append(upload)
            }
        }
        // A destination whose upload isn't open by now gets a download of its own.
        let here = Set(uploads.map(\.destination.placeKey))
        left.withLock { $0.removeAll { !here.contains($0.placeKey) } }
        guard !uploads.isEmpty else { return }

        let results: [Result<Void, BlobFailure>]
        do {
            results = try await sender.send(BlobDownload(blob, from: source, at: try await address), to: uploads)
        } catch {
            for upload in uploads { await close(upload) }
            throw error
        }
        var sourceFailure: BlobFailure?
        for (upload, result) in zip(uploads, results) {
            let destination = upload.destination
            switch result {
            case .success: done.withLock { $0[destination.placeKey] = .success(.moved) }
            case .failure(let failure):
                await close(upload)
                if failure.error.side == .source {
                    sourceFailure = failure
                    continue
                }
                // A destination that was too slow would delay the others at the next blob, too.
                if failure.isOutpaced { index.separate(destination) }
                report(failure.event(blob.digest, to: destination.reference))
            }
            left.withLock { $0.removeAll { $0.placeKey == destination.placeKey } }
        }
        if let sourceFailure { throw sourceFailure }
    }

    /// Opens an upload at each destination concurrently.
    ///
    /// A destination that is late or fails is left out and gets downloads of its own from then on. An upload that it
    /// opens later is closed.
    private func openTogether(
        _ blob: Descriptor,
        _ source: any BlobReader,
        _ destinations: [any BlobReceiver]
    ) async -> [(any BlobReceiver, Opening)] {
        let (answers, answered) = AsyncStream<(index: Int, opening: Opening?)?>.makeStream()
        let openings = destinations.enumerated().map { index, destination in
            Task {
                let opening = try? await open(BlobTransfer(blob, from: source, to: destination))
                answered.yield((index, opening))
                return opening
            }
        }
        var opened: [Int: Opening] = [:]
        var awaited = Set(destinations.indices)
        var timer: Task<Void, Never>?
        // This ends early when the task is cancelled.
        for await answer in answers {
            guard let (index, opening) = answer else { break }
            awaited.remove(index)
            opened[index] = opening
            guard !awaited.isEmpty else { break }
            guard opening != nil, timer == nil else { continue }
            timer = Task { [clock] in
                try? await clock.sleep(for: Self.waitForOthers)
                answered.yield(nil)
            }
        }
        timer?.cancel()
        for number in awaited { late.close(openings[number]) { await close($0) } }
        for number in destinations.indices where opened[number] == nil { index.separate(destinations[number]) }
        return opened.sorted { $0.key < $1.key }.map { (destinations[$0.key], $0.value) }
    }
}

/// Uploads that are still opening although nothing will be sent to them; each is closed as soon as it is open.
final class LateUploads: Sendable {
    typealias Opening = Task<BlobMover.Opening?, Never>

    private struct State: Sendable {
        var closing: [Int: (opening: Opening, task: Task<Void, Never>)] = [:]
        var lastID = 0
    }

    private let state = Lock(State())

    /// Closes the upload once it is open.
    func close(_ opening: Opening, _ close: @escaping @Sendable (OpenedUpload) async -> Void) {
        state.withLock { state in
            state.lastID += 1
            let id = state.lastID
            // `settle` waits for this task.
            let task = Task {
                if case .open(let upload)? = await opening.value { await close(upload) }
                self.state.withLock { _ = $0.closing.removeValue(forKey: id) }
            }
            state.closing[id] = (opening, task)
        }
    }

    /// Waits until all uploads are closed, and gives up those that have not opened after `patience`.
    func settle(_ patience: Duration, _ clock: any Clock<Duration>) async {
        let closing = state.withLock { Array($0.closing.values) }
        guard !closing.isEmpty else { return }
        let timer = Task {
            try await clock.sleep(for: patience)
            for (opening, _) in closing { opening.cancel() }
        }
        for (_, task) in closing { await task.value }
        timer.cancel()
    }
}
