import Content
import Distribution
import HTTPTypes
import Logging
import Platform
import TestDoubles
import Testing
import Wire

/// A registry that gives its answers in order, and records the requests.
final class ScriptedRegistry: HTTPSending {
    enum Step: Sendable {
        case answer(Int, [String: String] = [:], String = "")
        case failure(WireError.Reason)
        /// An answer made from the request, for tests whose requests have no fixed order.
        case reply(@Sendable (WireRequest) -> WireResponse)
    }

    private struct State {
        var steps: [Step]
        var requests: [WireRequest] = []
    }

    private let state: Lock<State>

    init(_ steps: [Step]) { state = Lock(State(steps: steps)) }

    var requests: [WireRequest] { state.withLock { $0.requests } }

    /// One text per request: method, URL, and the credentials if any.
    var asked: [String] {
        requests.map { request in
            let credentials = request.fields[.authorization].map { " [\($0)]" } ?? ""
            return "\(request.method) \(request.url.text)\(credentials)"
        }
    }

    func send(_ request: WireRequest) async throws -> WireResponse {
        let step = state.withLock { state -> Step? in
            state.requests.append(request)
            return state.steps.isEmpty ? nil : state.steps.removeFirst()
        }
        switch step {
        case .answer(let status, let fields, let body): return try response(status, fields, body)
        case .failure(let reason): throw WireError(reason, "as scripted", url: request.url)
        case .reply(let reply): return reply(request)
        case nil:
            Issue.record("an unexpected request: \(request.method) \(request.url)")
            throw WireError(.closed, "the script has ended")
        }
    }
}

func response(_ status: Int, _ fields: [String: String] = [:], _ body: String = "") throws -> WireResponse {
    var response = WireResponse(status: .init(code: status), body: Array(body.utf8))
    for (name, value) in fields {
        let name = try #require(HTTPField.Name(name))
        response.fields[name] = value
    }
    return response
}

/// An error body in the form of the distribution specification.
func errors(_ code: String, _ message: String) -> String {
    #"{"errors":[{"code":"\#(code)","message":"\#(message)","detail":{"any":["thing"]}}]}"#
}

/// Credentials that change each time they are rejected, up to a number of times.
final class RotatingAuthorization: RegistryAuthorizing {
    private let count = Lock(1)
    private let renewals: Int

    init(renewals: Int = 1) { self.renewals = renewals }

    func authorization(for access: RegistryAccess) async throws -> String? { "Basic token\(count.withLock { $0 })" }

    func renew(
        insteadOf rejected: String?,
        for access: RegistryAccess,
        challenges: [AuthenticationChallenge]
    ) async throws -> Bool {
        count.withLock { count in
            guard count <= renewals, rejected == "Basic token\(count)" else { return false }
            count += 1
            return true
        }
    }
}

/// A logger without output.
let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// A client of `https://r.example`, whose registry is scripted.
struct Fixture {
    let registry: ScriptedRegistry
    let clock = RecordingClock()
    let client: RegistryClient
    let repository: RepositoryName

    init(
        _ steps: ScriptedRegistry.Step...,
        base: String = "https://r.example",
        authorization: any RegistryAuthorizing = AnonymousAuthorization(),
        attempts: Int = 3
    ) throws {
        registry = ScriptedRegistry(steps)
        repository = try RepositoryName(parsing: "team/app")
        client = RegistryClient(
            base: try HTTPURL(base),
            authorization: authorization,
            sender: registry,
            retry: RetryPolicy(attempts: attempts, clock: clock, jitter: { 1 }),
            logger: quiet
        )
    }
}

/// A small image, with an indentation and a last newline that must stay unchanged.
let imageText = """
    {
       "schemaVersion": 2,
       "mediaType": "application/vnd.oci.image.manifest.v1+json",
       "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2,
          "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
       "layers": []
    }

    """

let imageDigest = Digest(of: imageText.utf8)
let someDigest = Digest(of: "some".utf8)

/// Returns the registry's error that `body` throws.
func registryError<Value>(_ body: () async throws -> Value) async throws -> RegistryError {
    do {
        _ = try await body()
    } catch let error as RegistryError {
        return error
    }
    throw MissingError()
}

struct MissingError: Error {}
