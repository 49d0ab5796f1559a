internal import FoundationEssentials
internal import Logging
internal import Platform

/// Credentials that expire and are refreshed in time, by one caller at a time.
///
/// Between the advisory and the mandatory time one caller refreshes and the others use the current credentials; a failure
/// is only logged. After the mandatory time all callers wait for the same fetch, and all get its error. Failures are
/// never cached.
///
/// - Source: docs/facts/identity.md#refresh-windows
actor RefreshingCredentials: CredentialsProviding {
    /// The time before the expiry from which a refresh is attempted, in seconds.
    static let advisory: TimeInterval = 15 * 60
    /// The time before the expiry from which a refresh is required, in seconds.
    static let mandatory: TimeInterval = 10 * 60
    /// The pause between two advisory attempts, in seconds, so that a failing STS isn't called before every request.
    static let advisoryPause: TimeInterval = 60

    private struct Held {
        var credentials: AWSCredentials
        /// The time from which a refresh is attempted.
        ///
        /// For sessions under an hour the windows shrink in proportion; a session of 15 minutes would otherwise always be
        /// refreshing.
        var advisoryFrom: Date
        var mandatoryFrom: Date
    }

    /// Whether the credentials can be fetched again; a session that an MFA code opened can't.
    private let renews: Bool
    private let fetch: @Sendable () async throws -> AWSCredentials
    private let now: @Sendable () -> Date
    private let logger: Logger
    private var held: Held?
    private nonisolated let fetches = SingleFlight<Bool, AWSCredentials>(remembers: false)
    private var lastAdvisory: Date?

    init(
        logger: Logger,
        now: @escaping @Sendable () -> Date,
        renews: Bool = true,
        fetch: @escaping @Sendable () async throws -> AWSCredentials
    ) {
        self.fetch = fetch
        self.now = now
        self.renews = renews
        self.logger = logger
    }

    func credentials() async throws -> AWSCredentials {
        guard let held, now() < held.mandatoryFrom else { return try await joinFetch() }
        guard now() >= held.advisoryFrom, await waiting == 0, mayTryEarly else { return held.credentials }
        lastAdvisory = now()
        do {
            return try await joinFetch()
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            logger.warning(
                "credentials expire soon and could not be refreshed yet",
                metadata: ["credentials": "\(held.credentials)", "error": "\(error)"]
            )
            return held.credentials
        }
    }

    /// The number of callers that wait for the fetch that is running.
    var waiting: Int { get async { await fetches.waiters(true) } }

    func discard(_ refused: AWSCredentials) async -> Bool {
        if held?.credentials == refused { held = nil }
        return true
    }

    private var mayTryEarly: Bool {
        lastAdvisory.map { now().timeIntervalSince($0) >= Self.advisoryPause } ?? true
    }

    /// Waits for the fetch that is running, or starts one.
    private func joinFetch() async throws -> AWSCredentials {
        try await fetches.run(true) { try await self.fetchAndHold() }
    }

    private func fetchAndHold() async throws -> AWSCredentials {
        let credentials = try await fetch()
        let begin = now()
        logger.debug(
            "credentials",
            metadata: [
                "from": "\(credentials)", "account": "\(credentials.accountID ?? "unknown")",
                "until": "\(credentials.expiration.map(AWSTime.extended) ?? "further notice")",
            ]
        )
        guard let expiration = credentials.expiration else {
            held = Held(credentials: credentials, advisoryFrom: .distantFuture, mandatoryFrom: .distantFuture)
            return credentials
        }
        let lifetime = expiration.timeIntervalSince(begin)
        guard lifetime > 0 else {
            throw IdentityError(
                "the credentials from \(credentials.source) had expired when they were received",
                remedy: "check why the source returns old ones, and check this machine's clock, which says "
                    + AWSTime.extended(begin)
            )
        }
        held = Held(
            credentials: credentials,
            advisoryFrom: renews ? expiration.addingTimeInterval(-min(Self.advisory, lifetime / 4)) : .distantFuture,
            mandatoryFrom: expiration.addingTimeInterval(renews ? -min(Self.mandatory, lifetime / 6) : 0)
        )
        return credentials
    }
}
