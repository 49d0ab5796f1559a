/// Advice on whether, and when, to retry a failed attempt.
public enum RetryAdvice: Equatable, Sendable {
    case never
    case backOff
    /// Retry after a wait that the service asked for, for example in `Retry-After`.
    case wait(Duration)
}

/// An error that knows whether a retry makes sense.
public protocol RetryAdvising: Error {
    var retryAdvice: RetryAdvice { get }
    /// Whether the attempt failed by a timeout.
    var isTimeout: Bool { get }
}

extension RetryAdvising {
    public var isTimeout: Bool { false }
}

/// The rules for retries: how many attempts, and how long to wait in between.
public struct RetryPolicy: Sendable {
    /// The most attempts, the first included.
    public var attempts: Int
    public var base: Duration
    public var ceiling: Duration
    /// The clock for waits; tests pass a manual one, so that no test sleeps.
    public var clock: any Clock<Duration>
    /// Returns a random number in `0...1`; tests pass `{ 1 }` for exact waits.
    public var jitter: @Sendable () -> Double
    /// Called before every wait, with the failed attempt, the wait and the error.
    public var onRetry: (@Sendable (_ attempt: Int, _ wait: Duration, _ error: any Error) -> Void)?
    /// The budget that all requests to one side share; `nil` for no limit but ``attempts``.
    public var budget: RetryBudget?
    /// The budget for a failure at the other side of a relay; `nil` from it means ``budget``.
    public var otherBudget: (@Sendable (any Error) -> RetryBudget?)?

    /// The longest wait that a service can ask for; a longer one ends the request at once.
    ///
    /// Services with limits by the second or the minute ask for waits of up to a minute or two. A longer wait belongs to
    /// an allowance over hours (Docker Hub counts pulls over six hours). A run should not sleep for that long, and the
    /// user can do something about it.
    ///
    /// - Source: RFC 9110, section 10.2.3; docker docs, "Docker Hub pull usage and limits"
    public static let longestNamedWait: Duration = .seconds(300)

    /// The most attempts that may take the whole deadline.
    ///
    /// With a server that sends a byte a second every attempt does, and eight times a minute is longer than people wait.
    public static let mostDeadlines = 3

    public init(
        attempts: Int = 8,
        base: Duration = .milliseconds(200),
        ceiling: Duration = .seconds(20),
        clock: any Clock<Duration> = ContinuousClock(),
        jitter: @escaping @Sendable () -> Double = { .random(in: 0...1) },
        onRetry: (@Sendable (_ attempt: Int, _ wait: Duration, _ error: any Error) -> Void)? = nil,
        budget: RetryBudget? = nil
    ) {
        self.attempts = attempts
        self.base = base
        self.ceiling = ceiling
        self.clock = clock
        self.jitter = jitter
        self.onRetry = onRetry
        self.budget = budget
    }

    /// Returns this policy with another budget.
    public func spending(_ budget: RetryBudget?) -> RetryPolicy {
        var policy = self
        policy.budget = budget
        return policy
    }

    /// Runs `body` until it succeeds, its error advises against a retry, or no attempts are left.
    ///
    /// Waits are random, from zero to a bound that grows exponentially ("full jitter"), so that clients that failed
    /// together do not retry together.
    ///
    /// - Throws: What `body` throws; ``RetryBudgetSpent`` in place of an error that a retry might have fixed, and
    ///   ``RetryWaitTooLong`` in place of an error whose wait is longer than ``longestNamedWait``.
    public func run<Value: Sendable>(_ body: (_ attempt: Int) async throws -> Value) async throws -> Value {
        var attempt = 1
        var deadlines = 0
        var cost: Int?
        var payer = budget
        while true {
            do {
                let value = try await body(attempt)
                payer?.refund(cost)
                return value
            } catch let error as any RetryAdvising {
                if case .wait(let named) = error.retryAdvice, named > Self.longestNamedWait {
                    throw RetryWaitTooLong(wait: named, reason: error)
                }
                if (error as? WireError)?.reason == .deadline { deadlines += 1 }
                guard attempt < attempts, deadlines < Self.mostDeadlines else { throw error }
                let wait: Duration
                switch error.retryAdvice {
                case .never: throw error
                case .backOff: wait = bound(after: attempt) * jitter()
                // The service's wait is the minimum; jitter is added so that clients don't return all at once.
                case .wait(let named): wait = named + base * jitter()
                }
                payer = otherBudget?(error) ?? budget
                if let payer {
                    guard let spent = payer.spend(on: error) else {
                        throw RetryBudgetSpent(budget: payer.name, reason: error)
                    }
                    cost = spent
                }
                onRetry?(attempt, wait, error)
                try await clock.sleep(for: wait)
            }
            attempt += 1
        }
    }

    private func bound(after attempt: Int) -> Duration {
        min(base * (1 << min(attempt - 1, 20)), ceiling)
    }
}

/// A failure that was not retried, because the service asked for a wait longer than ``RetryPolicy/longestNamedWait``.
public struct RetryWaitTooLong: Error {
    /// The wait that the service asked for.
    public let wait: Duration
    /// The service's answer.
    public let reason: any RetryAdvising

    public init(wait: Duration, reason: any RetryAdvising) {
        self.wait = wait
        self.reason = reason
    }
}

extension RetryWaitTooLong: CustomStringConvertible {
    public var description: String { "\(reason); the service asks to wait \(wait.inWords)" }
}

extension Duration {
    /// The duration in its two largest units: `6 h`, `1 h 30 min`, `2 d`.
    package var inWords: String {
        let seconds = components.seconds
        let units: [(Int64, String)] = [
            (seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s"),
        ]
        guard let first = units.firstIndex(where: { $0.0 > 0 }) else { return "0 s" }
        return units[first...].prefix(2).filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: " ")
    }
}
