internal import Content
public import FoundationEssentials
public import Logging
internal import Platform
public import Wire

/// The credentials of a registry that says itself how it wants them.
///
/// Nothing is asked up front: the first request goes without credentials, and its 401 teaches whether the registry
/// takes Basic or a bearer token, and whose. From then on every request carries them from the start, and there is one
/// token for each ``RegistryAccess``, renewed before it ends.
///
/// A token goes to its registry only, since ``RegistryClient`` asks for requests to its own origin only; user and
/// password go to the registry, or to the token server that it names (``TokenRealm`` says to which they may).
///
/// - Source: docker's registry documentation, "Token Authentication Specification"; RFC 6750, RFC 7617
public actor NegotiatedAuthorization: RegistryAuthorizing {
    private enum Way: Hashable {
        case basic
        case bearer(TokenRealm)
    }

    private struct Keeper {
        /// What the token was asked for.
        let scopes: [RegistryScope]
        let authorization: RenewingAuthorization
    }

    private let registry: HTTPURL
    private let store: any CredentialsStoring
    private let server: TokenServer
    private let now: @Sendable () -> Date
    private let places = Lock<[RepositoryKey: String]>([:])
    private var way: Way?
    private var keepers: [RegistryAccess: Keeper] = [:]
    /// What the registry demands of everybody besides the repository, as ECR Public does.
    private var general: [RegistryScope] = []

    /// - Parameter registry: Its origin.
    public init(
        registry: HTTPURL,
        store: any CredentialsStoring,
        sender: any HTTPSending,
        retry: RetryPolicy,
        logger: Logger,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.registry = registry
        self.store = store
        self.server = TokenServer(sender: sender, retry: retry, logger: logger, now: now)
        self.now = now
    }

    public func authorization(for access: RegistryAccess) async throws -> String? {
        guard let way else { return nil }
        do {
            return try await keeper(for: access, way, demanded: []).authorization.authorization()
        } catch is NoCredentials {
            return nil
        }
    }

    public func renew(
        insteadOf rejected: String?,
        for access: RegistryAccess,
        challenges: [AuthenticationChallenge]
    ) async throws -> Bool {
        let bearer = challenges.first { $0.scheme == "bearer" && $0.parameters["realm"] != nil }
        if let bearer {
            learn(.bearer(try TokenRealm(bearer, of: registry)))
        } else if challenges.contains(where: { $0.scheme == "basic" }) {
            learn(.basic)
        }
        guard let way else { return false }
        let demanded = RegistryScope.list(bearer?.parameters["scope"])
        let known = keepers[access]
        let kept = keeper(for: access, way, demanded: demanded)
        // It was asked for all of that, and granted less: asking again changes nothing.
        let isRefused = rejected != nil && bearer?.parameters["error"] == "insufficient_scope"
        if isRefused, known?.authorization === kept.authorization { return false }
        do {
            return try await kept.authorization.renew(insteadOf: rejected)
        } catch is NoCredentials {
            return false
        }
    }

    public nonisolated func note(on access: RegistryAccess) -> String? {
        places.withLock { $0[access.repository] }
    }

    private func learn(_ new: Way) {
        guard way != new else { return }
        way = new
        keepers = [:]
        general = []
    }

    /// Who holds the header for `access`; another one than before if the registry demands more.
    private func keeper(for access: RegistryAccess, _ way: Way, demanded: [RegistryScope]) -> Keeper {
        let key: RegistryAccess
        let scopes: [RegistryScope]
        switch way {
        case .basic:
            key = RegistryAccess(access.repository)
            scopes = []
        case .bearer:
            key = access
            for scope in demanded where !scope.isOfRepository && !general.contains(scope) { general.append(scope) }
            scopes = access.scopes(answering: demanded.isEmpty ? general : demanded)
        }
        if let known = keepers[key], demanded.allSatisfy({ scope in known.scopes.contains { $0.covers(scope) } }) {
            return known
        }
        let fetch = Fetch(store: store, server: server, places: places, repository: access.repository)
        let authorization = RenewingAuthorization(now: now) {
            switch way {
            case .basic: (try await fetch.basic(), nil)
            case .bearer(let realm): try await fetch.token(from: realm, for: scopes)
            }
        }
        let keeper = Keeper(scopes: scopes, authorization: authorization)
        keepers[key] = keeper
        return keeper
    }
}

/// Nothing is stored that could be sent, which the registry's own answer then says.
private struct NoCredentials: Error {}

private typealias RepositoryKey = RepositoryName?

/// How one header is made.
private struct Fetch: Sendable {
    let store: any CredentialsStoring
    let server: TokenServer
    let places: Lock<[RepositoryKey: String]>
    let repository: RepositoryName?
    let sent = Lock<RegistryCredentials?>(nil)

    func basic() async throws -> String {
        // A password has no end that we know of: whoever comes again comes because it was refused.
        let found = try await credentials(insteadOf: sent.withLock { $0 })
        guard let header = found.credentials?.basic else { throw NoCredentials() }
        sent.withLock { $0 = found.credentials }
        return header
    }

    func token(from realm: TokenRealm, for scopes: [RegistryScope]) async throws -> (header: String, expiresAt: Date?) {
        let found = try await credentials(insteadOf: nil)
        do {
            return try await server.token(from: realm, for: scopes, as: found)
        } catch let error as RegistryError where error.kind == .unauthorized && found.credentials != nil {
            let fresh = try await credentials(insteadOf: found.credentials)
            guard fresh.credentials != found.credentials else { throw error }
            return try await server.token(from: realm, for: scopes, as: fresh)
        }
    }

    private func credentials(insteadOf rejected: RegistryCredentials?) async throws -> FoundCredentials {
        let found = try await store.credentials(for: repository, insteadOf: rejected)
        places.withLock { $0[repository] = found.place }
        return found
    }
}
