internal import Content
internal import HTTPTypes
internal import Platform
internal import Wire

/// Brings blobs to destinations: from a sibling repository where the registry can, else through the wire.
///
/// One for a whole run, so that no blob is moved twice to one place, and what has landed anywhere is known
/// everywhere.
///
/// - Source: DESIGN section 4, step 6, and section 5
struct BlobMover: Sendable {
    enum Arrival: Sendable { case moved, mounted(from: RepositoryName), wasThere }

    let relay: any BlobRelaying
    let large: LargeBlobs
    let retry: RetryPolicy
    let permits: Permits
    let siblings = Siblings()
    let flights = SingleFlight<String, Arrival>()
    /// What somebody has been told was moved or mounted for them.
    private let claimed = Lock<Set<String>>([])
    let report: @Sendable (CopyEvent) -> Void

    /// Fresh URLs for one try, when the source says that the one it gave is no longer good.
    static let mostURLs = 3
    /// How often a source may send something else than the digest says before it counts as damaged.
    static let mostCorruptions = 3

    init(
        relay: any BlobRelaying,
        large: LargeBlobs,
        retry: RetryPolicy,
        jobs: Int,
        report: @escaping @Sendable (CopyEvent) -> Void
    ) {
        self.relay = relay
        self.large = large
        self.retry = retry
        self.permits = Permits(jobs)
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
        let key = Self.key(blob, destination)
        let arrival = try await flights.run(key) {
            let arrival = try await large.withPlace(for: blob, at: destination) {
                try await permits.withPermit { try await bringNow(blob, source, destination) }
            }
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

    /// Moves a blob that the destination has lost, even if this run has brought it before.
    func bringAgain(
        _ blob: Descriptor,
        from source: any ImageRepository,
        to destination: any ImageRepository
    ) async throws -> Arrival {
        await flights.forget(Self.key(blob, destination))
        return try await bring(blob, from: source, to: destination)
    }

    private static func key(_ blob: Descriptor, _ destination: any ImageRepository) -> String {
        "\(destination.registryKey)/\(destination.reference.repository)/\(blob.digest)"
    }

    private func bringNow(
        _ blob: Descriptor,
        _ source: any ImageRepository,
        _ destination: any ImageRepository
    ) async throws -> Arrival {
        let corruptions = Lock(0)
        do {
            return try await retry.run { attempt in
                do {
                    // The answer to the last try may have been lost after the registry had taken the blob.
                    if attempt > 1, try await destination.missing([blob]).isEmpty { return .moved }
                    return try await tryOnce(blob, source, destination)
                } catch let failure as BlobFailure {
                    report(.blobRestarted(blob.digest, to: destination.reference, reason: failure.error.cause))
                    guard case .corrupt = failure.error.reason else { throw failure }
                    let count = corruptions.withLock { count in
                        count += 1
                        return count
                    }
                    guard count < Self.mostCorruptions else { throw BlobFailure(failure.error, .never) }
                    throw failure
                }
            }
        } catch let failure as BlobFailure {
            throw failure.error
        }
    }

    private func tryOnce(
        _ blob: Descriptor,
        _ source: any ImageRepository,
        _ destination: any ImageRepository
    ) async throws -> Arrival {
        if let sibling = siblings.sibling(holding: blob.digest, source: source, destination: destination) {
            switch try await destination.startUpload(of: blob, mountingFrom: sibling) {
            case .mounted: return .mounted(from: sibling)
            case .open(let upload):
                siblings.noteDecline(of: destination.registryKey)
                guard !large.takes(blob, to: destination) else {
                    await abandon(upload, at: destination)
                    break
                }
                return try await closing(upload, at: destination) {
                    try await carry(blob, try await source.source(of: blob), source, upload, destination)
                }
            }
        }
        if let arrival = try await large.bring(blob, from: source, to: destination) { return arrival }
        // Neither needs the other: the download's address and the upload's are asked for at once.
        async let download = source.source(of: blob)
        guard case .open(let upload) = try await destination.startUpload(of: blob, mountingFrom: nil) else {
            return .wasThere
        }
        let request: WireRequest
        do {
            request = try await download
        } catch {
            await abandon(upload, at: destination)
            throw error
        }
        return try await closing(upload, at: destination) {
            try await carry(blob, request, source, upload, destination)
        }
    }

    /// Runs `body`, and closes the upload if it fails.
    private func closing(
        _ upload: OpenUpload,
        at destination: any ImageRepository,
        _ body: () async throws -> Arrival
    ) async throws -> Arrival {
        do {
            return try await body()
        } catch {
            await abandon(upload, at: destination)
            throw error
        }
    }

    /// Closes an upload even when the task that opened it has been cancelled.
    private func abandon(_ upload: OpenUpload, at destination: any ImageRepository) async {
        // Awaited here; a task of its own only because a cancelled one can't send.
        await Task { await destination.closeUpload(upload) }.value
    }

    private func carry(
        _ blob: Descriptor,
        _ first: WireRequest,
        _ source: any ImageRepository,
        _ upload: OpenUpload,
        _ destination: any ImageRepository
    ) async throws -> Arrival {
        let place = destination.reference
        report(.blobStarted(blob, to: place))
        var request = first
        var hops = 0
        var urls = 1
        while true {
            let sent = try await destination.upload(blob, to: upload)
            let outcome: RelayOutcome
            do {
                outcome = try await relay.relay(
                    RelayRequest(
                        source: request,
                        destination: sent,
                        digest: blob.digest,
                        size: blob.size,
                        progress: { report(.blobProgress(blob.digest, to: place, bytes: $0)) }
                    )
                )
            } catch let error as WireError {
                throw BlobFailure(explain(error, blob, source, destination), error.retryAdvice)
            }
            switch outcome {
            case .stored: return .moved
            case .destinationAnswered(let answer):
                let refusal = try await destination.explainUpload(answer, of: blob, sent: sent)
                guard let refusal else { return .moved }
                throw BlobFailure(refusal.error, refusal.retryAdvice)
            case .sourceAnswered(let answer):
                if answer.status.kind == .redirection, let location = answer.fields[.location] {
                    hops += 1
                    guard hops <= WireRequest.mostRedirects else {
                        throw BlobFailure(
                            failure(.unreachable("too many redirects"), source, "downloading \(blob.digest)"),
                            .never
                        )
                    }
                    do {
                        request = try request.following(location)
                    } catch {
                        throw BlobFailure(explain(error, blob, source, destination), .never)
                    }
                } else if answer.status.kind == .clientError, ![404, 408, 429].contains(answer.status.code),
                    urls < Self.mostURLs
                {
                    // An address that has expired, or a token: ask for a fresh one. Nothing was uploaded yet.
                    urls += 1
                    hops = 0
                    request = try await source.source(of: blob)
                } else {
                    throw BlobFailure(sourceAnswered: answer, blob, source)
                }
            }
        }
    }

    private func explain(
        _ error: WireError,
        _ blob: Descriptor,
        _ source: any ImageRepository,
        _ destination: any ImageRepository
    ) -> CopyError {
        let repository = error.end == .destination ? destination : source
        let operation = error.end == .destination ? "uploading \(blob.digest)" : "downloading \(blob.digest)"
        return switch error.reason {
        case .corrupt, .tooShort, .tooLong:
            failure(.corrupt(expected: blob.digest, detail: error.detail), repository, operation)
        default: CopyError(explaining: error, repository: repository, operation)
        }
    }

    private func failure(
        _ reason: CopyError.Reason,
        _ repository: any ImageRepository,
        _ operation: String
    ) -> CopyError {
        CopyError(reason, side: repository.side, image: repository.reference.description, operation: operation)
    }
}

/// Which repositories of which registry are known to hold which blob in this run.
///
/// - Source: DESIGN section 4: a mount attempt is the POST itself, and after two declines a registry is not
///   tried again in that run
final class Siblings: Sendable {
    private struct State {
        var holders: [String: [Digest: RepositoryName]] = [:]
        var declines: [String: Int] = [:]
    }

    static let mostDeclines = 2

    private let state = Lock(State())

    func note(_ digest: Digest, in repository: any ImageRepository) {
        let name = repository.reference.repository
        state.withLock { $0.holders[repository.registryKey, default: [:]][digest] = name }
    }

    func noteDecline(of registry: String) {
        state.withLock { $0.declines[registry, default: 0] += 1 }
    }

    func sibling(
        holding digest: Digest,
        source: any ImageRepository,
        destination: any ImageRepository
    ) -> RepositoryName? {
        let registry = destination.registryKey
        let holder = state.withLock { state -> RepositoryName? in
            guard state.declines[registry, default: 0] < Self.mostDeclines else { return nil }
            if let known = state.holders[registry]?[digest] { return known }
            return source.registryKey == registry ? source.reference.repository : nil
        }
        return holder == destination.reference.repository ? nil : holder
    }
}
