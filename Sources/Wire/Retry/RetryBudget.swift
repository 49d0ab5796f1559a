internal import Platform

/// The budget of retries for one side, over all of its requests.
///
/// ``RetryPolicy`` limits the attempts of a single request. If a service is down, ten thousand requests would each make
/// all of their attempts. Once the budget is used up, a failure is final at once instead. Successes refill the budget. A
/// retry after a wait that the service asked for costs nothing.
///
/// - Source: docs/facts/quotas.md#retry-budget
public final class RetryBudget: Sendable {
    /// The name of the side in messages, for example `destination`.
    public let name: String
    private let capacity: Int
    private let left: Lock<Int>

    /// The budget of a client in the AWS SDKs, in tokens.
    public static let usualTokens = 500
    static let retryCost = 5
    /// The cost of a retry after a timeout, because the next try may take as long.
    static let timeoutCost = 10
    /// The tokens that a request returns when its first try succeeds.
    static let reward = 1

    public init(_ name: String, tokens: Int = usualTokens) {
        self.name = name
        capacity = tokens
        left = Lock(tokens)
    }

    /// Creates a budget that is enough for all tries of `requests` concurrent requests, so that they don't use up each
    /// other's retries when a service goes down.
    public convenience init(_ name: String, lasting requests: Int, attempts: Int) {
        self.init(name, tokens: max(Self.usualTokens, requests * max(0, attempts - 1) * Self.timeoutCost))
    }

    /// The tokens left.
    public var remaining: Int { left.withLock { $0 } }

    /// Takes the cost of another try.
    ///
    /// - Returns: The cost, to return if the try succeeds; `nil` if the budget is too low.
    func spend(on error: any RetryAdvising) -> Int? {
        let cost =
            switch error.retryAdvice {
            case .wait: 0
            case .backOff, .never: error.isTimeout ? Self.timeoutCost : Self.retryCost
            }
        return left.withLock { left in
            guard left >= cost else { return nil }
            left -= cost
            return cost
        }
    }

    /// Notes a success, and returns `cost`, the cost of the last retry, if there was one.
    func refund(_ cost: Int?) {
        left.withLock { $0 = min(capacity, $0 + (cost ?? Self.reward)) }
    }
}

/// A failure that a retry might have fixed, but the retry budget was used up.
public struct RetryBudgetSpent: Error {
    /// The ``RetryBudget/name`` of the budget.
    public let budget: String
    /// The failure of the last try.
    public let reason: any RetryAdvising
}

extension RetryBudgetSpent: CustomStringConvertible {
    public var description: String { "\(reason); the retry budget of the \(budget) is used up" }
}
