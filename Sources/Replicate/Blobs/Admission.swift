internal import Platform

/// Lets blobs onto the wire: many small ones, which wait for answers, and few large ones, which share the bandwidth.
///
/// Large and small blobs wait in lines of their own, so that neither waits for the other. A place is held only while bytes
/// move, never while waiting for something that may itself need a place.
final class Admission: Sendable {
    /// From this size on, in bytes, bandwidth limits a blob and not the time that an answer takes.
    static let large: Int64 = 4 << 20
    /// Large blobs in flight.
    static let mostLarge = 8
    /// Blobs in flight.
    static let mostAtOnce = 32
    /// Bytes of the small blobs in flight, together.
    static let mostSmallBytes: Int64 = 48 << 20
    /// How many places of ``mostAtOnce`` a blob in parts takes: as much memory as so many relays.
    static let weightOfParts = 11
    /// The relays that fit into memory beside the parts.
    static let mostBesideParts = 10
    /// What a throttle leaves of the limits.
    static let decrease = 0.5
    /// What every blob that arrives gives back of the limits.
    static let increase = 0.05
    /// Throttles within this time count once: their requests were in flight together.
    static let throttlesCountOnce: Duration = .seconds(1)

    private enum Line: Sendable { case large, small }

    private struct Request: Sendable {
        var size: Int64
        /// How many places it takes.
        var weight: Int
    }

    private struct InFlight: Sendable {
        let jobs: Int?
        var large = 0
        var small = 0
        /// Places taken, by large and small together.
        var weight = 0
        var smallBytes: Int64 = 0
        /// What is left of the limits after throttles.
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
            // A large blob that waits for many places at once is not overtaken for ever by small ones.
            guard weight == 0 || weight + request.weight + awaited <= most else { return false }
            return small == 0 || smallBytes + request.size <= mostSmallBytes
        }

        /// - Parameter sign: 1 for a blob that comes, -1 for one that leaves.
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
    ///   - jobs: Blobs in flight, whatever their size; `nil` for the limits above.
    ///   - drain: Once it begins, no blob is admitted; those in flight are finished.
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

    /// Runs `body` once there is room for a blob of `size` bytes.
    ///
    /// - Throws: What `body` throws; `CancellationError` if cancelled while waiting; ``Drained``.
    func admit<Result: Sendable>(
        _ size: Int64,
        inParts: Bool = false,
        _ body: () async throws -> Result
    ) async throws -> Result {
        // With a number of jobs given, size plays no part.
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

    /// Halves the limits after a throttle, until blobs have arrived.
    func noteThrottle() {
        let shrinks = queue.change { inFlight in
            guard inFlight.mayShrink else { return false }
            inFlight.mayShrink = false
            inFlight.scale = max(inFlight.scale * Self.decrease, 1 / Double(Self.mostAtOnce))
            return true
        }
        guard shrinks else { return }
        // Ends by itself; it only says when the next throttle counts.
        Task { [clock, queue] in
            try? await clock.sleep(for: Self.throttlesCountOnce)
            queue.change { $0.mayShrink = true }
        }
    }
}
