internal import Content
internal import Platform
internal import Wire

/// One blob's parts, read once for all uploads of it that are under way.
///
/// A part stays as long as somebody sends it. Only two are there at a time, so whoever is ahead waits for whoever is
/// behind; one that keeps the others waiting for long is dismissed, and reads for itself.
///
/// - Source: docs/architecture.md#several-destinations
actor SharedParts {
    /// Some of the blob's bytes, until nobody needs them any more.
    final class Part: Sendable {
        private let lease: PartPool.Lease
        private let turn: PartPool.Lease

        fileprivate init(_ lease: PartPool.Lease, _ turn: PartPool.Lease) { (self.lease, self.turn) = (lease, turn) }

        var buffer: PartBuffer { lease.buffer }
    }

    /// An upload's place among those that read together.
    struct Seat: Sendable {
        fileprivate let id: Int
        fileprivate let parts: SharedParts

        /// The bytes of `range`, when they are there.
        ///
        /// - Parameter size: Of the buffer, in bytes.
        /// - Throws: As ``RangedSource/read(_:into:)``.
        func part(_ range: Range<Int64>, size: Int) async throws -> Part {
            try await parts.part(range, size: size)
        }

        /// Says where the upload stands.
        func note(_ place: Int64) async { await parts.note(place, of: id) }

        /// Returns when this upload has kept the others waiting for too long.
        ///
        /// - Throws: `CancellationError`
        func dismissal() async throws { try await parts.dismissal(of: id) }

        /// Gives the place up.
        func leave() async { await parts.leave(id) }
    }

    private struct Kept {
        weak var part: Part?
    }

    private let source: RangedSource
    private let pool: PartPool
    private let clock: any Clock<Duration>
    private var standing: [Int: Int64] = [:]
    private var watching: [Int: (watch: Int, continuation: CheckedContinuation<Void, any Error>)] = [:]
    private var lastWatch = 0
    private var kept: [Range<Int64>: Kept] = [:]
    private let flights = SingleFlight<Range<Int64>, Part>()
    private let turns = PartPool(byteCount: mostParts)
    private var lastID = 0

    /// In memory: one goes up, one comes down.
    static let mostParts = 2
    /// How long one that has sent all it was given waits for the others, before they are dismissed: twice this.
    static let halfPatience: Duration = .seconds(5)

    init(_ source: RangedSource, pool: PartPool, clock: any Clock<Duration>) {
        self.source = source
        self.pool = pool
        self.clock = clock
    }

    func sit(at place: Int64) -> Seat {
        lastID += 1
        standing[lastID] = place
        return Seat(id: lastID, parts: self)
    }

    private func note(_ place: Int64, of id: Int) {
        if standing[id] != nil { standing[id] = place }
    }

    private func leave(_ id: Int) {
        standing[id] = nil
        watching.removeValue(forKey: id)?.continuation.resume()
    }

    private func part(_ range: Range<Int64>, size: Int) async throws -> Part {
        if let part = kept[range]?.part { return part }
        let part = try await flights.run(range) { try await self.read(range, size: size) }
        kept = kept.filter { $0.value.part != nil }
        kept[range] = Kept(part: part)
        // Or it would stay when nobody sends it any more.
        await flights.forget(range)
        return part
    }

    private func read(_ range: Range<Int64>, size: Int) async throws -> Part {
        async let _: Void = dismissWhoeverHolds(before: range.lowerBound)
        let turn = try await turns.lease(1)
        let lease = try await pool.lease(size)
        try await source.read(range, into: lease.buffer)
        return Part(lease, turn)
    }

    /// Looks, while memory is waited for, whether an upload has nothing left to send because of others; ends when it is
    /// cancelled.
    private func dismissWhoeverHolds(before place: Int64) async {
        var looks = 0
        while (try? await clock.sleep(for: Self.halfPatience)) != nil {
            looks = standing.values.contains(place) ? looks + 1 : 0
            guard looks >= 2 else { continue }
            for (id, stands) in standing where stands < place {
                standing[id] = nil
                watching.removeValue(forKey: id)?.continuation.resume()
            }
        }
    }

    private func dismissal(of id: Int) async throws {
        lastWatch += 1
        let watch = lastWatch
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                guard standing[id] != nil else { return continuation.resume() }
                watching[id] = (watch, continuation)
            }
        } onCancel: {
            // Owned by nobody: it only ends the wait.
            Task { await self.stop(watch, of: id) }
        }
    }

    /// Ends that watch, and not the next one of the same upload, which may have begun meanwhile.
    private func stop(_ watch: Int, of id: Int) {
        guard watching[id]?.watch == watch else { return }
        watching.removeValue(forKey: id)?.continuation.resume(throwing: CancellationError())
    }
}
