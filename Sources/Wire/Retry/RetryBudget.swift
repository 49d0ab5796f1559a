internal import Platform

/// The budget of retries for one side, over all of its requests.
///
/// A single request is tried as often as ``RetryPolicy`` says. A service that is down would get as many tries from each
/// of ten thousand requests; when the budget is used up, a failure is final at once instead. Successes refill it. A
/// retry after a wait that the service itself named costs nothing.
///
/// - Source: docs/facts/quotas.md#retry-budget
public final class RetryBudget: Sendable {
    /// The side, for messages, for example `destination`.
    public let name: String
    private let capacity: Int
    private let left: Lock<Int>

    /// The SDKs' budget for a client, in tokens.
    public static let usualTokens = 500
    static let retryCost = 5
    /// The cost of a retry after a timeout, because the next try may take as long.
    static let timeoutCost = 10
    /// The tokens that a request gives back when its first try succeeds.
    static let reward = 1

    public init(_ name: String, tokens: Int = usualTokens) {
        self.name = name
        capacity = tokens
        left = Lock(tokens)
    }

    /// A budget that lasts until each of `requests` concurrent requests has had all its tries, so that requests side by
    /// side don't use up each other's retries when a service goes away.
    public convenience init(_ name: String, lasting requests: Int, attempts: Int) {
        self.init(name, tokens: max(Self.usualTokens, requests * max(0, attempts - 1) * Self.timeoutCost))
    }

    /// The tokens that are left.
    public var remaining: Int { left.withLock { $0 } }

    /// Takes the cost of another try.
    ///
    /// - Returns: The cost, to be given back if the try succeeds; `nil` if the budget is too low.
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

    /// Notes a success, and gives back `cost`, the cost of the last retry, if there was one.
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
