internal import Content
internal import Platform
internal import Wire

/// Moves blobs to destinations, by a mount from a sibling repository if possible, otherwise by download and upload.
///
/// A run has one mover, so that a blob is moved to each place once, however many images need it.
struct BlobMover: Sendable {
    /// How a blob got to a destination.
    enum Arrival: Sendable { case moved, mounted(from: RepositoryName), wasThere }

    let sender: BlobSender
    let large: LargeBlobs
    let retry: RetryPolicy
    let budgets: RetryBudgets
    let admission: Admission
    let index = BlobIndex()
    /// The clock that measures how long the destinations of a shared download wait for each other.
    let clock: any Clock<Duration>
    let moves = SingleFlight<BlobTransfer.Key, Arrival>()
    /// Downloads for several destinations, by source and digest, with the outcome at each place.
    ///
    /// A place without an outcome gets a download of its own.
    let shared = SingleFlight<BlobTransfer.Key, [String: Result<Arrival, any Error>]>()
    /// The uploads that opened too late for a shared download.
    let late = LateUploads()
    let report: @Sendable (CopyEvent) -> Void

    /// How often a source may send bytes with another digest before the blob counts as damaged.
    static let mostCorruptions = 3

    /// - Parameters:
    ///   - jobs: The most blobs in flight; `nil` lets their sizes decide.
    ///   - clock: Must really wait, or no destination would be waited for.
    init(
        relay: any BlobRelaying,
        large: LargeBlobs,
        retry: RetryPolicy,
        budgets: RetryBudgets,
        jobs: Int?,
        drain: Drain = Drain(),
        clock: any Clock<Duration> = ContinuousClock(),
        report: @escaping @Sendable (CopyEvent) -> Void
    ) {
        sender = BlobSender(relay: relay, report: report)
        self.large = large
        self.retry = retry
        self.budgets = budgets
        self.clock = clock
        admission = Admission(jobs: jobs, drain: drain)
        self.report = report
    }

    /// Moves a blob unless this run has done so already, and returns when the destination holds it.
    ///
    /// - Returns: What was done, for one of the callers that asked for it; the other callers learn that the blob was
    ///   there.
    func bring(_ transfer: BlobTransfer) async throws -> Arrival {
        let arrival = try await moves.run(transfer.key) {
            let arrival = try await moveShared(transfer)
            note(arrival, of: transfer)
            return arrival
        }
        return index.countsFirst(transfer) ? arrival : .wasThere
    }

    /// Moves a blob that the destination has lost, even if this run moved it before or the destination claims to have
    /// it.
    func bringAgain(_ transfer: BlobTransfer) async throws -> Arrival {
        index.noteLost(transfer.blob.digest, at: transfer.destination)
        await moves.forget(transfer.key)
        return try await moves.run(transfer.key) {
            let arrival = try await moveAdmitted(transfer, believing: false)
            note(arrival, of: transfer)
            return arrival
        }
    }

    private func note(_ arrival: Arrival, of transfer: BlobTransfer) {
        let (blob, destination) = (transfer.blob, transfer.destination)
        index.noteMoved(blob.digest, to: destination)
        switch arrival {
        case .moved: report(.blobMoved(blob, to: destination.reference))
        case .mounted(let from): report(.blobMounted(blob, to: destination.reference, from: from))
        case .wasThere: break
        }
    }

    // MARK: One destination

    /// Moves a blob to one destination, once a slot is free.
    ///
    /// - Parameter believing: Whether to believe the destination when it says that it has the blob or can mount it.
    func moveAdmitted(_ transfer: BlobTransfer, believing: Bool = true) async throws -> Arrival {
        try await large.withPlace(for: transfer.blob, at: transfer.destination, on: admission) {
            try await moveAlone(transfer, believing: believing)
        }
    }

    private func moveAlone(_ transfer: BlobTransfer, believing: Bool) async throws -> Arrival {
        let corruptions = Lock(0)
        do {
            return try await retry.moving(transfer, budgets).run { attempt in
                do {
                    // The registry may have stored the blob although the response to the last attempt was lost.
                    if attempt > 1, believing, try await transfer.destination.missing([transfer.blob]).isEmpty {
                        return .moved
                    }
                    return try await tryFromEither(transfer, believing: believing)
                } catch let failure as BlobFailure {
                    try note(failure, of: transfer, corruptions)
                    throw failure
                }
            }
        } catch let failure as BlobFailure {
            throw failure.error
        }
    }

    /// Reports a failed attempt.
    ///
    /// A throttle reduces the number of blobs in flight, and repeated corruption ends the attempts.
    func note(_ failure: BlobFailure, of transfer: BlobTransfer, _ corruptions: Lock<Int>) throws {
        report(failure.event(transfer.blob.digest, to: transfer.destination.reference))
        if case .throttled = failure.error.reason { admission.noteThrottle() }
        guard case .corrupt = failure.error.reason else { return }
        let count = corruptions.withLock { count in
            count += 1
            return count
        }
        guard count < Self.mostCorruptions else { throw BlobFailure(failure.error, .never) }
    }

    /// Moves a blob, and takes its content from the descriptor if the source doesn't have it.
    private func tryFromEither(_ transfer: BlobTransfer, believing: Bool) async throws -> Arrival {
        do {
            return try await tryOnce(transfer, believing: believing)
        } catch {
            guard let content = transfer.blob.knownContent, error.isAboutBlobMissing(at: transfer.source) else {
                throw error
            }
            switch try await open(transfer, mayMount: believing) {
            case .arrived(let arrival): return arrival
            case .open(let upload):
                let download = BlobDownload(transfer.blob, from: transfer.source, at: .bytes(content))
                return try await send(download, to: upload)
            }
        }
    }

    private func tryOnce(_ transfer: BlobTransfer, believing: Bool) async throws -> Arrival {
        let (blob, source, destination) = (transfer.blob, transfer.source, transfer.destination)
        if believing, index.sibling(for: transfer) != nil {
            // If the mount succeeds, the download's address isn't needed.
            switch try await open(transfer) {
            case .arrived(let arrival): return arrival
            case .open(let upload) where large.takes(blob, to: destination): await close(upload)
            case .open(let upload): return try await send(try await download(transfer, for: upload), to: upload)
            }
        }
        if let arrival = try await large.bring(transfer) { return arrival }
        // The addresses for the download and the upload don't depend on each other, so both are requested at once.
        async let address = source.source(of: blob)
        guard case .open(let upload) = try await open(transfer, mayMount: believing) else { return .wasThere }
        let download: BlobDownload
        do {
            download = BlobDownload(blob, from: source, at: try await address)
        } catch {
            await close(upload)
            throw error
        }
        return try await send(download, to: upload)
    }

    private func download(_ transfer: BlobTransfer, for upload: OpenedUpload) async throws -> BlobDownload {
        do {
            return try await BlobDownload.open(transfer.blob, from: transfer.source)
        } catch {
            await close(upload)
            throw error
        }
    }

    private func send(_ download: BlobDownload, to upload: OpenedUpload) async throws -> Arrival {
        do {
            try await sender.send(download, to: [upload])[0].get()
            return .moved
        } catch {
            await close(upload)
            throw error
        }
    }

    // MARK: Uploads

    enum Opening: Sendable {
        case arrived(Arrival)
        case open(OpenedUpload)
    }

    /// Opens an upload, unless the blob can be mounted from a sibling repository.
    func open(_ transfer: BlobTransfer, mayMount: Bool = true) async throws -> Opening {
        let sibling = mayMount ? index.sibling(for: transfer) : nil
        switch try await transfer.destination.startUpload(of: transfer.blob, mountingFrom: sibling) {
        case .mounted: return .arrived(sibling.map { .mounted(from: $0) } ?? .wasThere)
        case .open(let upload):
            if sibling != nil { index.noteDecline(of: transfer.destination.registryKey) }
            return .open(OpenedUpload(upload: upload, destination: transfer.destination))
        }
    }

    /// Closes an upload, even if the task that opened it was cancelled.
    func close(_ upload: OpenedUpload) async {
        // A cancelled task can't send requests, so another task closes the upload, and this one waits for it.
        await Task { await upload.destination.closeUpload(upload.upload) }.value
    }
}

extension Error {
    /// Whether a source said that it does not have a blob.
    func isAboutBlobMissing(at source: any BlobReader) -> Bool {
        guard let error = (self as? BlobFailure)?.error ?? self as? CopyError, error.side == source.side else {
            return false
        }
        if case .blobMissing = error.reason { return true }
        return false
    }
}
