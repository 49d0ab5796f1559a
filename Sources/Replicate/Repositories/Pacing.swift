internal import HTTPTypes
internal import Platform
public import Wire

/// What each side may still be tried again, shared by all that goes to it.
public struct RetryBudgets: Sendable {
    public let source: RetryBudget
    public let destination: RetryBudget

    /// Requests to one side that are under way at once: relays, and the questions beside them.
    public static let usualInFlight = 32

    /// - Parameters:
    ///   - inFlight: Requests to one side that are under way at once.
    ///   - attempts: How often each is tried.
    public init(inFlight: Int = usualInFlight, attempts: Int) {
        source = RetryBudget("source", lasting: inFlight, attempts: attempts)
        destination = RetryBudget("destination", lasting: inFlight, attempts: attempts)
    }

    public init(source: RetryBudget, destination: RetryBudget) {
        (self.source, self.destination) = (source, destination)
    }

    func of(_ side: CopyError.Side) -> RetryBudget { side == .source ? source : destination }
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
