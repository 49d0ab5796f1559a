internal import Content
internal import Platform
internal import Wire

/// One reading of a blob for several destinations.
extension BlobMover {
    /// Reads the blob once for all who have announced that they want it; one who drops out goes by itself.
    func bringInCompany(
        _ blob: Descriptor,
        _ source: any ImageRepository,
        _ destination: any ImageRepository
    ) async throws -> Arrival {
        // Parts have their own way of being read together.
        let company = gatherings.company(for: blob.digest, from: source, of: destination)
            .filter { !large.takes(blob, to: $0) }
        if company.count > 1, company.contains(where: { $0.placeKey == destination.placeKey }) {
            let key = "\(source.placeKey)/\(blob.digest)"
            let results = try await shared.run(key) {
                try await admission.admit(blob.size) {
                    try await bringTogether(blob, source, gatherings.together(company))
                }
            }
            // A failure is no news for the next image that wants the blob.
            if results.values.contains(where: { (try? $0.get()) == nil }) { await shared.forget(key) }
            switch results[destination.placeKey] {
            case .success(let arrival): return arrival
            // Each can take it from the descriptor by itself.
            case .failure(let error) where blob.knownContent != nil && error.isAboutBlobMissing(at: source): break
            case .failure(let error): throw error
            case nil: break
            }
            // It was let go, or its answer was lost: it may have taken the blob all the same.
            if try await destination.missing([blob]).isEmpty { return .moved }
        }
        return try await bringAdmitted(blob, source, destination)
    }

    private func bringTogether(
        _ blob: Descriptor,
        _ source: any ImageRepository,
        _ company: [any ImageRepository]
    ) async throws -> [String: Result<Arrival, any Error>] {
        let corruptions = Lock(0)
        let done = Lock<[String: Result<Arrival, any Error>]>([:])
        let left = Lock(company)
        do {
            try await retry.run { _ in
                do {
                    try await tryTogether(blob, source, left, done)
                } catch let failure as BlobFailure {
                    for destination in left.withLock({ $0 }) {
                        try await heard(failure, at: destination, blob, corruptions)
                    }
                    throw failure
                }
            }
        } catch
            where error is BlobFailure || error is RetryBudgetSpent || error is RetryWaitTooLong || error is Drained
        {
            // The source's fault, or nobody's; it would fail each of them again.
            for destination in left.withLock({ $0 }) {
                done.withLock { $0[destination.placeKey] = .failure((error as? BlobFailure)?.error ?? error) }
            }
        }
        return done.withLock { $0 }
    }

    /// One reading of the source for those in `left`; who arrives, or fails by its own fault, leaves.
    ///
    /// - Throws: ``BlobFailure`` when it was the source's.
    private func tryTogether(
        _ blob: Descriptor,
        _ source: any ImageRepository,
        _ left: Lock<[any ImageRepository]>,
        _ done: Lock<[String: Result<Arrival, any Error>]>
    ) async throws {
        let company = left.withLock { $0 }
        async let download = source.source(of: blob)
        var open: [(OpenUpload, any ImageRepository)] = []
        for (destination, opening) in await gatherings.open(company, { try await self.open(blob, source, $0) }) {
            switch opening {
            case .arrived(let arrival):
                done.withLock { $0[destination.placeKey] = .success(arrival) }
                left.withLock { $0.removeAll { $0.placeKey == destination.placeKey } }
            case .open(let upload): open.append((upload, destination))
            }
        }
        // Who isn't here by now is served by itself.
        let here = Set(open.map(\.1.placeKey))
        left.withLock { $0.removeAll { !here.contains($0.placeKey) } }
        guard !open.isEmpty else { return }

        let results: [Result<Void, BlobFailure>]
        do {
            results = try await courier.carry(blob, try await download, source, open)
        } catch {
            for (upload, destination) in open { await abandon(upload, at: destination) }
            throw error
        }
        var sourceFailure: BlobFailure?
        for ((upload, destination), result) in zip(open, results) {
            switch result {
            case .success: done.withLock { $0[destination.placeKey] = .success(.moved) }
            case .failure(let failure):
                await abandon(upload, at: destination)
                if failure.error.side == .source {
                    sourceFailure = failure
                    continue
                }
                // It would keep them waiting for the next blob, too.
                if failure.isOutpaced { gatherings.leave(destination) }
                report(failure.event(blob.digest, to: destination.reference))
            }
            left.withLock { $0.removeAll { $0.placeKey == destination.placeKey } }
        }
        if let sourceFailure { throw sourceFailure }
    }
}
