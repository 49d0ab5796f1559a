internal import Content
internal import Platform
internal import Wire

/// One blob's parts, read once for all uploads of it that are under way.
///
/// A part stays as long as an upload sends it, or is about to ask for it. Only two are there at a time, so an upload that
/// is ahead waits for one that is behind; one that keeps the others waiting for long is dismissed, and reads for itself.
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
            try await parts.part(range, size: size, for: id)
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
        /// The same, while an upload is still to take it.
        var held: Part?
    }

    private struct Standing {
        /// What the registry has, in bytes.
        var place: Int64
        /// Where the part begins that is asked for next.
        var next: Int64
    }

    private let source: RangedSource
    private let pool: PartPool
    private let clock: any Clock<Duration>
    private var standing: [Int: Standing] = [:]
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
        standing[lastID] = Standing(place: place, next: place)
        holdWhatIsWanted()
        return Seat(id: lastID, parts: self)
    }

    private func note(_ place: Int64, of id: Int) {
        guard let next = standing[id]?.next else { return }
        standing[id] = Standing(place: place, next: max(next, place))
        holdWhatIsWanted()
    }

    private func leave(_ id: Int) {
        standing[id] = nil
        watching.removeValue(forKey: id)?.continuation.resume()
        holdWhatIsWanted()
    }

    private func part(_ range: Range<Int64>, size: Int, for id: Int) async throws -> Part {
        standing[id]?.next = range.lowerBound
        holdWhatIsWanted()
        if let part = kept[range]?.part {
            take(range, id)
            return part
        }
        let part = try await flights.run(range) { try await self.read(range, size: size) }
        kept[range] = Kept(part: part)
        take(range, id)
        // Or it would stay when no upload sends it any more.
        await flights.forget(range)
        return part
    }

    private func take(_ range: Range<Int64>, _ id: Int) {
        standing[id]?.next = range.upperBound
        holdWhatIsWanted()
    }

    /// Holds every part that an upload reaches by taking one part after the other of those that are here, and no other
    /// part.
    ///
    /// An upload that was not running for a moment would else find that the others had sent its part, and would read it,
    /// and each one after it, again. One whose next part is gone already is not waited for: there would be no room to read
    /// that.
    private func holdWhatIsWanted() {
        kept = kept.filter { $0.value.part != nil }
        var wanted: Set<Range<Int64>> = []
        for var next in standing.values.map(\.next) {
            while let range = kept.keys.first(where: { $0.lowerBound == next }) {
                wanted.insert(range)
                next = range.upperBound
            }
        }
        for (range, entry) in kept {
            kept[range] = Kept(part: entry.part, held: wanted.contains(range) ? entry.part : nil)
        }
    }

    private func read(_ range: Range<Int64>, size: Int) async throws -> Part {
        // It may have come since the caller looked.
        if let part = kept[range]?.part { return part }
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
            looks = standing.values.contains { $0.place == place } ? looks + 1 : 0
            guard looks >= 2 else { continue }
            for (id, upload) in standing where upload.place < place { leave(id) }
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
