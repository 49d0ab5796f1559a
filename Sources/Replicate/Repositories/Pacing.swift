internal import HTTPTypes
internal import Platform
internal import Wire

/// The retry budgets, one for each side of each registry, so that a failing registry uses up only its own.
package final class RetryBudgets: Sendable {
    private let make: @Sendable (_ name: String) -> RetryBudget
    private let known = Lock<[String: RetryBudget]>([:])

    /// The usual number of requests in flight to one registry: relays, and the requests beside them.
    package static let usualInFlight = 32

    /// - Parameters:
    ///   - inFlight: The number of requests to one registry that are in flight at once.
    ///   - attempts: How often each request is attempted.
    package init(inFlight: Int = usualInFlight, attempts: Int) {
        make = { RetryBudget($0, lasting: inFlight, attempts: attempts) }
    }

    /// - Parameter tokens: The number of tokens in each budget.
    package init(tokens: Int) { make = { RetryBudget($0, tokens: tokens) } }

    /// - Parameter registry: The registry's host; `nil` if there is none, as for an image layout.
    func of(_ side: CopyError.Side, _ registry: String?) -> RetryBudget {
        let name = [side.rawValue, registry].compactMap { $0 }.joined(separator: " ")
        return known.withLock { known in
            if let budget = known[name] { return budget }
            let budget = make(name)
            known[name] = budget
            return budget
        }
    }
}

extension RetryPolicy {
    /// The policy for moving a blob: a retry uses the budget of the registry that failed, and is logged with its side.
    func moving(_ transfer: BlobTransfer, _ budgets: RetryBudgets) -> RetryPolicy {
        let names = (source: transfer.source.reference.registryName, to: transfer.destination.reference.registryName)
        @Sendable func isAboutSource(_ error: any Error) -> Bool { (error as? BlobFailure)?.error.side == .source }
        var policy = labelled { error in
            isAboutSource(error)
                ? SideLabel.metadata(.source, registry: names.source)
                : SideLabel.metadata(.destination, registry: names.to)
        }
        policy.budget = budgets.of(.destination, names.to)
        policy.otherBudget = { [source = budgets.of(.source, names.source)] in isAboutSource($0) ? source : nil }
        return policy
    }

    /// The policy for reading a blob in parts.
    func reading(from source: any BlobReader, _ budgets: RetryBudgets) -> RetryPolicy {
        let name = source.reference.registryName
        return spending(budgets.of(.source, name)).labelled { _ in SideLabel.metadata(.source, registry: name) }
    }
}

/// The pacers, one for each registry, whichever side or image sends the request.
final class Pacers: Sendable {
    private let clock: any Clock<Duration>
    private let known = Lock<[String: Pacer]>([:])

    init(clock: any Clock<Duration>) { self.clock = clock }

    /// - Parameters:
    ///   - registry: An ``ImageRepository/registryKey``: an endpoint, account and region of ECR, or an origin.
    ///   - seeds: The allowed rates in requests a second that are known.
    func pacer(of registry: String, seeds: [String: Double] = [:]) -> Pacer {
        known.withLock { known in
            if let pacer = known[registry] { return pacer }
            let pacer = Pacer(seeds: seeds, clock: clock)
            known[registry] = pacer
            return pacer
        }
    }
}

/// The pacing of a registry that isn't ECR: one rate for all requests, with no limit until the registry throttles.
enum PlainPacing {
    static let bucket = "requests"

    /// The bucket of a request; closing an upload never waits, because it happens when a copy is being stopped.
    static func bucket(of request: WireRequest) -> String? { request.method == .delete ? nil : bucket }
}
