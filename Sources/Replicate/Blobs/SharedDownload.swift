internal import Content
internal import Platform
internal import Wire

/// One download of a blob for several destinations.
///
/// Each destination receives the blob as usual. Its upload waits in ``send(_:of:)`` until the other uploads are open,
/// and the answer to it comes from the one relay that feeds them all.
final class SharedDownload: Sendable {
    /// The error for an upload that opened after the download had begun; the destination gets its own download later.
    struct TooLate: Error {}

    private enum Change { case destination, timeout }

    private struct Waiting: Sendable {
        var place: String
        var upload: OpenUpload
        var answer: CheckedContinuation<WireResponse, any Error>
    }

    private struct State: Sendable {
        /// The places that have neither opened an upload nor ended.
        var expected: Set<String>
        var waiting: [Waiting] = []
        var hasBegun = false
    }

    private let state: Lock<State>
    private let changes: AsyncStream<Change>
    private let changed: AsyncStream<Change>.Continuation

    init(for places: Set<String>) {
        state = Lock(State(expected: places))
        (changes, changed) = AsyncStream.makeStream()
    }

    /// Waits until the download begins, and returns what the destination answered to this upload.
    ///
    /// - Throws: ``TooLate`` if the download has begun already.
    func send(_ upload: OpenUpload, of place: String) async throws -> WireResponse {
        try await withCheckedThrowingContinuation { continuation in
            let isInTime = state.withLock { state in
                guard !state.hasBegun else { return false }
                state.expected.remove(place)
                state.waiting.append(Waiting(place: place, upload: upload, answer: continuation))
                return true
            }
            guard isInTime else { return continuation.resume(throwing: TooLate()) }
            changed.yield(.destination)
        }
    }

    /// Notes that a destination needs no bytes any more: it has the blob, or has failed.
    func leave(_ place: String) {
        state.withLock { _ = $0.expected.remove(place) }
        changed.yield(.destination)
    }

    /// Downloads the blob for the uploads that are open, once all are or the patience of the first has ended.
    ///
    /// - Returns: The places that are late.
    /// - Throws: What the sender throws; then each upload fails with the same error.
    func run(_ sender: BlobSender, patience: Duration, clock: any Clock<Duration>) async throws -> Set<String> {
        var timer: Task<Void, Never>?
        // This loop ends early when the task is cancelled.
        for await change in changes {
            let (isComplete, isWaitedFor) = state.withLock { ($0.expected.isEmpty, !$0.waiting.isEmpty) }
            if isComplete || change == .timeout { break }
            guard isWaitedFor, timer == nil else { continue }
            timer = Task { [changed] in
                try? await clock.sleep(for: patience)
                changed.yield(.timeout)
            }
        }
        timer?.cancel()
        let (waiting, late) = state.withLock { state in
            state.hasBegun = true
            return (state.waiting, state.expected)
        }
        guard !waiting.isEmpty else { return late }
        do {
            let answers = try await sender.send(to: waiting.map(\.upload))
            for (upload, answer) in zip(waiting, answers) { upload.answer.resume(with: answer) }
        } catch {
            for upload in waiting { upload.answer.resume(throwing: error) }
            throw error
        }
        return late
    }
}

/// A blob for one of the destinations that share a download.
private struct SharedTransfer: IncomingBlob {
    let transfer: BlobTransfer
    let sibling: RepositoryName?
    let index: BlobIndex
    let download: SharedDownload

    var blob: Descriptor { transfer.blob }

    func send(to sink: RelaySink) async throws -> WireResponse {
        // An upload instead of the mount means that the registry has declined it.
        if sibling != nil { index.noteDecline(of: transfer.destination.registryKey) }
        let upload = OpenUpload(sink: sink, destination: transfer.destination.reference)
        return try await download.send(upload, of: transfer.destination.placeKey)
    }
}

extension BlobMover {
    /// How long destinations with an open upload wait for the others.
    static let waitForOthers: Duration = .seconds(2)

    /// Moves a blob to all destinations that need it with one download.
    ///
    /// - Returns: What was done at this destination; `nil` if it needs a download of its own.
    func moveShared(_ transfer: BlobTransfer) async throws -> Arrival? {
        let (blob, source, destination) = (transfer.blob, transfer.source, transfer.destination)
        // Blobs in parts share their reads in another way.
        let destinations = index.destinations(for: transfer).filter { !large.takes(blob, to: $0) }
        guard destinations.count > 1, destinations.contains(where: { $0.placeKey == destination.placeKey }) else {
            return nil
        }
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
        return try await destination.missing([blob]).isEmpty ? .moved : nil
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
                    try await attemptTogether(blob, source, left, done)
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

    /// Downloads the blob once for the destinations in `left`, and removes those that have it, have failed themselves,
    /// or get a download of their own.
    ///
    /// - Throws: ``BlobFailure`` if the source failed.
    private func attemptTogether(
        _ blob: Descriptor,
        _ source: any BlobReader,
        _ left: Lock<[any BlobReceiver]>,
        _ done: Lock<[String: Result<Arrival, any Error>]>
    ) async throws {
        let transfers = left.withLock { $0 }.map { BlobTransfer(blob, from: source, to: $0) }
        let download = SharedDownload(for: Set(transfers.map(\.destination.placeKey)))
        let sender = BlobSender(blob, from: source, relay: relay, report: report)
        async let _ = sender.prepare()
        // A task that is late is not waited for here, so these are no child tasks.
        let receptions = transfers.map { transfer in Task { await reception(of: transfer, from: download) } }
        let late = try await withTaskCancellationHandler {
            do {
                return try await download.run(sender, patience: Self.waitForOthers, clock: clock)
            } catch {
                // Each upload is closed by its destination.
                for reception in receptions { _ = await reception.value }
                throw error
            }
        } onCancel: {
            for reception in receptions { reception.cancel() }
        }
        var sourceFailure: BlobFailure?
        for (transfer, task) in zip(transfers, receptions) {
            let destination = transfer.destination
            guard !late.contains(destination.placeKey) else {
                // It gets downloads of its own from now on.
                index.separate(destination)
                self.late.settle(task)
                left.withLock { $0.removeAll { $0.placeKey == destination.placeKey } }
                continue
            }
            switch await task.value {
            case .success(let arrival): done.withLock { $0[destination.placeKey] = .success(arrival) }
            case .failure(let failure as BlobFailure) where failure.error.side == .source:
                sourceFailure = failure
                continue
            case .failure(let failure as BlobFailure):
                // A destination that was too slow would delay the others at the next blob, too.
                if failure.isOutpaced { index.separate(destination) }
                report(failure.event(blob.digest, to: destination.reference))
            // It could not open an upload.
            case .failure: index.separate(destination)
            }
            left.withLock { $0.removeAll { $0.placeKey == destination.placeKey } }
        }
        try Task.checkCancellation()
        if let sourceFailure { throw sourceFailure }
    }

    private func reception(
        of transfer: BlobTransfer,
        from download: SharedDownload
    ) async -> Result<Arrival, any Error> {
        defer { download.leave(transfer.destination.placeKey) }
        let incoming = SharedTransfer(
            transfer: transfer,
            sibling: index.sibling(for: transfer),
            index: index,
            download: download
        )
        do {
            return .success(Arrival(try await transfer.destination.receive(incoming), sibling: incoming.sibling))
        } catch {
            return .failure(error)
        }
    }
}

/// Uploads that are still opening although nothing will be sent to them; each is closed as soon as it is open.
final class LateUploads: Sendable {
    typealias Reception = Task<Result<BlobMover.Arrival, any Error>, Never>

    private struct State: Sendable {
        var receptions: [Int: Reception] = [:]
        var lastID = 0
    }

    private let state = Lock(State())

    /// Keeps a task until it has ended; its destination closes the upload.
    func settle(_ reception: Reception) {
        let id = state.withLock { state in
            state.lastID += 1
            state.receptions[state.lastID] = reception
            return state.lastID
        }
        // Ends with the reception, which `settle(_:_:)` waits for.
        Task {
            _ = await reception.value
            state.withLock { _ = $0.receptions.removeValue(forKey: id) }
        }
    }

    /// Waits until all uploads are closed, and cancels those that have not opened after `patience`.
    func settle(_ patience: Duration, _ clock: any Clock<Duration>) async {
        let receptions = state.withLock { Array($0.receptions.values) }
        guard !receptions.isEmpty else { return }
        let timer = Task {
            try await clock.sleep(for: patience)
            for reception in receptions { reception.cancel() }
        }
        for reception in receptions { _ = await reception.value }
        timer.cancel()
    }
}
