internal import HTTPTypes
internal import Platform

/// Keeps one account's requests below what it allows, bucket by bucket.
///
/// Everything of a run that uses up the same quotas shares one: ECR's API and its registry do. A bucket that has
/// no seed limits nothing until its first throttle, and goes on from the rate that was reached then.
public final class Pacer: Sendable {
    /// Leave for one request to go.
    public struct Admission: Sendable {
        let bucket: String
        let sentAt: Duration
    }

    private let seeds: [String: Double]
    private let clock: any Clock<Duration>
    private let now: @Sendable () -> Duration
    private let buckets = Lock<[String: Bucket]>([:])

    /// How often one request reserves anew because a throttle voided what it had; then it goes.
    ///
    /// Not for ever, so that nobody starves, and nobody hangs on a clock that doesn't move.
    static let mostReservations = 3

    /// - Parameters:
    ///   - seeds: Requests a second that are known to be allowed, by bucket.
    ///   - clock: What waits are slept on.
    public init(seeds: [String: Double] = [:], clock: any Clock<Duration> = ContinuousClock()) {
        self.seeds = seeds
        self.clock = clock
        now = stopwatch(clock)
    }

    /// Waits until a request may go.
    ///
    /// - Throws: `CancellationError`; the place in the queue is then lost, which costs the others one interval.
    public func admit(_ bucket: String) async throws -> Admission {
        for _ in 0..<Self.mostReservations {
            let reservation = change(bucket) { $0.reserve(at: $1) }
            guard reservation.wait > .zero else { break }
            try await clock.sleep(for: reservation.wait)
            // Throttled meanwhile: what was reserved at the old rate would come too early now.
            guard change(bucket, { bucket, _ in bucket.round }) != reservation.round else { break }
        }
        return Admission(bucket: bucket, sentAt: now())
    }

    /// The request was answered, and not with a throttle.
    public func pass(_ admission: Admission) {
        change(admission.bucket) { $0.pass(at: $1) }
    }

    /// The request was throttled.
    ///
    /// - Parameter wait: What the service asked for, if it did. One that no run waits for holds nothing back: each
    ///   request then ends at once, with the service's own answer.
    public func throttle(_ admission: Admission, for wait: Duration?) {
        let wait = wait.flatMap { $0 <= RetryPolicy.longestNamedWait ? $0 : nil }
        change(admission.bucket) { $0.throttle(at: $1, sentAt: admission.sentAt, for: wait) }
    }

    /// Takes note of an answer.
    public func note(_ answer: WireResponse, to admission: Admission) {
        answer.isThrottle ? throttle(admission, for: answer.retryAfter) : pass(admission)
    }

    /// Waits until one end of a relay may go; it counts as gone through, since only a throttle is heard of.
    public func admitRelay(_ bucket: String) async throws { pass(try await admit(bucket)) }

    /// Takes note of an answer to a relay, whenever that began.
    public func noteRelay(_ answer: WireResponse, _ bucket: String) {
        if answer.isThrottle { throttle(Admission(bucket: bucket, sentAt: now()), for: answer.retryAfter) }
    }

    /// Requests a second at this moment; `nil` where nothing limits them.
    public func rate(of bucket: String) -> Double? { change(bucket) { bucket, _ in bucket.rate } }

    @discardableResult
    private func change<Result>(_ name: String, _ body: (inout Bucket, Duration) -> Result) -> Result {
        buckets.withLock { body(&$0[name, default: Bucket(seed: seeds[name])], now()) }
    }
}

/// A sender whose requests wait for their turn.
///
/// For a registry: throttles are seen by status. ECR's API has to be asked what its answers mean.
public struct PacedSender: HTTPSending {
    private let sender: any HTTPSending
    private let pacer: Pacer
    private let bucket: @Sendable (WireRequest) -> String?

    /// - Parameter bucket: Which bucket a request empties; `nil` for one that goes elsewhere.
    public init(_ sender: any HTTPSending, _ pacer: Pacer, bucket: @escaping @Sendable (WireRequest) -> String?) {
        self.sender = sender
        self.pacer = pacer
        self.bucket = bucket
    }

    public func send(_ request: WireRequest) async throws -> WireResponse {
        guard let name = bucket(request) else { return try await sender.send(request) }
        let admission = try await pacer.admit(name)
        let answer = try await sender.send(request)
        pacer.note(answer, to: admission)
        return answer
    }
}

extension PacedSender: ConnectionWarming {
    /// Connections that are opened send nothing, and use nothing up.
    public func warm(_ url: HTTPURL, connections: Int) {
        (sender as? any ConnectionWarming)?.warm(url, connections: connections)
    }
}

extension WireResponse {
    /// Too much at once, as HTTP says it: 429, or 503 with a time to come back.
    public var isThrottle: Bool { status.code == 429 || (status.code == 503 && retryAfter != nil) }
}

/// The time since now, as `clock` measures it.
private func stopwatch<Measure: Clock<Duration>>(_ clock: Measure) -> @Sendable () -> Duration {
    let start = clock.now
    return { start.duration(to: clock.now) }
}
