internal import Platform

/// How much one side may be tried again, over all of its requests together.
///
/// A request alone is tried as often as ``RetryPolicy`` says. A service that fails for long would get that many
/// tries from each of ten thousand; when the budget is used up, failures count at once instead. Successes fill it
/// again. A wait that the service itself names costs nothing: who comes back when told to is no storm.
///
/// - Source: docs/facts/quotas.md#retry-budget
public final class RetryBudget: Sendable {
    /// For people: whose it is, for example `destination`.
    public let name: String
    private let capacity: Int
    private let left: Lock<Int>

    /// What the SDKs give a client, in tokens.
    public static let usualTokens = 500
    static let retryCost = 5
    /// After nothing was heard for as long as we wait: the next try may cost as much time again.
    static let timeoutCost = 10
    /// What a request that went well at once gives back.
    static let reward = 1

    public init(_ name: String, tokens: Int = usualTokens) {
        self.name = name
        capacity = tokens
        left = Lock(tokens)
    }

    /// A budget that lasts until each of `requests`, all in flight when a service goes away, has had all its tries:
    /// what a run alone can wait out isn't ended by what runs beside it.
    public convenience init(_ name: String, lasting requests: Int, attempts: Int) {
        self.init(name, tokens: max(Self.usualTokens, requests * max(0, attempts - 1) * Self.timeoutCost))
    }

    /// In tokens.
    public var remaining: Int { left.withLock { $0 } }

    /// Takes what another try costs.
    ///
    /// - Returns: The cost, to be given back if the try goes well; `nil` if there isn't as much left.
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

    /// A request went well; after `cost` was spent on its last try, if it had another before.
    func refund(_ cost: Int?) {
        left.withLock { $0 = min(capacity, $0 + (cost ?? Self.reward)) }
    }
}

/// A failure that might have passed, and was not tried again because too much failed before it.
public struct RetryBudgetSpent: Error {
    /// Whose ``RetryBudget`` it was.
    public let budget: String
    /// What the last try came to.
    public let reason: any RetryAdvising
}

extension RetryBudgetSpent: CustomStringConvertible {
    public var description: String { "\(reason); the retry budget of the \(budget) is used up" }
}
