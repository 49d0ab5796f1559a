internal import Content
internal import Platform
internal import Wire

/// One download of a blob for several destinations.
///
/// Each destination receives the blob as usual. Its upload waits in ``send(_:of:)`` for the other destinations, and the
/// answer to it comes from the one relay that feeds them all.
final class SharedDownload: Sendable {
    /// The error for an upload that opened after the others had stopped waiting; the destination gets its own download.
    struct TooLate: Error {}

    private enum Change { case destination, timeout }

    private struct Waiting: Sendable {
        var upload: OpenUpload
        var answer: CheckedContinuation<WireResponse, any Error>
    }

    private struct State: Sendable {
        /// The places that have neither opened an upload nor ended.
        var expected: Set<String>
        /// The places that have opened an upload and are about to send.
        var opened: Set<String> = []
        var waiting: [Waiting] = []
        /// Whether a destination is ready: its upload is open, or it has mounted the blob.
        var isAnyReady = false
        /// The places that are no longer waited for.
        var late: Set<String> = []
        var hasBegun = false

        /// Stops waiting for the places without an open upload.
        mutating func leaveOutExpected() {
            late.formUnion(expected)
            expected = []
        }
    }

    private let state: Lock<State>
    private let changes: AsyncStream<Change>
    private let changed: AsyncStream<Change>.Continuation

    init(for places: Set<String>) {
        state = Lock(State(expected: places))
        (changes, changed) = AsyncStream.makeStream()
    }

    /// The places that had no open upload when the others stopped waiting.
    var late: Set<String> { state.withLock { $0.late } }

    /// Notes that a destination has opened an upload; it is then waited for until it sends or ends.
    ///
    /// - Throws: ``TooLate``
    func noteOpened(_ place: String) throws {
        let isInTime = state.withLock { state in
            guard state.expected.remove(place) != nil else { return false }
            state.opened.insert(place)
            state.isAnyReady = true
            return true
        }
        guard isInTime else { throw TooLate() }
        changed.yield(.destination)
    }

    /// Waits until the download begins, and returns what the destination answered to this upload.
    ///
    /// - Throws: What the sender throws; `CancellationError` if the download was cancelled before it began.
    func send(_ upload: OpenUpload, of place: String) async throws -> WireResponse {
        try await withCheckedThrowingContinuation { continuation in
            let isInTime = state.withLock { state in
                guard !state.hasBegun else { return false }
                state.opened.remove(place)
                state.waiting.append(Waiting(upload: upload, answer: continuation))
                return true
            }
            guard isInTime else { return continuation.resume(throwing: CancellationError()) }
            changed.yield(.destination)
        }
    }

    /// Notes that a destination needs no bytes any more.
    ///
    /// - Parameter isReady: Whether it has the blob; if not, it has failed.
    func leave(_ place: String, isReady: Bool) {
        state.withLock { state in
            state.expected.remove(place)
            state.opened.remove(place)
            if isReady { state.isAnyReady = true }
        }
        changed.yield(.destination)
    }

    /// Downloads the blob for the uploads that are open.
    ///
    /// It begins when every destination has an open upload or has ended, or when the patience has ended that begins
    /// with the first destination that is ready.
    ///
    /// - Throws: What the sender throws; then each upload fails with the same error.
    func run(_ sender: BlobSender, patience: Duration, clock: any Clock<Duration>) async throws {
        var timer: Task<Void, Never>?
        // This loop ends early when the task is cancelled.
        for await change in changes {
            let (isComplete, isAnyReady) = state.withLock { state in
                if change == .timeout { state.leaveOutExpected() }
                return (state.expected.isEmpty && state.opened.isEmpty, state.isAnyReady)
            }
            if isComplete { break }
            guard isAnyReady, timer == nil else { continue }
            timer = Task { [changed] in
                try? await clock.sleep(for: patience)
                changed.yield(.timeout)
            }
        }
        timer?.cancel()
        let waiting = state.withLock { state in
            state.leaveOutExpected()
            state.hasBegun = true
            return state.waiting
        }
        guard !waiting.isEmpty else { return }
        do {
            let answers = try await sender.send(to: waiting.map(\.upload))
            for (upload, answer) in zip(waiting, answers) { upload.answer.resume(with: answer) }
        } catch {
            for upload in waiting { upload.answer.resume(throwing: error) }
            throw error
        }
    }
}

/// A blob for one of the destinations that share a download.
private struct SharedTransfer: IncomingBlob {
    let transfer: BlobTransfer
    let sibling: RepositoryName?
    let index: BlobIndex
    let download: SharedDownload

    var blob: Descriptor { transfer.blob }

    func noteOpened() throws {
        // An upload instead of the mount means that the registry has declined it.
        if sibling != nil { index.noteDecline(of: transfer.destination.registryKey) }
        try download.noteOpened(transfer.destination.placeKey)
    }

    func send(to sink: RelaySink) async throws -> WireResponse {
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
        // A late task is not waited for here, so these are no child tasks.
        let receptions = transfers.map { transfer in
            (transfer.destination, Task { await reception(of: transfer, from: download) })
        }
        var failure: (any Error)?
        do {
            try await download.run(sender, patience: Self.waitForOthers, clock: clock)
        } catch {
            failure = error
        }
        let late = download.late
        for (destination, task) in receptions where late.contains(destination.placeKey) {
            // It gets downloads of its own from now on, and closes the upload that it may still open.
            index.separate(destination)
            self.late.add(task)
            left.withLock { $0.removeAll { $0.placeKey == destination.placeKey } }
        }
        let others = receptions.filter { !late.contains($0.0.placeKey) }
        let results = await withTaskCancellationHandler {
            var results: [(any BlobReceiver, Result<Arrival, any Error>)] = []
            for (destination, task) in others { results.append((destination, await task.value)) }
            return results
        } onCancel: {
            for (_, task) in others { task.cancel() }
        }
        if let failure { throw failure }
        try Task.checkCancellation()
        var sourceFailure: BlobFailure?
        for (destination, result) in results {
            switch result {
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
        if let sourceFailure { throw sourceFailure }
    }

    private func reception(
        of transfer: BlobTransfer,
        from download: SharedDownload
    ) async -> Result<Arrival, any Error> {
        let incoming = SharedTransfer(
            transfer: transfer,
            sibling: index.sibling(for: transfer),
            index: index,
            download: download
        )
        do {
            let reception = try await transfer.destination.receive(incoming)
            download.leave(transfer.destination.placeKey, isReady: true)
            return .success(Arrival(reception, sibling: incoming.sibling))
        } catch {
            download.leave(transfer.destination.placeKey, isReady: false)
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
    func add(_ reception: Reception) {
        let id = state.withLock { state in
            state.lastID += 1
            state.receptions[state.lastID] = reception
            return state.lastID
        }
        // Ends with the reception, which ``settle(_:_:)`` waits for.
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
