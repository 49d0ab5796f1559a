internal import Content
internal import Platform
internal import Wire

/// The parts of one blob, read once for all uploads of it that are in progress.
///
/// A part stays in memory while an upload sends it or is about to request it. Only two parts are in memory at a time,
/// so a fast upload waits for a slow one. An upload that keeps the others waiting for long is dismissed, and reads on
/// its own.
///
/// - Source: docs/architecture.md#several-destinations
actor SharedParts {
    /// Some of the blob's bytes, held as long as an upload needs them.
    final class Part: Sendable {
        private let lease: PartPool.Lease
        private let turn: PartPool.Lease

        fileprivate init(_ lease: PartPool.Lease, _ turn: PartPool.Lease) { (self.lease, self.turn) = (lease, turn) }

        var buffer: PartBuffer { lease.buffer }
    }

    /// An upload's membership in the group that reads together.
    struct Membership: Sendable {
        fileprivate let id: Int
        fileprivate let parts: SharedParts

        /// Returns the bytes of `range` once they have been read.
        ///
        /// - Parameter size: The size of the buffer, in bytes.
        /// - Throws: As ``RangedSource/read(_:into:)``.
        func part(_ range: Range<Int64>, size: Int) async throws -> Part {
            try await parts.part(range, size: size, for: id)
        }

        /// Notes the upload's position.
        func note(_ place: Int64) async { await parts.note(place, of: id) }

        /// Returns when this upload has kept the others waiting for too long.
        ///
        /// - Throws: `CancellationError`
        func dismissal() async throws { try await parts.dismissal(of: id) }

        /// Leaves the group.
        func leave() async { await parts.leave(id) }
    }

    private struct Kept {
        weak var part: Part?
        /// The same part, held strongly while an upload still needs to take it.
        var held: Part?
    }

    private struct Position {
        /// The number of bytes that the registry has.
        var place: Int64
        /// The beginning of the part to request next.
        var next: Int64
    }

    private let source: RangedSource
    private let pool: PartPool
    private let clock: any Clock<Duration>
    private var positions: [Int: Position] = [:]
    private var watching: [Int: (watch: Int, continuation: CheckedContinuation<Void, any Error>)] = [:]
    private var lastWatch = 0
    private var kept: [Range<Int64>: Kept] = [:]
    private let flights = SingleFlight<Range<Int64>, Part>()
    private let turns = PartPool(byteCount: mostParts)
    private var lastID = 0

    /// The most parts in memory: one is sent while another is received.
    static let mostParts = 2
    /// Half of the time that an upload with nothing left to send waits for the others before they are dismissed.
    static let halfPatience: Duration = .seconds(5)

    init(_ source: RangedSource, pool: PartPool, clock: any Clock<Duration>) {
        self.source = source
        self.pool = pool
        self.clock = clock
    }

    func join(at place: Int64) -> Membership {
        lastID += 1
        positions[lastID] = Position(place: place, next: place)
        keepNeededParts()
        return Membership(id: lastID, parts: self)
    }

    private func note(_ place: Int64, of id: Int) {
        guard let next = positions[id]?.next else { return }
        positions[id] = Position(place: place, next: max(next, place))
        keepNeededParts()
    }

    private func leave(_ id: Int) {
        positions[id] = nil
        watching.removeValue(forKey: id)?.continuation.resume()
        keepNeededParts()
    }

    private func part(_ range: Range<Int64>, size: Int, for id: Int) async throws -> Part {
        positions[id]?.next = range.lowerBound
        keepNeededParts()
        if let part = kept[range]?.part {
            take(range, id)
            return part
        }
        let part = try await flights.run(range) { try await self.read(range, size: size) }
        kept[range] = Kept(part: part)
        take(range, id)
        // Otherwise it would stay in memory after all uploads have sent it.
        await flights.forget(range)
        return part
    }

    private func take(_ range: Range<Int64>, _ id: Int) {
        positions[id]?.next = range.upperBound
        keepNeededParts()
    }

    /// Holds every part in memory that an upload can reach by taking part after part, and no other part.
    ///
    /// Otherwise, an upload that paused for a moment would find that the others had sent its next part, and would have
    /// to read that part and every later one again. An upload whose next part has left memory is not waited for,
    /// because there would be no room to read it.
    private func keepNeededParts() {
        kept = kept.filter { $0.value.part != nil }
        var wanted: Set<Range<Int64>> = []
        for var next in positions.values.map(\.next) {
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
        // The part may have arrived since the caller checked.
        if let part = kept[range]?.part { return part }
        async let _: Void = dismissUploads(behind: range.lowerBound)
        let turn = try await turns.lease(1)
        let lease = try await pool.lease(size)
        try await source.read(range, into: lease.buffer)
        return Part(lease, turn)
    }

    /// Dismisses the uploads that hold back the others, while the caller waits for memory; runs until it is cancelled.
    private func dismissUploads(behind place: Int64) async {
        var looks = 0
        while (try? await clock.sleep(for: Self.halfPatience)) != nil {
            looks = positions.values.contains { $0.place == place } ? looks + 1 : 0
            guard looks >= 2 else { continue }
            for (id, upload) in positions where upload.place < place { leave(id) }
        }
    }

    private func dismissal(of id: Int) async throws {
        lastWatch += 1
        let watch = lastWatch
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                guard positions[id] != nil else { return continuation.resume() }
                watching[id] = (watch, continuation)
            }
        } onCancel: {
            // This task isn't awaited, because it only ends the wait.
            Task { await self.stop(watch, of: id) }
        }
    }

    /// Ends this watch, but not the next watch of the same upload, which may have begun meanwhile.
    private func stop(_ watch: Int, of id: Int) {
        guard watching[id]?.watch == watch else { return }
        watching.removeValue(forKey: id)?.continuation.resume(throwing: CancellationError())
    }
}
