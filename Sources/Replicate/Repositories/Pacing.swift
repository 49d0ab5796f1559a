internal import HTTPTypes
internal import Platform
internal import Wire

/// How much may still be tried again, for each side of each registry: a registry that fails for long uses up its own
/// budget, and no other's.
public final class RetryBudgets: Sendable {
    private let make: @Sendable (_ name: String) -> RetryBudget
    private let known = Lock<[String: RetryBudget]>([:])

    /// Requests to one registry that are usually in flight at once: relays, and the questions beside them.
    public static let usualInFlight = 32

    /// - Parameters:
    ///   - inFlight: Requests to one registry that are in flight at once.
    ///   - attempts: How often each is tried.
    public init(inFlight: Int = usualInFlight, attempts: Int) {
        make = { RetryBudget($0, lasting: inFlight, attempts: attempts) }
    }

    /// - Parameter tokens: Of each budget.
    public init(tokens: Int) { make = { RetryBudget($0, tokens: tokens) } }

    /// - Parameter registry: Its host; `nil` where there is none, as for an image layout.
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
    /// The policy for moving a blob: a failure is paid for by the registry at fault, and logged as its side's.
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

/// The pacers of a run: one for each registry, whichever side or image asks.
final class Pacers: Sendable {
    private let clock: any Clock<Duration>
    private let known = Lock<[String: Pacer]>([:])

    init(clock: any Clock<Duration>) { self.clock = clock }

    /// - Parameters:
    ///   - registry: An ``ImageRepository/registryKey``: an endpoint, account and region of ECR, or an origin.
    ///   - seeds: Requests a second that are known to be allowed there.
    func pacer(of registry: String, seeds: [String: Double] = [:]) -> Pacer {
        known.withLock { known in
            if let pacer = known[registry] { return pacer }
            let pacer = Pacer(seeds: seeds, clock: clock)
            known[registry] = pacer
            return pacer
        }
    }
}

/// How a registry that isn't ECR is paced: all requests alike, and none before it throttles.
enum PlainPacing {
    static let bucket = "requests"

    /// Giving up an upload waits for nothing: it happens when somebody wants to stop.
    static func bucket(of request: WireRequest) -> String? { request.method == .delete ? nil : bucket }
}
