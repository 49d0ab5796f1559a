/// Lets blobs onto the wire: many small ones, which wait for answers, and few large ones, which share the bandwidth.
///
/// Each size has a queue of its own, in the order of asking, so that neither waits behind the other. Taken only around
/// the moving of bytes, never while waiting for something that may need to be let in itself.
///
/// - Source: docs/architecture.md#long-links
actor Admission {
    /// From here on, in bytes, a blob is limited by bandwidth and not by the time an answer takes.
    static let large: Int64 = 4 << 20
    static let mostLarge = 8
    static let mostAtOnce = 32
    /// Of the small ones under way together, in bytes.
    static let mostSmallBytes: Int64 = 48 << 20
    /// What a blob in parts takes up of ``mostAtOnce``: its share of the memory for parts, in relays.
    static let weightOfParts = 11
    /// So many relays fit into memory beside the parts (docs/architecture.md#bounds).
    static let mostBesideParts = 10
    /// What a throttle leaves of the limits, and what every blob that arrives gives back of them.
    static let decrease = 0.5
    static let increase = 0.05
    /// Throttles of requests that were under way together count once.
    static let throttlesCountOnce: Duration = .seconds(1)

    private struct Waiter {
        var id: Int
        var size: Int64
        var weight: Int
        var continuation: CheckedContinuation<Void, any Error>
    }

    private let jobs: Int?
    private let clock: any Clock<Duration>
    private nonisolated let drain: Drain
    private var largeInFlight = 0
    /// Of all that are under way: each counts once, and one in parts for several.
    private var weightInFlight = 0
    private var smallInFlight = 0
    private var smallBytes: Int64 = 0
    private var scale = 1.0
    private var mayShrink = true
    private var largeQueue: [Waiter] = []
    private var smallQueue: [Waiter] = []
    private var nextID = 0

    /// - Parameters:
    ///   - jobs: How many at once, whatever their size; `nil` for the limits above.
    ///   - drain: When it begins, nobody is let in any more; who is in goes on to the end.
    init(jobs: Int?, clock: any Clock<Duration> = ContinuousClock(), drain: Drain = Drain()) {
        self.jobs = jobs.map { max(1, $0) }
        self.clock = clock
        self.drain = drain
        // Owned by nobody: it only sends away who waits.
        drain.onDrain { [weak self] in Task { await self?.sendAway() } }
    }

    /// Runs `body` when there is room for so many bytes.
    ///
    /// - Throws: What `body` throws, `CancellationError` if cancelled while waiting, ``Drained``.
    nonisolated func admit<Result: Sendable>(
        _ size: Int64,
        inParts: Bool = false,
        _ body: () async throws -> Result
    ) async throws -> Result {
        let weight = inParts ? weightOfParts : 1
        try await enter(size, weight)
        do {
            try drain.checkOpen()
            let result = try await body()
            await leave(size, weight, didArrive: true)
            return result
        } catch {
            await leave(size, weight, didArrive: false)
            throw error
        }
    }

    private nonisolated var weightOfParts: Int {
        guard let jobs else { return Self.weightOfParts }
        return min(max((jobs - Self.mostBesideParts + 1) / LargeBlobs.mostUploads, 1), Self.weightOfParts)
    }

    private func sendAway() {
        for waiter in largeQueue + smallQueue { waiter.continuation.resume(throwing: Drained()) }
        (largeQueue, smallQueue) = ([], [])
    }

    /// A registry asked for fewer requests: fewer blobs at once, until some have arrived.
    func noteThrottle() {
        guard mayShrink else { return }
        mayShrink = false
        scale = max(scale * Self.decrease, 1 / Double(Self.mostAtOnce))
        // Owned by this actor; it only ends the time in which others count as the same.
        Task { [clock] in
            try? await clock.sleep(for: Self.throttlesCountOnce)
            self.mayShrink = true
        }
    }

    private func enter(_ size: Int64, _ weight: Int) async throws {
        try Task.checkCancellation()
        try drain.checkOpen()
        let isLarge = isLarge(size)
        if (isLarge ? largeQueue : smallQueue).isEmpty, hasRoom(for: size, weight) {
            count(size, weight)
            return
        }
        let id = nextID
        nextID += 1
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                // Cancelled before it could queue: the handler has run already and found nothing.
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                guard !drain.isDraining else { return continuation.resume(throwing: Drained()) }
                let waiter = Waiter(id: id, size: size, weight: weight, continuation: continuation)
                if isLarge { largeQueue.append(waiter) } else { smallQueue.append(waiter) }
            }
        } onCancel: {
            // Owned by nobody: it only takes one entry out of the queue.
            Task { await self.withdraw(id) }
        }
    }

    private func withdraw(_ id: Int) {
        if let index = largeQueue.firstIndex(where: { $0.id == id }) {
            largeQueue.remove(at: index).continuation.resume(throwing: CancellationError())
        } else if let index = smallQueue.firstIndex(where: { $0.id == id }) {
            smallQueue.remove(at: index).continuation.resume(throwing: CancellationError())
        }
        letIn()
    }

    private func leave(_ size: Int64, _ weight: Int, didArrive: Bool) {
        count(size, -weight)
        if didArrive { scale = min(1, scale + Self.increase) }
        letIn()
    }

    private func letIn() {
        while let next = largeQueue.first, hasRoom(for: next.size, next.weight) {
            count(next.size, next.weight)
            largeQueue.removeFirst().continuation.resume()
        }
        while let next = smallQueue.first, hasRoom(for: next.size, next.weight) {
            count(next.size, next.weight)
            smallQueue.removeFirst().continuation.resume()
        }
    }

    /// With a number of jobs given, size plays no part.
    private func isLarge(_ size: Int64) -> Bool { jobs == nil && size >= Self.large }

    private func hasRoom(for size: Int64, _ weight: Int) -> Bool {
        if let jobs { return weightInFlight == 0 || weightInFlight + weight <= scaled(jobs) }
        let most = scaled(Self.mostAtOnce)
        if isLarge(size) {
            guard largeInFlight < scaled(Self.mostLarge) else { return false }
            return weight == 1 || weightInFlight == 0 || weightInFlight + weight <= most
        }
        // What waits for much room at once is not overtaken by ever more that wait for little.
        let awaited = (largeQueue.first?.weight ?? 1) - 1
        guard weightInFlight == 0 || weightInFlight + weight + awaited <= most else { return false }
        return smallInFlight == 0 || smallBytes + size <= Self.mostSmallBytes
    }

    private func scaled(_ limit: Int) -> Int { max(1, Int(Double(limit) * scale)) }

    /// - Parameter weight: What it takes up; negative when it leaves.
    private func count(_ size: Int64, _ weight: Int) {
        weightInFlight += weight
        if isLarge(size) {
            largeInFlight += weight.signum()
        } else {
            smallInFlight += weight.signum()
            smallBytes += Int64(weight.signum()) * size
        }
    }
}
