internal import HTTPTypes
internal import Platform

/// Keeps the requests to one registry below its quotas, with a bucket for each quota.
///
/// Requests that use the same quotas share one pacer; ECR's API and its registry do. A bucket without a seed sets no
/// limit until its first throttle, and then starts from the rate that was reached.
public final class Pacer: Sendable {
    /// The permission to send one request.
    public struct Admission: Sendable {
        let bucket: String
        let sentAt: Duration
    }

    private let seeds: [String: Double]
    private let clock: any Clock<Duration>
    private let now: @Sendable () -> Duration
    private let buckets = Lock<[String: Bucket]>([:])

    /// The most reservations of one request that throttles may void; after that the request is sent.
    ///
    /// Without a limit a request could starve, or wait for ever on a clock that doesn't move.
    static let mostReservations = 3

    /// - Parameters:
    ///   - seeds: The known quotas by bucket, in requests per second.
    ///   - clock: The clock on which requests wait.
    public init(seeds: [String: Double] = [:], clock: any Clock<Duration> = ContinuousClock()) {
        self.seeds = seeds
        self.clock = clock
        now = stopwatch(clock)
    }

    /// Waits until a request may be sent.
    ///
    /// - Throws: `CancellationError`; the reservation is lost then, which costs the other requests one interval.
    public func admit(_ bucket: String) async throws -> Admission {
        for _ in 0..<Self.mostReservations {
            let reservation = change(bucket) { $0.reserve(at: $1) }
            guard reservation.wait > .zero else { break }
            try await clock.sleep(for: reservation.wait)
            // After a throttle, a reservation made at the old rate is too early.
            guard change(bucket, { bucket, _ in bucket.round }) != reservation.round else { break }
        }
        return Admission(bucket: bucket, sentAt: now())
    }

    /// Notes that the request was answered, and not throttled.
    public func pass(_ admission: Admission) {
        change(admission.bucket) { $0.pass(at: $1) }
    }

    /// Notes that the request was throttled.
    ///
    /// - Parameter wait: The wait that the service asked for, if any. A wait that is too long for a run delays nothing:
    ///   each request then ends at once with the service's answer.
    public func throttle(_ admission: Admission, for wait: Duration?) {
        let wait = wait.flatMap { $0 <= RetryPolicy.longestNamedWait ? $0 : nil }
        change(admission.bucket) { $0.throttle(at: $1, sentAt: admission.sentAt, for: wait) }
    }

    /// Notes an answer.
    public func note(_ answer: WireResponse, to admission: Admission) {
        answer.isThrottle ? throttle(admission, for: answer.retryAfter) : pass(admission)
    }

    /// Waits until one end of a relay may begin, and counts it as not throttled: only throttles are reported later.
    public func admitRelay(_ bucket: String) async throws { pass(try await admit(bucket)) }

    /// Notes an answer to a relay, for which no admission is at hand.
    public func noteRelay(_ answer: WireResponse, _ bucket: String) {
        if answer.isThrottle { throttle(Admission(bucket: bucket, sentAt: now()), for: answer.retryAfter) }
    }

    /// The current rate in requests per second; `nil` if there is no limit.
    public func rate(of bucket: String) -> Double? { change(bucket) { bucket, _ in bucket.rate } }

    @discardableResult
    private func change<Result>(_ name: String, _ body: (inout Bucket, Duration) -> Result) -> Result {
        buckets.withLock { body(&$0[name, default: Bucket(seed: seeds[name])], now()) }
    }
}

/// A sender that waits for the pacer before each request.
///
/// It is for registries, whose throttles show in the status. The answers of ECR's API must be decoded first.
public struct PacedSender: HTTPSending {
    private let sender: any HTTPSending
    private let pacer: Pacer
    private let bucket: @Sendable (WireRequest) -> String?

    /// - Parameter bucket: The bucket of a request; `nil` for a request to another host.
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
    /// Opening connections sends no request, so it does not wait.
    public func warm(_ url: HTTPURL, connections: Int) {
        (sender as? any ConnectionWarming)?.warm(url, connections: connections)
    }
}

extension WireResponse {
    /// Whether this is a throttle: 429, or 503 with `Retry-After`.
    public var isThrottle: Bool { status.code == 429 || (status.code == 503 && retryAfter != nil) }
}

/// A function that returns the time since now on `clock`.
private func stopwatch<Measure: Clock<Duration>>(_ clock: Measure) -> @Sendable () -> Duration {
    let start = clock.now
    return { start.duration(to: clock.now) }
}
