/// A token bucket that learns its rate: it says when the next request may go.
///
/// A plain value.
///
/// A request takes a reservation, and the caller sleeps for its ``Reservation/wait``. A throttle cuts the rate and
/// begins a new round, which makes earlier reservations void; a success raises the rate while requests wait. Nothing
/// here waits or reads a clock: times are passed in, counted from a common beginning.
///
/// - Source: docs/facts/quotas.md#rates and #adaptive-rate
struct Bucket: Sendable {
    struct Reservation: Sendable, Equatable {
        /// The time until the request may go.
        var wait: Duration
        /// The round of the reservation; it is valid while this equals ``Bucket/round``.
        var round: Int
    }

    /// The lowest rate: a request every two seconds, however often the service throttles.
    ///
    /// Less would be no progress.
    static let slowest = 0.5
    /// The factor by which a throttle cuts the rate (CUBIC's β, as in the SDKs).
    static let decrease = 0.7
    /// The growth of the rate in each second in which a request waits, as a fraction of the seed.
    static let increase = 0.05
    /// The highest rate, as a multiple of the seed: quotas are raised on request.
    static let mostGrowth = 10.0
    /// The requests that may go at once, as the time in which the rate allows them.
    ///
    /// Half a second, so that jitter on the way doesn't overrun a quota that is counted by the second.
    static let burst: Duration = .milliseconds(500)
    /// A throttle of a request that was sent before a cut, or this soon after it, does not cut the rate again.
    static let settling: Duration = .seconds(1)
    /// The lowest seed for a rate that was learned: ECR's scarcest quota, from which the rate can grow.
    static let leastSeed = 10.0

    /// The requests a second; `nil` while there is no limit.
    private(set) var rate: Double?
    /// The number of times that earlier reservations became void.
    private(set) var round = 0
    private var seed: Double?
    /// When the next request would be due if all were evenly spaced.
    ///
    /// A burst may be ahead of it by ``tolerance``.
    private var due: Duration = .zero
    private var heldUntil: Duration = .zero
    private var cutAt: Duration?
    private var waitingSince: Duration?
    private var grownAt: Duration = .zero
    private var passed = Passed()

    /// - Parameter seed: The requests a second to begin with; `nil` sets no limit until the first throttle.
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
    ///   - sentAt: When it was sent, so that thirty requests that were sent together cut the rate once.
    ///   - wait: The wait that the service named; it holds back every request, not only this one.
    mutating func throttle(at now: Duration, sentAt: Duration, for wait: Duration?) {
        if cutAt.map({ sentAt >= $0 + Self.settling }) ?? true { cut(at: now) }
        guard let wait, now + wait > heldUntil else { return }
        heldUntil = now + wait
        beginRound(at: heldUntil)
    }

    private mutating func cut(at now: Duration) {
        // If nothing went through lately, other callers use up the quota, and only the old rate is known.
        let measured = passed.rate(at: now)
        let known = rate ?? Self.leastSeed
        let basis = measured > 0 ? min(rate ?? measured, measured) : known
        rate = max(Self.slowest, Self.decrease * basis)
        seed = seed ?? max(basis, Self.leastSeed)
        cutAt = now
        beginRound(at: max(now, heldUntil))
    }

    /// Lets the next request go at `start`, without a burst, and makes waiting requests reserve again.
    private mutating func beginRound(at start: Duration) {
        due = start + Self.tolerance(rate ?? Self.leastSeed)
        waitingSince = nil
        round += 1
    }

    private static func tolerance(_ rate: Double) -> Duration { max(.zero, burst - .seconds(1 / rate)) }
}

/// Counts the requests that went through lately.
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

    /// The measured requests a second.
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
