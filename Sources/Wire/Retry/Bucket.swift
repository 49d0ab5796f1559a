/// A token bucket that learns its rate, as a plain value: it decides when the next request may be sent.
///
/// A request takes a reservation, and the caller sleeps for its ``Reservation/wait``. A throttle cuts the rate and
/// begins a new round, which makes earlier reservations void; a success raises the rate while requests wait. Nothing
/// here waits or reads a clock: times are passed in, as durations since one start.
///
/// - Source: docs/facts/quotas.md#rates and #adaptive-rate
struct Bucket: Sendable {
    struct Reservation: Sendable, Equatable {
        /// The time until the request may be sent.
        var wait: Duration
        /// The round of the reservation; it is valid while this equals ``Bucket/round``.
        var round: Int
    }

    /// The lowest rate, one request in two seconds, however often the service throttles; a lower one would stop all
    /// progress.
    static let slowest = 0.5
    /// The factor by which a throttle cuts the rate (CUBIC's β, as in the SDKs).
    static let decrease = 0.7
    /// The growth of the rate in each second in which a request waits, as a fraction of the seed.
    static let increase = 0.05
    /// The highest rate, as a multiple of the seed: quotas are raised on request.
    static let mostGrowth = 10.0
    /// The requests that may be sent at once, as the time in which the rate allows them.
    ///
    /// Half a second is short enough that jitter on the network doesn't exceed a quota that is counted by the second.
    static let burst: Duration = .milliseconds(500)
    /// The time after a cut in which requests may be sent whose throttle doesn't cut the rate again.
    static let settling: Duration = .seconds(1)
    /// The lowest seed for a learned rate: ECR's smallest quota, from which the rate can grow.
    static let leastSeed = 10.0

    /// The rate in requests per second; `nil` while there is no limit.
    private(set) var rate: Double?
    /// The number of times that all earlier reservations were voided.
    private(set) var round = 0
    private var seed: Double?
    /// The time of the next request if all were evenly spaced; a burst may be ahead of it by ``tolerance(_:)``.
    private var due: Duration = .zero
    private var heldUntil: Duration = .zero
    private var cutAt: Duration?
    private var waitingSince: Duration?
    private var grownAt: Duration = .zero
    private var passed = Passed()

    /// - Parameter seed: The first rate, in requests per second; `nil` sets no limit until the first throttle.
    init(seed: Double? = nil) {
        self.seed = seed
        rate = seed
    }

    mutating func reserve(at now: Duration) -> Reservation {
        guard let rate else { return Reservation(wait: .zero, round: round) }
        let start = max(now, due - Self.tolerance(rate))
        due = max(now, due) + .seconds(1 / rate)
        let wait = start - now
        waitingSince = wait > .zero ? waitingSince ?? now : nil
        return Reservation(wait: wait, round: round)
    }

    /// Notes that a request was not throttled.
    mutating func pass(at now: Duration) {
        passed.count(at: now)
        guard let rate, let seed, let waitingSince else { return }
        let waited = now - max(waitingSince, grownAt)
        self.rate = min(rate + Self.increase * seed * (waited / .seconds(1)), max(rate, Self.mostGrowth * seed))
        grownAt = now
    }

    /// Notes that a request was throttled.
    ///
    /// - Parameters:
    ///   - sentAt: The time at which it was sent, so that thirty requests that were sent together cut the rate once.
    ///   - wait: The wait that the service asked for; it applies to every request, not only to this one.
    mutating func throttle(at now: Duration, sentAt: Duration, for wait: Duration?) {
        if cutAt.map({ sentAt >= $0 + Self.settling }) ?? true { cut(at: now) }
        guard let wait, now + wait > heldUntil else { return }
        heldUntil = now + wait
        beginRound(at: heldUntil)
    }

    private mutating func cut(at now: Duration) {
        // If no request succeeded lately, other callers use up the quota, and only the old rate is known.
        let measured = passed.rate(at: now)
        let known = rate ?? Self.leastSeed
        let basis = measured > 0 ? min(rate ?? measured, measured) : known
        rate = max(Self.slowest, Self.decrease * basis)
        seed = seed ?? max(basis, Self.leastSeed)
        cutAt = now
        beginRound(at: max(now, heldUntil))
    }

    /// Allows the next request at `start`, without a burst, and makes waiting requests reserve again.
    private mutating func beginRound(at start: Duration) {
        due = start + Self.tolerance(rate ?? Self.leastSeed)
        waitingSince = nil
        round += 1
    }

    private static func tolerance(_ rate: Double) -> Duration { max(.zero, burst - .seconds(1 / rate)) }
}

/// Counts the requests that succeeded lately.
private struct Passed: Sendable {
    /// The rate is measured over one to two of these steps, as in the SDKs.
    private static let step: Duration = .milliseconds(500)

    private var start: Duration = .zero
    private var current = 0
    private var before = 0

    mutating func count(at now: Duration) {
        roll(to: now)
        current += 1
    }

    /// The measured rate, in requests per second.
    mutating func rate(at now: Duration) -> Double {
        roll(to: now)
        return Double(before + current) / ((Self.step + (now - start)) / .seconds(1))
    }

    private mutating func roll(to now: Duration) {
        guard now - start >= Self.step else { return }
        before = now - start < Self.step * 2 ? current : 0
        start = before > 0 ? start + Self.step : now
        current = 0
    }
}
