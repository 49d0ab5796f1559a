import Content
import Distribution
import FoundationEssentials
import HTTPTypes
import Platform
import Wire

/// A registry that wants tokens, and the server that it sends people to for them.
///
/// Tokens are `t1`, `t2`…; each holds for what it was asked for.
final class GuardedRegistry: HTTPSending {
    struct Rules: Sendable {
        var challenge = #"Bearer realm="https://auth.example/token?v=1",service="r.example:443""#
        /// Put into each challenge, unless the registry demands something of its own.
        var demand: (@Sendable (RegistryAccess) -> String?)?
        /// In seconds.
        var life: Int? = 300
        /// What the token server answers instead of a token, one after another.
        var tokenAnswers: [WireResponse] = []
        /// `Authorization` values that the token server takes; `nil` in it is a stranger.
        var admits: Set<String?> = [nil]
        /// Tokens that the registry takes though it hasn't made them.
        var foreign: Set<String> = []
        /// Tokens that the registry takes no more.
        var ended: Set<String> = []
        /// Whether the registry lets the token do what it was asked for.
        var grants: @Sendable (_ token: [String], RegistryAccess) -> Bool = { _, _ in true }
        var answer: WireResponse?
    }

    private struct State {
        var rules: Rules
        var requests: [WireRequest] = []
        var tokens: [String: [String]] = [:]
    }

    private let state: Lock<State>

    init(_ rules: Rules = Rules()) { state = Lock(State(rules: rules)) }

    func change(_ body: (inout Rules) -> Void) { state.withLock { body(&$0.rules) } }

    var requests: [WireRequest] { state.withLock { $0.requests } }

    /// What the token server was asked, without what is always the same.
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
        if !state.rules.tokenAnswers.isEmpty { return state.rules.tokenAnswers.removeFirst() }
        let isExchange = request.method == .post
        guard isExchange || state.rules.admits.contains(request.fields[.authorization]) else {
            return WireResponse(status: .unauthorized, body: Array(errors("UNAUTHORIZED", "wrong password").utf8))
        }
        let token = "t\(state.tokens.count + 1)"
        state.tokens[token] = (request.url.query ?? "").split(separator: "&").filter { $0.hasPrefix("scope=") }
            .map {
                String($0.dropFirst(6)).replacing("%3A", with: ":").replacing("%2F", with: "/")
                    .replacing("%2C", with: ",")
            }
        let life = state.rules.life.map { ",\"expires_in\":\($0)" } ?? ""
        let name = isExchange ? "access_token" : "token"
        return WireResponse(status: .ok, body: Array("{\"\(name)\":\"\(token)\"\(life)}".utf8))
    }

    private func guarded(_ request: WireRequest, _ state: inout State) throws -> WireResponse {
        let access = RegistryAccess(of: request)
        let token = String((request.fields[.authorization] ?? "").split(separator: " ").last ?? "")
        let isMade = state.tokens[token] != nil || state.rules.foreign.contains(token)
        let isKnown = isMade && !state.rules.ended.contains(token)
        let isBasic = state.rules.challenge.hasPrefix("Basic")
        if isBasic ? state.rules.admits.contains(request.fields[.authorization]) : isKnown {
            if isBasic || state.rules.grants(state.tokens[token] ?? [], access) {
                return try state.rules.answer ?? response(200, [:], imageText)
            }
        }
        var challenge = state.rules.challenge
        if let demand = state.rules.demand?(access) { challenge += #",scope="\#(demand)""# }
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

/// Credentials that a test knows, which may change.
final class KnownLogins: CredentialsStoring {
    private let known: Lock<[RegistryCredentials]>
    private let count = Lock(0)

    /// - Parameter known: What is found, one after another as each is rejected.
    init(_ known: RegistryCredentials...) { self.known = Lock(known) }

    /// How often anybody looked.
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

/// A client that gets its tokens with the logins of a store.
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

/// A client of `https://r.example`, which is guarded.
struct GuardedStage {
    let registry: GuardedRegistry
    let clock = RecordingClock()
    let logins: KnownLogins
    let client: RegistryClient
    let repository: RepositoryName

    init(
        _ rules: GuardedRegistry.Rules = GuardedRegistry.Rules(),
        logins: KnownLogins = KnownLogins(),
        base: String = "https://r.example",
        isDestination: Bool = false,
        now: @escaping @Sendable () -> Date = { Date(timeIntervalSince1970: 0) }
    ) throws {
        registry = GuardedRegistry(rules)
        self.logins = logins
        repository = try RepositoryName(parsing: "team/app")
        client = try negotiatingClient(registry, logins, clock, base: base, isDestination: isDestination, now: now)
    }

    func readManifest() async throws -> Manifest? { try await client.manifest(.digest(imageDigest), of: repository) }
}
