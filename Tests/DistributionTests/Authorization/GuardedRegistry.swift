import Content
import Distribution
import FoundationEssentials
import HTTPTypes
import Platform
import TestDoubles
import Wire

/// A registry that requires tokens, and its token server.
///
/// Tokens are `t1`, `t2`…; each grants the requested scopes.
final class GuardedRegistry: HTTPSending {
    struct Settings: Sendable {
        var challenge = #"Bearer realm="https://auth.example/token?v=1",service="r.example:443""#
        /// Makes the scope of each challenge.
        var demand: (@Sendable (RegistryAccess) -> String?)?
        /// The life of a token, in seconds.
        var life: Int? = 300
        /// The token server's next answers, in place of tokens.
        var tokenAnswers: [WireResponse] = []
        /// The `Authorization` values that the token server accepts; `nil` for none.
        var admits: Set<String?> = [nil]
        /// Tokens that the registry accepts although the token server hasn't issued them.
        var foreign: Set<String> = []
        /// Tokens that have expired.
        var ended: Set<String> = []
        /// Whether a token's scopes are sufficient for an access.
        var grants: @Sendable (_ token: [String], RegistryAccess) -> Bool = { _, _ in true }
        var answer: WireResponse?
    }

    private struct State {
        var settings: Settings
        var requests: [WireRequest] = []
        var tokens: [String: [String]] = [:]
    }

    private let state: Lock<State>

    init(_ settings: Settings = Settings()) { state = Lock(State(settings: settings)) }

    func change(_ body: (inout Settings) -> Void) { state.withLock { body(&$0.settings) } }

    var requests: [WireRequest] { state.withLock { $0.requests } }

    /// The requests to the token server, in short.
    var tokenQuestions: [String] {
        requests.filter { $0.url.host == "auth.example" }.map { request in
            let credentials = request.fields[.authorization].map { " [\($0)]" } ?? ""
            let body = request.body.isEmpty ? "" : " \(String(decoding: request.body, as: UTF8.self))"
            return "\(request.method) \(request.url.query ?? "")\(body)\(credentials)"
        }
    }

    /// The `Authorization` of every request to the registry.
    var shown: [String?] {
        requests.filter { $0.url.host == "r.example" }.map { $0.fields[.authorization] }
    }

    func send(_ request: WireRequest) async throws -> WireResponse {
        try state.withLock { state in
            state.requests.append(request)
            return request.url.host == "auth.example" ? token(request, &state) : try guarded(request, &state)
        }
    }

    private func token(_ request: WireRequest, _ state: inout State) -> WireResponse {
        if !state.settings.tokenAnswers.isEmpty { return state.settings.tokenAnswers.removeFirst() }
        let isExchange = request.method == .post
        guard isExchange || state.settings.admits.contains(request.fields[.authorization]) else {
            return WireResponse(status: .unauthorized, body: Array(errors("UNAUTHORIZED", "wrong password").utf8))
        }
        let token = "t\(state.tokens.count + 1)"
        state.tokens[token] = (request.url.query ?? "").split(separator: "&").filter { $0.hasPrefix("scope=") }
            .map {
                String($0.dropFirst(6)).replacing("%3A", with: ":").replacing("%2F", with: "/")
                    .replacing("%2C", with: ",")
            }
        let life = state.settings.life.map { ",\"expires_in\":\($0)" } ?? ""
        let name = isExchange ? "access_token" : "token"
        return WireResponse(status: .ok, body: Array("{\"\(name)\":\"\(token)\"\(life)}".utf8))
    }

    private func guarded(_ request: WireRequest, _ state: inout State) throws -> WireResponse {
        let access = RegistryAccess(of: request)
        let token = String((request.fields[.authorization] ?? "").split(separator: " ").last ?? "")
        let isMade = state.tokens[token] != nil || state.settings.foreign.contains(token)
        let isKnown = isMade && !state.settings.ended.contains(token)
        let isBasic = state.settings.challenge.hasPrefix("Basic")
        if isBasic ? state.settings.admits.contains(request.fields[.authorization]) : isKnown {
            if isBasic || state.settings.grants(state.tokens[token] ?? [], access) {
                return try state.settings.answer ?? response(200, [:], imageText)
            }
        }
        var challenge = state.settings.challenge
        if let demand = state.settings.demand?(access) { challenge += #",scope="\#(demand)""# }
        if !token.isEmpty, !isBasic {
            challenge += isKnown ? #",error="insufficient_scope""# : #",error="invalid_token""#
        }
        return try response(
            401,
            ["WWW-Authenticate": challenge],
            errors("UNAUTHORIZED", "authentication required")
        )
    }
}

/// A store with the credentials of a test.
final class KnownLogins: CredentialsStoring {
    private let known: Lock<[RegistryCredentials]>
    private let count = Lock(0)

    /// - Parameter known: The logins; each rejection removes the first.
    init(_ known: RegistryCredentials...) { self.known = Lock(known) }

    /// The number of searches.
    var lookups: Int { count.withLock { $0 } }

    func credentials(
        for repository: RepositoryName?,
        insteadOf rejected: RegistryCredentials?
    ) async throws -> FoundCredentials {
        count.withLock { $0 += 1 }
        return known.withLock { known in
            if known.count > 1, known.first == rejected { known.removeFirst() }
            return FoundCredentials(
                known.first,
                place: known.isEmpty ? "no login for r.example in /c" : "logged in by /c"
            )
        }
    }
}

/// Makes a client that negotiates its credentials with the logins of a store.
func negotiatingClient(
    _ sender: any HTTPSending,
    _ logins: any CredentialsStoring,
    _ clock: RecordingClock,
    base: String = "https://r.example",
    isDestination: Bool = false,
    now: @escaping @Sendable () -> Date = { Date(timeIntervalSince1970: 0) }
) throws -> RegistryClient {
    let retry = RetryPolicy(attempts: 3, clock: clock, jitter: { 1 })
    let base = try HTTPURL(base)
    return RegistryClient(
        base: base,
        authorization: NegotiatedAuthorization(
            registry: base,
            store: logins,
            sender: sender,
            retry: retry,
            logger: quiet,
            now: now
        ),
        sender: sender,
        retry: retry,
        logger: quiet,
        isDestination: isDestination
    )
}

/// A client of `https://r.example`, which requires tokens.
struct GuardedFixture {
    let registry: GuardedRegistry
    let clock = RecordingClock()
    let logins: KnownLogins
    let client: RegistryClient
    let repository: RepositoryName

    init(
        _ settings: GuardedRegistry.Settings = GuardedRegistry.Settings(),
        logins: KnownLogins = KnownLogins(),
        base: String = "https://r.example",
        isDestination: Bool = false,
        now: @escaping @Sendable () -> Date = { Date(timeIntervalSince1970: 0) }
    ) throws {
        registry = GuardedRegistry(settings)
        self.logins = logins
        repository = try RepositoryName(parsing: "team/app")
        client = try negotiatingClient(registry, logins, clock, base: base, isDestination: isDestination, now: now)
    }

    func readManifest() async throws -> Manifest? { try await client.manifest(.digest(imageDigest), of: repository) }
}
