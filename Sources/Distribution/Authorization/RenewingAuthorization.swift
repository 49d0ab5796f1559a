public import FoundationEssentials

/// A token that expires, and is fetched again before it does.
///
/// It is used for ECR's tokens, one for each identity and region, good for 12 hours; and for each token of
/// ``NegotiatedAuthorization``. There is one fetch at a time, however many requests wait; a failure is thrown to the
/// waiting requests only.
///
/// - Source: docs/facts/ecr-api.md#authorization-token and docs/facts/ecr-registry.md#authentication
public actor RenewingAuthorization: RegistryAuthorizing {
    public typealias Fetch = @Sendable () async throws -> (header: String, expiresAt: Date?)

    /// The time before its end at which a token counts as expired, so that a slow upload doesn't outlive it.
    public static let usualMargin: Duration = .seconds(600)

    private struct Token: Sendable {
        let header: String
        /// When to fetch the next token; `nil` if the token lasts until it is rejected.
        let renewAt: Date?
    }

    private struct Flight {
        let number: Int
        let task: Task<Token, any Error>
        var waiters: Int
    }

    private let margin: Duration
    private let now: @Sendable () -> Date
    private let fetch: Fetch
    private var token: Token?
    private var flight: Flight?
    private var flights = 0

    /// - Parameters:
    ///   - margin: The margin, at most a tenth of a token's life; otherwise a short-lived token would be fetched for
    ///     each request.
    ///   - fetch: Fetches a whole `Authorization` value, for example `Basic …`, and its end if it has one.
    public init(
        margin: Duration = usualMargin,
        now: @escaping @Sendable () -> Date = { Date() },
        fetch: @escaping Fetch
    ) {
        self.margin = margin
        self.now = now
        self.fetch = fetch
    }

    public func authorization(for access: RegistryAccess) async throws -> String? { try await authorization() }

    public func renew(
        insteadOf rejected: String?,
        for access: RegistryAccess,
        challenges: [AuthenticationChallenge]
    ) async throws -> Bool {
        try await renew(insteadOf: rejected)
    }

    public func authorization() async throws -> String? { try await current().header }

    /// Fetches a new token, unless another request has done so already.
    ///
    /// - Returns: Whether the value is now another than `rejected`.
    public func renew(insteadOf rejected: String?) async throws -> Bool {
        if token?.header == rejected { token = nil }
        return try await current().header != rejected
    }

    private func current() async throws -> Token {
        while true {
            if let token, token.renewAt.map({ now() < $0 }) ?? true { return token }
            do {
                return try await join()
            } catch is CancellationError where !Task.isCancelled {
                // The last earlier waiter cancelled the fetch; start the next one.
                continue
            }
        }
    }

    /// Waits for the running fetch, or starts one.
    ///
    /// Cancelling one waiter leaves the fetch to the others; cancelling the last cancels the fetch.
    private func join() async throws -> Token {
        try Task.checkCancellation()
        let joined = flight ?? takeOff()
        flight = joined
        flight?.waiters += 1
        return try await withTaskCancellationHandler {
            try await joined.task.value
        } onCancel: {
            Task { await self.leave(joined.number) }
        }
    }

    private func takeOff() -> Flight {
        flights += 1
        let number = flights
        return Flight(number: number, task: Task { try await self.fly(number) }, waiters: 0)
    }

    private func fly(_ number: Int) async throws -> Token {
        defer { if flight?.number == number { flight = nil } }
        let start = now()
        let (header, expiresAt) = try await fetch()
        let fresh = Token(header: header, renewAt: expiresAt.map { renewal(of: $0, fetchedAt: start) })
        token = fresh
        return fresh
    }

    private func leave(_ number: Int) {
        guard flight?.number == number else { return }
        flight?.waiters -= 1
        if flight?.waiters == 0 {
            flight?.task.cancel()
            flight = nil
        }
    }

    private func renewal(of end: Date, fetchedAt start: Date) -> Date {
        let life = max(0, end.timeIntervalSince(start))
        return end.addingTimeInterval(-min(life / 10, Double(margin.components.seconds)))
    }
}
