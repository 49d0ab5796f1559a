internal import Content
public import FoundationEssentials
public import Logging
internal import Platform
public import Wire

/// Credentials for a registry that names their scheme in a challenge.
///
/// The first request is sent without credentials, and its 401 says whether the registry accepts Basic or a bearer token,
/// and from which server. From then on every request carries credentials, with one token for each ``RegistryAccess``,
/// renewed before it expires.
///
/// A token goes only to its registry, because ``RegistryClient`` adds credentials only to requests to its own origin.
/// User and password go to the registry, or to the token server that it names, if ``TokenRealm`` allows that.
///
/// - Source: docker's registry documentation, "Token Authentication Specification"; RFC 6750, RFC 7617
public actor NegotiatedAuthorization: RegistryAuthorizing {
    private enum Scheme: Hashable {
        case basic
        case bearer(TokenRealm)
    }

    private struct Entry {
        /// The scopes that were requested for the token.
        let scopes: [RegistryScope]
        let authorization: RenewingAuthorization
        let fetch: HeaderFetch
    }

    private let registry: HTTPURL
    private let store: any CredentialsStoring
    private let server: TokenServer
    private let now: @Sendable () -> Date
    private let notes = LoginNotes()
    private let logger: Logger
    private var scheme: Scheme?
    private var entries: [RegistryAccess: Entry] = [:]
    /// The scopes that the registry demands besides the repository's, as ECR Public does.
    private var general: [RegistryScope] = []

    /// - Parameter registry: The registry's origin.
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
        self.logger = logger
        self.now = now
    }

    public func authorization(for access: RegistryAccess) async throws -> String? {
        guard let scheme else { return nil }
        do {
            return try await entry(for: access, scheme, demanded: []).authorization.authorization()
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
        guard let scheme else { return false }
        let demanded = RegistryScope.list(bearer?.parameters["scope"])
        let known = entries[access]
        let kept = entry(for: access, scheme, demanded: demanded)
        // All of these scopes were requested, and fewer were granted; another request changes nothing.
        let isRefused = rejected != nil && bearer?.parameters["error"] == "insufficient_scope"
        if isRefused, known?.authorization === kept.authorization { return false }
        do {
            return try await kept.authorization.renew(insteadOf: rejected)
        } catch is NoCredentials {
            return false
        }
    }

    public func goWithoutLogin(insteadOf rejected: String?, for access: RegistryAccess) async throws -> Bool {
        guard let scheme, !access.isWriting, let rejected, let known = entries[key(for: access, scheme)],
            try await known.fetch.refuse(rejected)
        else { return false }
        do {
            return try await known.authorization.renew(insteadOf: rejected)
        } catch is NoCredentials {
            return true
        } catch let error as RegistryError where error.kind == .unauthorized {
            // The refusal of the login is the better error.
            known.fetch.forgetRefusal()
            return false
        }
    }

    public nonisolated func note(on access: RegistryAccess) -> LoginNote? { notes[access.repository] }

    private func key(for access: RegistryAccess, _ scheme: Scheme) -> RegistryAccess {
        scheme == .basic ? RegistryAccess(access.repository) : access
    }

    private func learn(_ new: Scheme) {
        guard scheme != new else { return }
        scheme = new
        entries = [:]
        general = []
    }

    /// Returns the entry for `access`; a new one if the registry demands more scopes.
    private func entry(for access: RegistryAccess, _ scheme: Scheme, demanded: [RegistryScope]) -> Entry {
        let key = key(for: access, scheme)
        var scopes: [RegistryScope] = []
        if case .bearer = scheme {
            for scope in demanded where !scope.isOfRepository && !general.contains(scope) { general.append(scope) }
            scopes = access.scopes(answering: demanded.isEmpty ? general : demanded)
        }
        if let known = entries[key], demanded.allSatisfy({ scope in known.scopes.contains { $0.covers(scope) } }) {
            return known
        }
        let fetch = HeaderFetch(
            store: store,
            server: server,
            notes: notes,
            access: access,
            registry: registry.authority,
            logger: logger
        )
        let authorization = RenewingAuthorization(now: now) { [scopes] in
            switch scheme {
            case .basic: (try await fetch.basic(), nil)
            case .bearer(let realm): try await fetch.token(from: realm, for: scopes)
            }
        }
        let entry = Entry(scopes: scopes, authorization: authorization, fetch: fetch)
        entries[key] = entry
        return entry
    }
}
