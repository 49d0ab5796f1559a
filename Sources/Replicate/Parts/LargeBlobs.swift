internal import Content
internal import ECRAPI
internal import FoundationEssentials
internal import Logging
internal import Platform
internal import Wire

/// Uploads large blobs to ECR in parts, so that a failed part is sent again instead of the blob, and a killed run
/// resumes.
///
/// A run has one, which limits the number of such uploads and the memory they use.
///
/// - Source: docs/architecture.md#large-layers
struct LargeBlobs: Sendable {
    private let options: UploadOptions
    private let now: @Sendable () -> Date
    private let sender: any HTTPSending
    private let retry: RetryPolicy
    private let budgets: RetryBudgets
    private let journal: UploadJournal
    private let logger: Logger
    private let report: @Sendable (CopyEvent) -> Void
    private let places: Admission
    private let shared = SharedPlaces()
    private let pool = PartPool(byteCount: mostPartBytes)
    private let clock: any Clock<Duration>
    private let readings = Lock<[String: Reading]>([:])

    /// The most blobs to upload in parts at a time, each to any number of destinations.
    static let mostUploads = 2
    /// The most bytes of parts in memory over all uploads: one part is sent while another is received.
    static let mostPartBytes = 2 * Int(PartPlan.documentedPartSize)
    /// How often a blob is started over because the registry lost its upload or got the wrong bytes.
    static let mostFreshStarts = 1

    init(
        _ options: UploadOptions,
        sender: any HTTPSending,
        retry: RetryPolicy,
        budgets: RetryBudgets? = nil,
        logger: Logger,
        drain: Drain = Drain(),
        clock: any Clock<Duration> = ContinuousClock(),
        now: @escaping @Sendable () -> Date = { Date() },
        report: @escaping @Sendable (CopyEvent) -> Void
    ) {
        places = Admission(jobs: Self.mostUploads, drain: drain)
        self.options = options
        self.clock = clock
        self.now = now
        self.sender = sender
        self.retry = retry
        self.budgets = budgets ?? RetryBudgets(attempts: retry.attempts)
        self.logger = logger
        self.report = report
        journal = UploadJournal(directory: options.stateDirectory, logger: logger)
    }

    /// Whether this is the way for a blob.
    func takes(_ blob: Descriptor, to destination: any BlobReceiver) -> Bool {
        isWanted(blob, destination) && destination.partUploads != nil && blob.size <= PartPlan.largestBlob
    }

    /// Whether all blobs are uploaded in parts, so that the registry's token and connections aren't needed.
    var takesAll: Bool { options.mode == .api }

    private func isWanted(_ blob: Descriptor, _ destination: any BlobReceiver) -> Bool {
        switch options.mode {
        case .registry: false
        // A registry that can't store a blob without bytes reports that itself.
        case .api: blob.size > 0
        case .auto: blob.size >= options.resumableAbove && blob.size > 0 && destination.partUploads != nil
        }
    }

    /// Forgets uploads of blobs that turned out to be there: a run that was killed, or lost an answer, right after a blob
    /// was complete had no time to.
    func forget(_ blobs: [Descriptor], at destination: any BlobReceiver) {
        for blob in blobs where takes(blob, to: destination) { journal.forget(UploadKey(blob, to: destination)) }
    }

    /// Runs `body` once a slot for the blob is free; a blob in parts first waits for a slot among the blobs in parts.
    ///
    /// While it waits there, it takes no other slot, and small blobs go on.
    func withPlace<Result: Sendable>(
        for blob: Descriptor,
        at destination: any BlobReceiver,
        on wire: Admission,
        _ body: () async throws -> Result
    ) async throws -> Result {
        guard takes(blob, to: destination) else { return try await wire.admit(blob.size, body) }
        if try await shared.enter(blob.digest) { return try await leaving(blob.digest, body) }
        var isIn = false
        do {
            return try await places.admit(blob.size) {
                try await wire.admit(blob.size, inParts: true) {
                    isIn = true
                    shared.admitted(blob.digest)
                    return try await leaving(blob.digest, body)
                }
            }
        } catch {
            if !isIn { shared.turnedAway(blob.digest) }
            throw error
        }
    }

    private func leaving<Result: Sendable>(
        _ digest: Digest,
        _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            let result = try await body()
            shared.leave(digest)
            return result
        } catch {
            shared.leave(digest)
            throw error
        }
    }

    private struct Reading {
        weak var parts: SharedParts?
    }

    /// What reads the blob for this upload, and for others that are under way.
    private func reading(of blob: Descriptor, from source: any BlobReader) -> SharedParts {
        readings.withLock { readings in
            let key = "\(source.placeKey)/\(blob.digest)"
            if let parts = readings[key]?.parts { return parts }
            let parts = ownReading(of: blob, from: source)
            readings = readings.filter { $0.value.parts != nil }
            readings[key] = Reading(parts: parts)
            return parts
        }
    }

    private func ownReading(of blob: Descriptor, from source: any BlobReader) -> SharedParts {
        let retry = retry.reading(from: source, budgets)
        return SharedParts(RangedSource(blob, source, sender, retry, now: now), pool: pool, clock: clock)
    }

    /// Uploads the blob in parts.
    ///
    /// - Returns: `nil` if the blob has to be uploaded through the registry.
    /// - Throws: ``CopyError``, also if parts were required but are not possible; `CancellationError`. The journal
    ///   holds what had arrived by then.
    func upload(_ transfer: BlobTransfer) async throws -> BlobMover.Arrival? {
        let (blob, source, destination) = (transfer.blob, transfer.source, transfer.destination)
        guard isWanted(blob, destination) else { return nil }
        guard let uploads = destination.partUploads else {
            throw refusal("uploads through the API need ECR as the destination", destination)
        }
        guard takes(blob, to: destination) else {
            try decline(blob, destination, "that is too much for \(UploadLayerPart.mostParts) parts")
            return nil
        }
        let key = UploadKey(blob, to: destination)
        let claim = try await FileWork.run { _ in journal.claim(key) }
        var found = claim?.found
        var freshStarts = 0
        var corruptions = 0
        while true {
            let resumed = found.take()
            let upload = if let resumed { resumed.upload } else { try await uploads.begin() }
            let answered = upload.partSize
            guard let plan = PartPlan(size: blob.size, answered: answered, smallest: options.smallestPart) else {
                claim?.close()
                try decline(
                    blob,
                    destination,
                    "that is too much for \(UploadLayerPart.mostParts) parts of \(ByteCount(answered))"
                )
                return nil
            }
            let start = resumed?.nextByte ?? 0
            begin(blob, destination, at: start)
            let uploader = PartUploader(
                blob: blob,
                source: reading(of: blob, from: source),
                ownSource: { ownReading(of: blob, from: source) },
                uploads: uploads,
                upload: upload,
                plan: plan,
                moved: progress(of: blob, to: destination, from: start) {
                    claim?.record(UploadEntry(key, upload, nextByte: $0))
                }
            )
            let ending: PartUploader.Ending
            do {
                ending = try await uploader.run(from: start)
            } catch is RangedSource.NoRanges {
                claim?.close()
                report(.blobRestarted(blob.digest, to: destination.reference, reason: "the source sends no ranges"))
                try decline(blob, destination, "the source sends no ranges")
                return nil
            }
            if ending == .stored {
                claim?.close()
                return .moved
            }
            claim?.drop()
            let error = error(ending, blob, source, destination)
            report(.blobRestarted(blob.digest, to: destination.reference, reason: error.cause))
            if case .corrupt = ending {
                corruptions += 1
                guard corruptions < BlobMover.mostCorruptions else { throw error }
            } else {
                // The registry may have stored the blob although the response to the completion was lost.
                if try await destination.missing([blob]).isEmpty {
                    claim?.close()
                    return .moved
                }
                freshStarts += 1
                guard freshStarts <= Self.mostFreshStarts else { throw error }
            }
        }
    }

    private func begin(_ blob: Descriptor, _ destination: any BlobReceiver, at start: Int64) {
        report(.blobStarted(blob, to: destination.reference))
        guard start > 0 else { return }
        logger.notice("\(blob.digest) resumes at byte \(start) of \(blob.size)")
        report(.blobResumed(blob, to: destination.reference, at: start))
    }

    /// Reports the bytes since the last report, and journals the position.
    private func progress(
        of blob: Descriptor,
        to destination: any BlobReceiver,
        from start: Int64,
        _ record: @escaping @Sendable (Int64) -> Void
    ) -> @Sendable (Int64) async -> Void {
        let stood = Lock(start)
        return { place in
            let more = stood.withLock { stood in
                defer { stood = place }
                return Int(place - stood)
            }
            report(.blobProgress(blob.digest, to: destination.reference, bytes: more))
            // A durable write waits for the disk.
            if place > 0 { try? await FileWork.run { _ in record(place) } }
        }
    }

    private func error(
        _ ending: PartUploader.Ending,
        _ blob: Descriptor,
        _ source: any BlobReader,
        _ destination: any BlobReceiver
    ) -> CopyError {
        let (reason, repository, operation): (CopyError.Reason, any RepositoryPlace, String) =
            switch ending {
            case .corrupt(let received):
                (
                    .corrupt(expected: blob.digest, detail: "its \(blob.size) bytes hash to \(received)"), source,
                    "downloading \(blob.digest)"
                )
            case .refused:
                (
                    .corrupt(expected: blob.digest, detail: "the parts that arrived hash to something else"),
                    destination, "CompleteLayerUpload"
                )
            case .gone, .stored:
                (
                    .rejected(code: "UploadNotFoundException", text: "the upload of \(blob.digest) was lost"),
                    destination,
                    "UploadLayerPart"
                )
            }
        return CopyError(
            reason,
            side: repository.side,
            image: repository.reference,
            operation: operation
        )
    }

    /// Leaves a blob to the registry, unless that was ruled out.
    private func decline(_ blob: Descriptor, _ destination: any BlobReceiver, _ why: String) throws {
        let what = "\(blob.digest) has \(ByteCount(blob.size)), and \(why)"
        guard options.mode == .auto else { throw refusal(what, destination) }
        logger.warning("\(what); it goes through the registry, and starts over if this run is killed")
    }

    private func refusal(_ text: String, _ destination: any BlobReceiver) -> CopyError {
        CopyError(
            .unsupported(.uploadInParts(text)),
            side: destination.side,
            image: destination.reference,
            operation: "uploading in parts"
        )
    }
}
