/// How many requests a second may go, and when the next one may: a token bucket that learns, as a plain value.
///
/// Whoever wants to send takes a reservation and sleeps for its ``Reservation/wait``. A throttle cuts the rate, a
/// success raises it again while somebody waits; both begin a new round or leave the old one, so that who slept
/// through a throttle can see that the reservation no longer counts. Nothing here waits or reads a clock: moments
/// come in as the time since some beginning.
///
/// - Source: docs/facts/quotas.md#rates and #adaptive-rate
struct Bucket: Sendable {
    struct Reservation: Sendable, Equatable {
        /// From now until the request may go.
        var wait: Duration
        /// Equal to ``Bucket/round`` for as long as nothing has made it void.
        var round: Int
    }

    /// A request every two seconds, whatever a service says: less is no progress that anybody would wait for.
    static let slowest = 0.5
    /// What a throttle leaves of the rate (CUBIC's β, as the SDKs have it).
    static let decrease = 0.7
    /// What a second in which somebody waits adds, as a share of the seed.
    static let increase = 0.05
    /// How often the seed a rate may become: quotas are raised on request.
    static let mostGrowth = 10.0
    /// How long a time's worth of requests may go at once.
    ///
    /// Half a second, so that jitter on the way doesn't overrun a quota that is counted by the second.
    static let burst: Duration = .milliseconds(500)
    /// What was sent before a cut, or this soon after it, says nothing new about the rate.
    static let settling: Duration = .seconds(1)
    /// The seed of a rate that was learned at less: ECR's scarcest quota, and a pace that growth can start from.
    static let leastSeed = 10.0

    /// Requests a second; `nil` while nothing limits them.
    private(set) var rate: Double?
    /// Counts what made earlier reservations void.
    private(set) var round = 0
    private var seed: Double?
    /// When the next request were due if all came evenly; a burst may be ahead of it by ``tolerance``.
    private var due: Duration = .zero
    private var heldUntil: Duration = .zero
    private var cutAt: Duration?
    private var waitingSince: Duration?
    private var grownAt: Duration = .zero
    private var passed = Passed()

    /// - Parameter seed: Requests a second to begin with; `nil` doesn't limit anything until a throttle does.
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

    /// A request went through.
    mutating func pass(at now: Duration) {
        passed.count(at: now)
        guard let rate, let seed, let waitingSince else { return }
        let waited = now - max(waitingSince, grownAt)
        self.rate = min(rate + Self.increase * seed * (waited / .seconds(1)), max(rate, Self.mostGrowth * seed))
        grownAt = now
    }

    /// A request was throttled.
    ///
    /// - Parameters:
    ///   - sentAt: When it went, so that thirty which went together cut the rate once.
    ///   - wait: What the service asked for; everything is held back as long, not only this request.
    mutating func throttle(at now: Duration, sentAt: Duration, for wait: Duration?) {
        if cutAt.map({ sentAt >= $0 + Self.settling }) ?? true { cut(at: now) }
        guard let wait, now + wait > heldUntil else { return }
        heldUntil = now + wait
        beginRound(at: heldUntil)
    }

    private mutating func cut(at now: Duration) {
        // Where nothing went through of late, somebody else uses the quota up, and only the rate is known.
        let measured = passed.rate(at: now)
        let known = rate ?? Self.leastSeed
        let basis = measured > 0 ? min(rate ?? measured, measured) : known
        rate = max(Self.slowest, Self.decrease * basis)
        seed = seed ?? max(basis, Self.leastSeed)
        cutAt = now
        beginRound(at: max(now, heldUntil))
    }

    /// Lets the next request go at `start`, with no burst, and everybody who waits reserve anew.
    private mutating func beginRound(at start: Duration) {
        due = start + Self.tolerance(rate ?? Self.leastSeed)
        waitingSince = nil
        round += 1
    }

    private static func tolerance(_ rate: Double) -> Duration { max(.zero, burst - .seconds(1 / rate)) }
}

/// How many requests went through of late.
private struct Passed: Sendable {
    /// The rate is reckoned over one to two of these (the SDKs measure in the same steps).
    private static let step: Duration = .milliseconds(500)

    private var start: Duration = .zero
    private var current = 0
    private var before = 0

    mutating func count(at now: Duration) {
        roll(to: now)
        current += 1
    }

    /// Requests a second.
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
