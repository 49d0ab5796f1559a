internal import Platform

/// Limits the blobs that move at once: many small ones, whose time is latency, and few large ones, which share
/// bandwidth.
///
/// Large and small blobs wait in separate queues, so that neither waits for the other. A slot is held only while bytes
/// move, never while waiting for something that may itself need a slot.
final class Admission: Sendable {
    /// The size in bytes from which bandwidth, rather than latency, limits a blob.
    static let large: Int64 = 4 << 20
    /// The most large blobs in flight.
    static let mostLarge = 8
    /// The most blobs in flight.
    static let mostAtOnce = 32
    /// The most bytes of all small blobs in flight together.
    static let mostSmallBytes: Int64 = 48 << 20
    /// The slots of ``mostAtOnce`` that a blob in parts takes, since it needs the memory of this many relays.
    static let weightOfParts = 11
    /// The number of relays that fit into memory next to the parts.
    static let mostBesideParts = 10
    /// The factor by which a throttle scales the limits.
    static let decrease = 0.5
    /// How much each blob that arrives adds to the scale of the limits.
    static let increase = 0.05
    /// Throttles within this time count as one, because their requests were in flight together.
    static let throttlesCountOnce: Duration = .seconds(1)

    private enum Line: Sendable { case large, small }

    private struct Request: Sendable {
        var size: Int64
        /// The number of slots that the blob takes.
        var weight: Int
    }

    private struct InFlight: Sendable {
        let jobs: Int?
        var large = 0
        var small = 0
        /// The slots taken by large and small blobs together.
        var weight = 0
        var smallBytes: Int64 = 0
        /// The scale of the limits, which throttles reduce.
        var scale = 1.0
        var mayShrink = true

        func scaled(_ limit: Int) -> Int { max(1, Int(Double(limit) * scale)) }

        func hasRoom(_ request: Request, _ line: Line, awaited: Int) -> Bool {
            if let jobs { return weight == 0 || weight + request.weight <= scaled(jobs) }
            let most = scaled(mostAtOnce)
            if line == .large {
                guard large < scaled(mostLarge) else { return false }
                return request.weight == 1 || weight == 0 || weight + request.weight <= most
            }
            // Slots that a waiting large blob needs count as taken, so that small blobs can't overtake it forever.
            guard weight == 0 || weight + request.weight + awaited <= most else { return false }
            return small == 0 || smallBytes + request.size <= mostSmallBytes
        }

        /// - Parameter sign: 1 when a blob starts, -1 when it ends.
        mutating func count(_ request: Request, _ line: Line, _ sign: Int) {
            weight += sign * request.weight
            if line == .large {
                large += sign
            } else {
                small += sign
                smallBytes += Int64(sign) * request.size
            }
        }
    }

    private let jobs: Int?
    private let clock: any Clock<Duration>
    private let drain: Drain
    private let queue: WaitQueue<Line, Request, InFlight>

    /// - Parameters:
    ///   - jobs: The most blobs in flight, whatever their size; `nil` for the limits above.
    ///   - drain: Once it begins, no further blob is admitted; those in flight finish.
    init(jobs: Int?, clock: any Clock<Duration> = ContinuousClock(), drain: Drain = Drain()) {
        let jobs = jobs.map { max(1, $0) }
        self.jobs = jobs
        self.clock = clock
        self.drain = drain
        queue = WaitQueue(InFlight(jobs: jobs)) { request, line, inFlight, first in
            let awaited = line == .small ? (first(.large)?.weight ?? 1) - 1 : 0
            guard inFlight.hasRoom(request, line, awaited: awaited) else { return false }
            inFlight.count(request, line, 1)
            return true
        }
        drain.onDrain { [queue] in queue.close(Drained()) }
    }

    /// Runs `body` once a slot for a blob of `size` bytes is free.
    ///
    /// - Throws: What `body` throws; `CancellationError` if cancelled while waiting; ``Drained``.
    func admit<Result: Sendable>(
        _ size: Int64,
        inParts: Bool = false,
        _ body: () async throws -> Result
    ) async throws -> Result {
        // If a number of jobs is given, the size doesn't matter.
        let line: Line = jobs == nil && size >= Self.large ? .large : .small
        let request = Request(size: size, weight: inParts ? weightOfParts : 1)
        try drain.checkOpen()
        try await queue.enter(request, line: line)
        do {
            try drain.checkOpen()
            let result = try await body()
            queue.change { inFlight in
                inFlight.count(request, line, -1)
                inFlight.scale = min(1, inFlight.scale + Self.increase)
            }
            return result
        } catch {
            queue.change { $0.count(request, line, -1) }
            throw error
        }
    }

    private var weightOfParts: Int {
        guard let jobs else { return Self.weightOfParts }
        return min(max((jobs - Self.mostBesideParts + 1) / LargeBlobs.mostUploads, 1), Self.weightOfParts)
    }

    /// Halves the limits after a throttle; blobs that arrive raise them again.
    func noteThrottle() {
        let shrinks = queue.change { inFlight in
            guard inFlight.mayShrink else { return false }
            inFlight.mayShrink = false
            inFlight.scale = max(inFlight.scale * Self.decrease, 1 / Double(Self.mostAtOnce))
            return true
        }
        guard shrinks else { return }
        // This task ends by itself; it only marks when the next throttle counts.
        Task { [clock, queue] in
            try? await clock.sleep(for: Self.throttlesCountOnce)
            queue.change { $0.mayShrink = true }
        }
    }
}
