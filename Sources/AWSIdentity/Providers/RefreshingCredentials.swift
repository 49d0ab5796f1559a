internal import FoundationEssentials
internal import Logging

/// Credentials that expire and are refreshed in time, by one caller at a time.
///
/// Between the advisory and the mandatory moment one caller refreshes and the others use the current credentials; a
/// failure is only logged. After the mandatory moment all callers wait for the same fetch, and all get its error.
/// Failures are never cached.
///
/// - Source: docs/facts/identity.md#refresh-windows
actor RefreshingCredentials: CredentialsProviding {
    /// How long before the expiry a refresh is attempted.
    static let advisory: TimeInterval = 15 * 60
    /// How long before the expiry a refresh is required.
    static let mandatory: TimeInterval = 10 * 60
    /// The pause between two advisory attempts, so that a failing STS isn't called before every request.
    static let advisoryPause: TimeInterval = 60

    private struct Held {
        var credentials: AWSCredentials
        /// For sessions under an hour the windows shrink in proportion; a session of 15 minutes would otherwise always
        /// be refreshing.
        var advisoryFrom: Date
        var mandatoryFrom: Date
    }

    private struct Fetch {
        let number: Int
        let task: Task<Void, Never>
        var waiters: [Int: CheckedContinuation<AWSCredentials, any Error>] = [:]
    }

    /// Whether the credentials can be fetched again; a session that a person's code opened can't.
    private let renews: Bool
    private let fetch: @Sendable () async throws -> AWSCredentials
    private let now: @Sendable () -> Date
    private let logger: Logger
    private var held: Held?
    private var running: Fetch?
    private var fetches = 0
    private var tickets = 0
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
        guard now() >= held.advisoryFrom, running == nil, mayTryEarly else { return held.credentials }
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

    /// The number of callers that wait for the running fetch.
    var waiting: Int { running?.waiters.count ?? 0 }

    func discard(_ refused: AWSCredentials) async -> Bool {
        if held?.credentials == refused { held = nil }
        return true
    }

    private var mayTryEarly: Bool {
        lastAdvisory.map { now().timeIntervalSince($0) >= Self.advisoryPause } ?? true
    }

    /// Waits for the running fetch, or starts one.
    ///
    /// A cancelled waiter leaves at once, and the last to leave cancels the fetch.
    private func joinFetch() async throws -> AWSCredentials {
        tickets += 1
        let ticket = tickets
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { enter(ticket, $0) }
        } onCancel: {
            Task { await self.leave(ticket) }
        }
    }

    private func enter(_ ticket: Int, _ continuation: CheckedContinuation<AWSCredentials, any Error>) {
        guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
        if running == nil {
            fetches += 1
            let number = fetches
            // The waiters receive the result; if all have left, it is dropped.
            let task = Task { self.end(number, await Result { try await self.fetchAndHold() }) }
            running = Fetch(number: number, task: task)
        }
        running?.waiters[ticket] = continuation
    }

    private func leave(_ ticket: Int) {
        // The fetch may have answered this waiter meanwhile.
        guard let waiter = running?.waiters.removeValue(forKey: ticket) else { return }
        waiter.resume(throwing: CancellationError())
        guard let fetch = running, fetch.waiters.isEmpty else { return }
        fetch.task.cancel()
        running = nil
    }

    private func end(_ number: Int, _ result: Result<AWSCredentials, any Error>) {
        guard let fetch = running, fetch.number == number else { return }
        running = nil
        for waiter in fetch.waiters.values { waiter.resume(with: result) }
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
                "the credentials of \(credentials.source) had expired when they came",
                remedy: "see why old ones are given out, and whether this machine's clock is right: it says "
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

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
