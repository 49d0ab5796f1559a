internal import Content
internal import Platform
internal import Wire

/// Moves blobs to destinations, by a mount from a sibling repository if possible, otherwise by download and upload.
///
/// A run has one mover, so that a blob is moved to each place once, however many images need it.
struct BlobMover: Sendable {
    /// How a blob got to a destination.
    enum Arrival: Sendable { case moved, mounted(from: RepositoryName), wasThere }

    let relay: any BlobRelaying
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
    /// The uploads that were too late for a shared download.
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
        self.relay = relay
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
    func move(_ transfer: BlobTransfer) async throws -> Arrival {
        let arrival = try await moves.run(transfer.key) {
            let shared = try await moveShared(transfer)
            let arrival = if let shared { shared } else { try await moveAlone(transfer) }
            note(arrival, of: transfer)
            return arrival
        }
        return index.countsFirst(transfer) ? arrival : .wasThere
    }

    /// Moves a blob that the destination has lost, even if this run moved it before or the destination claims to have
    /// it.
    func moveAgain(_ transfer: BlobTransfer) async throws -> Arrival {
        index.noteLost(transfer.blob.digest, at: transfer.destination)
        await moves.forget(transfer.key)
        return try await moves.run(transfer.key) {
            let arrival = try await moveAlone(transfer, believing: false)
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

    /// Moves a blob to one destination once a slot is free, and retries what may pass.
    ///
    /// - Parameter believing: Whether to believe the destination when it says that it has the blob or can mount it.
    private func moveAlone(_ transfer: BlobTransfer, believing: Bool = true) async throws -> Arrival {
        try await large.withPlace(for: transfer.blob, at: transfer.destination, on: admission) {
            let corruptions = Lock(0)
            do {
                return try await retry.moving(transfer, budgets).run { attempt in
                    do {
                        // The registry may have stored the blob although the response to the last attempt was lost.
                        if attempt > 1, believing, try await transfer.destination.missing([transfer.blob]).isEmpty {
                            return .moved
                        }
                        return try await self.attempt(transfer, believing: believing)
                    } catch let failure as BlobFailure {
                        try note(failure, of: transfer, corruptions)
                        throw failure
                    }
                }
            } catch let failure as BlobFailure {
                throw failure.error
            }
        }
    }

    private func attempt(_ transfer: BlobTransfer, believing: Bool) async throws -> Arrival {
        let blob = transfer.blob
        var sibling = believing ? index.sibling(for: transfer) : nil
        do {
            if sibling != nil, large.takes(blob, to: transfer.destination) {
                if let arrival = try await mounted(transfer, from: sibling) { return arrival }
                sibling = nil
            }
            if sibling == nil, let arrival = try await large.upload(transfer) { return arrival }
            let sender = BlobSender(blob, from: transfer.source, relay: relay, report: report)
            // Without a mount, the addresses of download and upload are requested at once.
            async let _ = sibling == nil ? sender.prepare() : ()
            return try await receive(IncomingTransfer(transfer, sibling, index, sender))
        } catch {
            guard let content = blob.knownContent, error.isAboutBlobMissing(at: transfer.source) else { throw error }
            let sender = BlobSender(blob, from: transfer.source, content: content, relay: relay, report: report)
            // The source was asked, so a mount was declined or not possible.
            return try await receive(IncomingTransfer(transfer, nil, index, sender))
        }
    }

    private func receive(_ incoming: IncomingTransfer) async throws -> Arrival {
        Arrival(try await incoming.transfer.destination.receive(incoming), sibling: incoming.sibling)
    }

    /// Mounts a blob that would otherwise go in parts.
    ///
    /// - Returns: `nil` if the registry declines.
    private func mounted(_ transfer: BlobTransfer, from sibling: RepositoryName?) async throws -> Arrival? {
        do {
            let reception = try await transfer.destination.receive(MountOnly(blob: transfer.blob, sibling: sibling))
            return Arrival(reception, sibling: sibling)
        } catch is MountOnly.NotMounted {
            index.noteDecline(of: transfer.destination.registryKey)
            return nil
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
}

/// A blob for one destination, which gets a download of its own.
private struct IncomingTransfer: IncomingBlob {
    let transfer: BlobTransfer
    let sibling: RepositoryName?
    private let index: BlobIndex
    private let sender: BlobSender

    init(_ transfer: BlobTransfer, _ sibling: RepositoryName?, _ index: BlobIndex, _ sender: BlobSender) {
        (self.transfer, self.sibling, self.index, self.sender) = (transfer, sibling, index, sender)
    }

    var blob: Descriptor { transfer.blob }

    func noteOpened() {
        // An upload instead of the mount means that the registry has declined it.
        if sibling != nil { index.noteDecline(of: transfer.destination.registryKey) }
    }

    func send(to sink: RelaySink) async throws -> WireResponse {
        let upload = OpenUpload(sink: sink, destination: transfer.destination.reference)
        return try await sender.send(to: [upload])[0].get()
    }
}

extension BlobMover.Arrival {
    /// - Parameter sibling: The repository that was named for a mount; a registry that mounts without one had the blob.
    init(_ reception: BlobReception, sibling: RepositoryName?) {
        switch reception {
        case .stored: self = .moved
        case .mounted: self = sibling.map { .mounted(from: $0) } ?? .wasThere
        }
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
