/// Whether, and when, to retry a failed attempt.
public enum RetryAdvice: Equatable, Sendable {
    case never
    case backOff
    /// Retry after a wait that the service named, as in `Retry-After`.
    case wait(Duration)
}

/// An error that knows whether trying again makes sense.
public protocol RetryAdvising: Error {
    var retryAdvice: RetryAdvice { get }
    /// Whether the attempt failed by a timeout.
    var isTimeout: Bool { get }
}

extension RetryAdvising {
    public var isTimeout: Bool { false }
}

/// How often to try, and how long to wait in between.
public struct RetryPolicy: Sendable {
    /// The most attempts, the first included.
    public var attempts: Int
    public var base: Duration
    public var ceiling: Duration
    /// The clock for waits.
    ///
    /// Tests pass a manual one, so that no test ever sleeps.
    public var clock: any Clock<Duration>
    /// A number in `0...1`; tests pass `{ 1 }` for exact waits.
    public var jitter: @Sendable () -> Double
    /// Called before every wait, with the failed attempt, the wait and the error.
    public var onRetry: (@Sendable (_ attempt: Int, _ wait: Duration, _ error: any Error) -> Void)?
    /// The budget that all requests to one side share; `nil` for no limit but ``attempts``.
    public var budget: RetryBudget?
    /// The budget for a failure at the other side of a relay; `nil` from it means ``budget``.
    public var otherBudget: (@Sendable (any Error) -> RetryBudget?)?

    /// The longest wait named by a service that is obeyed; a longer one ends the request at once.
    ///
    /// Services that limit by the second or the minute name waits of up to a minute or two. A longer one is about an
    /// allowance of hours (Docker Hub counts pulls over six): no run should sleep for that, and people can do
    /// something about it.
    ///
    /// - Source: RFC 9110, section 10.2.3; docker docs, "Docker Hub pull usage and limits"
    public static let longestNamedWait: Duration = .seconds(300)

    /// How often a request may take all of its deadline: a server that sends a byte a second does so each time, and eight
    /// times a minute is longer than people wait.
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

    /// This policy with another budget.
    public func spending(_ budget: RetryBudget?) -> RetryPolicy {
        var policy = self
        policy.budget = budget
        return policy
    }

    /// Runs `body` until it succeeds, advises against a retry, or attempts run out.
    ///
    /// Waits are drawn evenly from zero to an exponentially growing bound ("full jitter"), so replicas that
    /// failed together do not return together.
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
                // The service's own wait is a floor; jitter on top keeps clients from returning all at once.
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

/// A failure for which the service named a longer wait than ``RetryPolicy/longestNamedWait``, so that it was not
/// retried.
public struct RetryWaitTooLong: Error {
    /// The wait that the service named.
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
