internal import AWSIdentity
internal import Content
internal import FoundationEssentials
internal import HTTPTypes
internal import Logging
internal import Platform
package import Wire

/// A client of one AWS service that speaks JSON, in one region, with one identity.
///
/// Every attempt is signed anew. Transient failures are retried after a pause; expired credentials are fetched again
/// once, and a wrong clock is corrected once. ``ECRClient`` and ``KMSClient`` are this client with their operations and
/// errors.
///
/// - Source: docs/facts/ecr-api.md#protocol
struct AWSJSONClient<Failure: AWSJSONError>: Sendable {
    let service: AWSJSONService
    let endpoint: HTTPURL
    let region: String
    private let credentials: any CredentialsProviding
    private let sender: any HTTPSending
    private var retry: RetryPolicy
    private let pacer: Pacer?
    private let logger: Logger
    /// The clock of the endpoint.
    let clock: ServiceClock
    private let signer: RequestSigner
    private let alternative: HTTPURL?
    /// Whether DNS knows only the endpoint's other name.
    private let usesAlternative = Lock(false)
    private let lastKeys = Lock<String?>(nil)

    /// - Parameters:
    ///   - alternative: The endpoint's other name, for use when the first isn't in DNS.
    ///   - pacer: Decides when a request may be sent; all clients that share a quota share one.
    ///   - clocks: The clocks to share; without them the client learns the time anew, starting from `now`.
    init(
        _ service: AWSJSONService,
        endpoint: HTTPURL,
        alternative: HTTPURL?,
        region: String,
        credentials: any CredentialsProviding,
        sender: any HTTPSending,
        retry: RetryPolicy,
        pacer: Pacer?,
        logger: Logger,
        now: @escaping @Sendable () -> Date,
        clocks: ServiceClocks?
    ) {
        self.service = service
        self.endpoint = endpoint
        self.alternative = alternative
        self.region = region
        self.credentials = credentials
        self.sender = sender
        self.retry = retry
        self.pacer = pacer
        self.logger = logger
        clock = (clocks ?? ServiceClocks(now, logger: logger)).clock(of: endpoint)
        signer = RequestSigner(service: service.signingName, region: region)
    }

    /// The keys that signed the last request, for messages: the end of the key id, and the keys' source.
    var credentialsInUse: String? { lastKeys.withLock { $0 } }

    /// Performs one operation, and returns its answer with the answer's length in bytes.
    ///
    /// - Parameter check: Throws an error of the service for a success that should be retried all the same.
    /// - Throws: `Failure`, `WireError`, `IdentityError`, `CancellationError`.
    func measured<Operation: AWSJSONOperation>(
        _ operation: Operation,
        check: (Operation.Response) throws -> Void = { _ in }
    ) async throws -> (answer: Operation.Response, byteCount: Int) {
        let call = Call(
            Operation.name,
            body: try operation.body(),
            deadline: Operation.deadline,
            largestAnswer: operation.largestAnswer
        )
        var mayRefresh = true
        return try await retry.run { attempt in
            let used = try await credentials.credentials()
            do {
                let answer = try await exchange(call, attempt, used, Operation.Response.self)
                try check(answer.answer)
                return answer
            } catch let error as Failure where error.isExpiredToken && mayRefresh {
                mayRefresh = false
                guard await credentials.discard(used) else { throw error }
                log(call, "failed because the credentials have expired; fetching new ones")
                let fresh = try await credentials.credentials()
                return try await exchange(call, attempt, fresh, Operation.Response.self)
            }
        }
    }

    /// Returns the same client with fewer attempts, for requests whose answer is optional.
    ///
    /// - Parameter attempts: The most attempts, the first included.
    func limited(toAttempts attempts: Int) -> Self {
        var client = self
        client.retry.attempts = attempts
        return client
    }

    /// One call with all its attempts.
    private struct Call {
        let name: String
        let body: RequestBody
        let deadline: Duration
        let largestAnswer: Int
        /// The id by which AWS's support finds all attempts.
        let invocation = UUID().uuidString.lowercased()

        init(_ name: String, body: RequestBody, deadline: Duration, largestAnswer: Int) {
            self.name = name
            self.body = body
            self.deadline = deadline
            self.largestAnswer = largestAnswer
        }
    }

    private func exchange<Answer: Decodable>(
        _ call: Call,
        _ attempt: Int,
        _ credentials: AWSCredentials,
        _: Answer.Type
    ) async throws -> (answer: Answer, byteCount: Int) {
        var mayCorrect = true
        while true {
            // Wait before signing: a signature is valid for five minutes.
            let admission = try await pacer?.admit(call.name)
            let time = clock.now()
            let response = try await answer(to: call, attempt, credentials, at: time)
            log(
                call,
                "answered",
                [
                    "attempt": "\(attempt)", "status": "\(response.status.code)",
                    "request": "\(response.quoted(.amzRequestID) ?? "-")", "bytes": "\(response.body.count)",
                ]
            )
            let error =
                response.status.kind == .successful ? nil : Failure(call.name, response, signedWith: credentials)
            if let pacer, let admission {
                error?.isThrottling == true ? pacer.throttle(admission, for: error?.retryAfter) : pacer.pass(admission)
            }
            guard let error else { return (try Self.decode(call, response), response.body.count) }
            guard mayCorrect, clock.corrects(error.codeText, response, signedAt: time) else { throw error }
            mayCorrect = false
            log(call, "refused because of its date; this machine's clock is wrong")
        }
    }

    private static func decode<Answer: Decodable>(_ call: Call, _ response: WireResponse) throws -> Answer {
        guard JSONShape(response.body).isWithin(.answer) else {
            throw Failure(unreadable: call.name, response, because: "it has more values or levels than allowed")
        }
        do {
            return try JSONDecoder().decode(Answer.self, from: Data(response.body))
        } catch {
            throw Failure(unreadable: call.name, response, because: place(error))
        }
    }

    /// Sends a call, to the endpoint's other name if the first isn't in DNS.
    private func answer(
        to call: Call,
        _ attempt: Int,
        _ credentials: AWSCredentials,
        at time: Date
    ) async throws -> WireResponse {
        if let alternative, usesAlternative.withLock({ $0 }) {
            return try await sender.answer(to: signed(call, attempt, credentials, at: time, to: alternative))
        }
        do {
            return try await sender.answer(to: signed(call, attempt, credentials, at: time, to: endpoint))
        } catch let error as WireError where error.mayBeTheName {
            guard let alternative else { throw error }
            do {
                let response = try await sender.answer(
                    to: signed(call, attempt, credentials, at: time, to: alternative)
                )
                usesAlternative.withLock { $0 = true }
                log(call, "answered by \(alternative.host), because \(endpoint.host) is unknown")
                return response
            } catch let other as WireError {
                // If only the other name resolves, it is the endpoint's name, and its error comes first.
                throw other.mayBeTheName
                    ? error.and(other, of: alternative) : other.and(error, of: endpoint)
            }
        }
    }

    private func signed(
        _ call: Call,
        _ attempt: Int,
        _ credentials: AWSCredentials,
        at time: Date,
        to url: HTTPURL
    ) -> WireRequest {
        var request = WireRequest(.post, url, deadline: call.deadline, largestAnswer: call.largestAnswer)
        request.content = call.body
        // AWS's own endpoints always use https; the user named any other.
        request.allowsPlainHTTP = true
        request.fields[.contentType] = service.contentType
        request.fields[.amzTarget] = "\(service.targetPrefix).\(call.name)"
        signer.sign(&request, with: credentials, at: time)
        lastKeys.withLock { $0 = "\(credentials)" }
        request.fields[.userAgent] = UserAgent.value
        request.fields[.sdkInvocationID] = call.invocation
        request.fields[.sdkRequest] = "attempt=\(attempt); max=\(retry.attempts)"
        return request
    }

    private func log(_ call: Call, _ event: String, _ metadata: Logger.Metadata = [:]) {
        logger.debug("\(call.name) \(event)", metadata: metadata.merging(["region": "\(region)"]) { $1 })
    }

    /// Describes the place where decoding failed, without the value there, unless it is a name, which isn't secret.
    private static func place(_ error: any Error) -> String {
        switch error {
        case DecodingError.dataCorrupted(let context) where context.underlyingError is ReferenceError:
            "\(path(context.codingPath)): \(context.debugDescription)"
        case DecodingError.keyNotFound(let key, let context): "\(path(context.codingPath + [key])) is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context):
            context.codingPath.isEmpty ? notJSON : "\(path(context.codingPath)) has the wrong type"
        default: notJSON
        }
    }

    private static var notJSON: String { "it is not JSON, or it was cut" }

    private static func path(_ keys: [any CodingKey]) -> String {
        printable(keys.map(\.stringValue).joined(separator: "."), upTo: 200)
    }
}

extension WireError {
    /// libcurl's code `CURLE_PROXY`: a SOCKS proxy couldn't reach the host.
    private static let socks = 97

    /// Whether the host's name may be unknown; a proxy looks names up itself, and only reports that it can't reach the
    /// host.
    package var mayBeTheName: Bool {
        reason == .unresolvable || curlCode == Self.socks || (reason == .proxyRefused && (proxyStatus ?? 0) >= 500)
    }

    /// Returns this error with the error of the endpoint's other name added.
    package func and(_ other: WireError, of url: HTTPURL) -> WireError {
        var both = self
        both.detail += "; its other name \(url.host): \(other.detail)"
        return both
    }
}
