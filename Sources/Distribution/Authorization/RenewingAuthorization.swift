public import FoundationEssentials
internal import Platform

/// A token that is fetched again before it expires.
///
/// It is used for ECR's tokens, one for each identity and region, valid for 12 hours; and for each token of
/// ``NegotiatedAuthorization``. There is one fetch at a time, however many requests wait; only these get its failure.
///
/// - Source: docs/facts/ecr-api.md#authorization-token and docs/facts/ecr-registry.md#authentication
public actor RenewingAuthorization: RegistryAuthorizing {
    public typealias Fetch = @Sendable () async throws -> (header: String, expiresAt: Date?)

    /// The time before its expiry from which a token is not used, so that it doesn't expire during a slow upload.
    public static let usualMargin: Duration = .seconds(600)

    private struct Token: Sendable {
        let header: String
        /// The time to fetch the next token; `nil` if the token is valid until it is rejected.
        let renewAt: Date?
    }

    private let margin: Duration
    private let now: @Sendable () -> Date
    private let fetch: Fetch
    private var token: Token?
    private nonisolated let fetches = SingleFlight<Bool, Token>(remembers: false)

    /// - Parameters:
    ///   - margin: The time before the expiry from which a token is not used; it is limited to a tenth of a token's life,
    ///     because a short-lived token would be fetched for each request otherwise.
    ///   - fetch: Fetches a whole `Authorization` value, for example `Basic …`, and its expiry if it has one.
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
    /// - Returns: Whether the value now differs from `rejected`.
    public func renew(insteadOf rejected: String?) async throws -> Bool {
        if token?.header == rejected { token = nil }
        return try await current().header != rejected
    }

    private func current() async throws -> Token {
        if let token, token.renewAt.map({ now() < $0 }) ?? true { return token }
        return try await fetches.run(true) { try await self.fetchAndKeep() }
    }

    private func fetchAndKeep() async throws -> Token {
        let start = now()
        let (header, expiresAt) = try await fetch()
        let fresh = Token(header: header, renewAt: expiresAt.map { renewal(of: $0, fetchedAt: start) })
        token = fresh
        return fresh
    }

    private func renewal(of end: Date, fetchedAt start: Date) -> Date {
        let life = max(0, end.timeIntervalSince(start))
        return end.addingTimeInterval(-min(life / 10, Double(margin.components.seconds)))
    }
}
