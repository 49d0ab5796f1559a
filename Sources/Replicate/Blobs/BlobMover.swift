internal import Content
internal import Platform
internal import Wire

/// Brings blobs to destinations: from a sibling repository where the registry can, else through the wire.
///
/// One for a whole run, so that no blob is moved twice to one place, and what has landed anywhere is known
/// everywhere.
///
/// - Source: docs/architecture.md#one-blob
struct BlobMover: Sendable {
    enum Arrival: Sendable { case moved, mounted(from: RepositoryName), wasThere }

    let courier: BlobCourier
    let large: LargeBlobs
    let retry: RetryPolicy
    let admission: Admission
    let siblings = Siblings()
    let gatherings: Gatherings
    private let flights = SingleFlight<String, Arrival>()
    /// One reading of a blob for several destinations, and how it ended at each; who isn't named goes by itself.
    let shared = SingleFlight<String, [String: Result<Arrival, any Error>]>()
    /// What somebody has been told was moved or mounted for them.
    private let claimed = Lock<Set<String>>([])
    let report: @Sendable (CopyEvent) -> Void

    /// How often a source may send something else than the digest says before it counts as damaged.
    static let mostCorruptions = 3

    /// - Parameters:
    ///   - jobs: How many blobs may be on the wire at once; `nil` lets their sizes decide.
    ///   - clock: For how long a gathering waits; never an instant one, or nobody would be waited for.
    init(
        relay: any BlobRelaying,
        large: LargeBlobs,
        retry: RetryPolicy,
        jobs: Int?,
        drain: Drain = Drain(),
        clock: any Clock<Duration> = ContinuousClock(),
        report: @escaping @Sendable (CopyEvent) -> Void
    ) {
        courier = BlobCourier(relay: relay, report: report)
        self.large = large
        self.retry = retry
        admission = Admission(jobs: jobs, drain: drain)
        gatherings = Gatherings(clock: clock)
        self.report = report
    }

    /// Moves `blob` unless this run has done so; returns when the destination holds it.
    ///
    /// - Returns: What was done, to one of those who asked for it; the others hear that the blob was there.
    func bring(
        _ blob: Descriptor,
        from source: any ImageRepository,
        to destination: any ImageRepository
    ) async throws -> Arrival {
        try await bring(blob, source, destination) {
            try await bringInCompany(blob, source, destination)
        }
    }

    /// Moves a blob that the destination has lost, even if this run has brought it before, or the destination says that
    /// it has it.
    func bringAgain(
        _ blob: Descriptor,
        from source: any ImageRepository,
        to destination: any ImageRepository
    ) async throws -> Arrival {
        let key = Self.key(blob, destination)
        await flights.forget(key)
        return try await flights.run(key) {
            let arrival = try await large.withPlace(for: blob, at: destination, on: admission) {
                try await bringAlone(blob, source, destination, believing: false)
            }
            report(.blobMoved(blob, to: destination.reference))
            return arrival
        }
    }

    private func bring(
        _ blob: Descriptor,
        _ source: any ImageRepository,
        _ destination: any ImageRepository,
        _ body: @escaping @Sendable () async throws -> Arrival
    ) async throws -> Arrival {
        let key = Self.key(blob, destination)
        let arrival = try await flights.run(key) {
            let arrival = try await body()
            siblings.note(blob.digest, in: destination)
            switch arrival {
            case .moved: report(.blobMoved(blob, to: destination.reference))
            case .mounted(let from): report(.blobMounted(blob, to: destination.reference, from: from))
            case .wasThere: break
            }
            return arrival
        }
        return claimed.withLock { $0.insert(key).inserted } ? arrival : .wasThere
    }

    private static func key(_ blob: Descriptor, _ destination: any ImageRepository) -> String {
        "\(destination.placeKey)/\(blob.digest)"
    }

    // MARK: One destination

    func bringAdmitted(
        _ blob: Descriptor,
        _ source: any ImageRepository,
        _ destination: any ImageRepository
    ) async throws -> Arrival {
        try await large.withPlace(for: blob, at: destination, on: admission) {
            try await bringAlone(blob, source, destination)
        }
    }

    /// - Parameter believing: Whether the destination is believed that it has the blob, or has it elsewhere.
    private func bringAlone(
        _ blob: Descriptor,
        _ source: any ImageRepository,
        _ destination: any ImageRepository,
        believing: Bool = true
    ) async throws -> Arrival {
        let corruptions = Lock(0)
        do {
            return try await retry.run { attempt in
                do {
                    // The answer to the last try may have been lost after the registry had taken the blob.
                    if attempt > 1, believing, try await destination.missing([blob]).isEmpty { return .moved }
                    return try await tryFromEither(blob, source, destination, believing: believing)
                } catch let failure as BlobFailure {
                    try await heard(failure, at: destination, blob, corruptions)
                    throw failure
                }
            }
        } catch let failure as BlobFailure {
            throw failure.error
        }
    }

    /// What a failed try teaches: a throttle means fewer at once, and a source that is damaged isn't read for ever.
    func heard(
        _ failure: BlobFailure,
        at destination: any ImageRepository,
        _ blob: Descriptor,
        _ corruptions: Lock<Int>
    ) async throws {
        report(failure.event(blob.digest, to: destination.reference))
        if case .throttled = failure.error.reason { await admission.noteThrottle() }
        guard case .corrupt = failure.error.reason else { return }
        let count = corruptions.withLock { count in
            count += 1
            return count
        }
        guard count < Self.mostCorruptions else { throw BlobFailure(failure.error, .never) }
    }

    /// Takes the content from the descriptor where the source does not have the blob.
    private func tryFromEither(
        _ blob: Descriptor,
        _ source: any ImageRepository,
        _ destination: any ImageRepository,
        believing: Bool
    ) async throws -> Arrival {
        do {
            return try await tryOnce(blob, source, destination, believing: believing)
        } catch {
            guard let content = blob.knownContent, error.isAboutBlobMissing(at: source) else { throw error }
            switch try await open(blob, source, destination, mayMount: believing) {
            case .arrived(let arrival): return arrival
            case .open(let upload):
                return try await closing(upload, at: destination) {
                    try await courier.carry(blob, .bytes(content), source, [(upload, destination)])[0].get()
                    return .moved
                }
            }
        }
    }

    private func tryOnce(
        _ blob: Descriptor,
        _ source: any ImageRepository,
        _ destination: any ImageRepository,
        believing: Bool
    ) async throws -> Arrival {
        let sibling =
            believing ? siblings.sibling(holding: blob.digest, source: source, destination: destination) : nil
        if sibling != nil {
            // The mount may make the download's address unnecessary.
            switch try await open(blob, source, destination) {
            case .arrived(let arrival): return arrival
            case .open(let upload) where large.takes(blob, to: destination):
                await abandon(upload, at: destination)
            case .open(let upload):
                return try await closing(upload, at: destination) {
                    try await courier.carry(blob, try await source.source(of: blob), source, [(upload, destination)])[0]
                        .get()
                    return .moved
                }
            }
        }
        if let arrival = try await large.bring(blob, from: source, to: destination) { return arrival }
        // Neither needs the other: the download's address and the upload's are asked for at once.
        async let download = source.source(of: blob)
        guard case .open(let upload) = try await open(blob, source, destination, mayMount: believing) else {
            return .wasThere
        }
        let from: RelaySource
        do {
            from = try await download
        } catch {
            await abandon(upload, at: destination)
            throw error
        }
        return try await closing(upload, at: destination) {
            try await courier.carry(blob, from, source, [(upload, destination)])[0].get()
            return .moved
        }
    }

    enum Opening: Sendable {
        case arrived(Arrival)
        case open(OpenUpload)
    }

    /// Opens an upload, unless a sibling repository can give the blob.
    func open(
        _ blob: Descriptor,
        _ source: any ImageRepository,
        _ destination: any ImageRepository,
        mayMount: Bool = true
    ) async throws -> Opening {
        let sibling =
            mayMount ? siblings.sibling(holding: blob.digest, source: source, destination: destination) : nil
        switch try await destination.startUpload(of: blob, mountingFrom: sibling) {
        case .mounted: return .arrived(sibling.map { .mounted(from: $0) } ?? .wasThere)
        case .open(let upload):
            if sibling != nil { siblings.noteDecline(of: destination.registryKey) }
            return .open(upload)
        }
    }

    /// Runs `body`, and closes the upload if it fails.
    private func closing<Result>(
        _ upload: OpenUpload,
        at destination: any ImageRepository,
        _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            return try await body()
        } catch {
            await abandon(upload, at: destination)
            throw error
        }
    }

    /// Closes an upload even when the task that opened it has been cancelled.
    func abandon(_ upload: OpenUpload, at destination: any ImageRepository) async {
        // Awaited here; a task of its own only because a cancelled one can't send.
        await Task { await destination.closeUpload(upload) }.value
    }
}

extension ImageRepository {
    /// Equal for two that are one repository, whoever reaches it.
    var placeKey: String { "\(registryKey)/\(reference.repository)" }
}

extension Error {
    /// Whether a source said that it does not have a blob.
    func isAboutBlobMissing(at source: any ImageRepository) -> Bool {
        guard let error = (self as? BlobFailure)?.error ?? self as? CopyError, error.side == source.side else {
            return false
        }
        if case .blobMissing = error.reason { return true }
        return false
    }
}
