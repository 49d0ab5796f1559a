public import Content
public import HTTPTypes
public import Logging
internal import Platform
public import Wire

/// A client of one OCI registry over `/v2`.
///
/// Every request to the registry's own origin carries the known credentials from the start: ECR sends no useful
/// challenge (docs/facts/ecr-registry.md#authentication), and other registries name the scheme in their first 401. No
/// other origin ever gets credentials. A `BlobRelaying` moves blobs; this client makes its requests and reads the answers.
public struct RegistryClient: Sendable {
    /// Scheme, host and port; path and query are ignored.
    public let base: HTTPURL
    let authorization: any RegistryAuthorizing
    let sender: any HTTPSending
    private(set) var retry: RetryPolicy
    let logger: Logger
    /// Whether the registry will be written to, so that every token is requested with the right to push.
    let isDestination: Bool
    /// Serializes the changes of each list of referrers, which is read, changed and written.
    let turns = WaitQueue<String, Void, Set<String>>()

    /// - Parameter isDestination: Whether the registry will be written to. Every token is then requested with
    ///   `pull,push` from the first request on, as docker, skopeo and crane do: without push, Quay answers 401 for a
    ///   repository that doesn't exist yet (helm/helm issue 32144).
    public init(
        base: HTTPURL,
        authorization: any RegistryAuthorizing,
        sender: any HTTPSending,
        retry: RetryPolicy,
        logger: Logger,
        isDestination: Bool = false
    ) {
        self.base = base
        self.authorization = authorization
        self.sender = sender
        self.retry = retry
        self.logger = logger
        self.isDestination = isDestination
    }

    /// Returns the same client with fewer attempts, for requests whose answer is optional.
    ///
    /// - Parameter attempts: The most attempts, the first included.
    public func limited(toAttempts attempts: Int) -> RegistryClient {
        var client = self
        client.retry.attempts = attempts
        return client
    }

    /// Opens connections for blobs that will be moved soon, without sending a request.
    public func warm(connections: Int) {
        (sender as? any ConnectionWarming)?.warm(base, connections: connections)
    }

    /// Fetches the credentials for uploads ahead of time.
    ///
    /// The first request reports a failure.
    public func prepareCredentials(forWritingTo repository: RepositoryName) async {
        _ = try? await authorization.authorization(for: RegistryAccess(repository, isWriting: true))
    }

    /// Checks that the registry has the API and accepts the credentials.
    ///
    /// - Returns: 200 if so; 401, 403 and 404 are returned, not thrown.
    public func ping() async throws -> HTTPResponse.Status {
        try await perform(.ping, WireRequest(.get, base.at(path: "/v2/"))) { $0.status.code < 500 }.status
    }

    /// Returns the last note on the stored login for a repository; `nil` if the registry has required none.
    public func loginNote(of repository: RepositoryName) -> LoginNote? {
        authorization.note(on: RegistryAccess(repository))
    }

    /// Sends a request and retries it by the policy.
    ///
    /// Throttles, 5xx and broken connections are retried. A rejected token is renewed once.
    ///
    /// - Parameter isWanted: Whether to return an answer; any other is thrown as ``RegistryError``.
    func perform(
        _ operation: RegistryError.Operation,
        _ request: WireRequest,
        returning isWanted: (WireResponse) -> Bool
    ) async throws -> WireResponse {
        var mayRenew = true
        return try await retrying {
            try await attempt(operation, request, mayRenew: &mayRenew, returning: isWanted)
        }
    }

    /// Retries the registry's failures by the policy.
    ///
    /// Failures to get credentials are not retried: fetching credentials has its own retries, and the attempts would
    /// multiply.
    func retrying<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await retry.run { _ in try await body() }
        } catch let failure as CredentialFailure {
            throw failure.reason
        }
    }

    /// Makes one attempt, and a second with a new token if the first was refused for its token.
    ///
    /// - Parameter isFinal: Whether to return an answer whatever its status.
    func attempt(
        _ operation: RegistryError.Operation,
        _ request: WireRequest,
        mayRenew: inout Bool,
        accepting isFinal: (WireResponse, WireRequest) -> Bool = { _, _ in false },
        returning isWanted: (WireResponse) -> Bool
    ) async throws -> WireResponse {
        var mayLearn = true
        var mayGoWithoutLogin = true
        while true {
            let authorized = try await CredentialFailure.marking { try await authorize(request) }
            let response = try await sender.sendDecoding(authorized)
            logger.debug(
                "\(request.method) \(request.url)",
                metadata: ["status": "\(response.status.code)", "operation": "\(operation.rawValue)"]
            )
            // A request without credentials learns here which ones the registry wants, which is not a renewal.
            let isAnonymous = authorized.fields[.authorization] == nil
            // A password is sent after a refusal of the request without one; a token may have been issued without a
            // login.
            let wasRefusedBare = !mayLearn && authorized.fields[.authorization]?.hasPrefix("Basic ") == true
            let restsOnLogin = !wasRefusedBare && authorization.note(on: access(of: authorized))?.tool != nil
            let mayChange = isAnonymous ? mayLearn : mayRenew || (mayGoWithoutLogin && restsOnLogin)
            if mayChange, isTokenRejected(response, to: authorized) {
                if isAnonymous || mayRenew {
                    if isAnonymous { mayLearn = false } else { mayRenew = false }
                    if try await CredentialFailure.marking({ try await renew(after: response, to: authorized) }) {
                        continue
                    }
                }
                if !isAnonymous, mayGoWithoutLogin, restsOnLogin {
                    mayGoWithoutLogin = false
                    if try await CredentialFailure.marking({ try await goWithoutLogin(after: authorized) }) { continue }
                }
            }
            if isFinal(response, authorized) { return response }
            guard !isRetryable(response.status.code), isWanted(response) else {
                throw error(operation, response, to: authorized)
            }
            return response
        }
    }

    /// Adds credentials to a request, if it goes to the registry's origin.
    ///
    /// - Parameter access: The access for a URL that the registry made, which can't be derived from its path.
    func authorize(_ request: WireRequest, for access: RegistryAccess? = nil) async throws -> WireRequest {
        guard request.url.origin == base.origin else { return request }
        var request = request
        request.fields[.authorization] = try await authorization.authorization(
            for: access ?? self.access(of: request)
        )
        return request
    }

    /// Gets new credentials in place of those that a request carried.
    ///
    /// - Returns: Whether there are others.
    func renew(
        after response: WireResponse,
        to request: WireRequest,
        for access: RegistryAccess? = nil
    ) async throws -> Bool {
        try await authorization.renew(
            insteadOf: request.fields[.authorization],
            for: access ?? self.access(of: request),
            challenges: RegistryAnswer(response, to: request).challenges
        )
    }

    private func goWithoutLogin(after request: WireRequest) async throws -> Bool {
        try await authorization.goWithoutLogin(insteadOf: request.fields[.authorization], for: access(of: request))
    }

    /// Returns the access that a request needs.
    private func access(of request: WireRequest) -> RegistryAccess {
        var access = RegistryAccess(of: request)
        if isDestination, access.repository != nil { access.isWriting = true }
        return access
    }

    /// Whether a new token may help.
    ///
    /// An answer to HEAD has no body to tell it; callers of HEAD try GET after an unexpected status.
    private func isTokenRejected(_ response: WireResponse, to request: WireRequest) -> Bool {
        // No other status refuses a token, so the body need not be parsed.
        guard request.url.origin == base.origin, [400, 401, 403].contains(response.status.code) else { return false }
        return RegistryAnswer(response, to: request).refusesToken
    }

    /// Makes the error for an unwanted answer.
    func error(
        _ operation: RegistryError.Operation,
        _ response: WireResponse,
        to request: WireRequest,
        as kind: RegistryError.Kind? = nil,
        retrying advice: RetryAdvice? = nil
    ) -> RegistryError {
        let answer = RegistryAnswer(response, to: request)
        let quote = answer.quote()
        let kind = kind ?? answer.kind
        var message = printable(
            quote.text,
            upTo: kind == .denied ? RegistryError.longestDenial : RegistryError.longestQuote
        )
        let note = authorization.note(on: access(of: request))
        if [.unauthorized, .tokenExpired, .denied].contains(kind), let note {
            message += message.isEmpty ? note.text : "; \(note.text)"
        }
        if message.isEmpty, (300..<400).contains(answer.status), let location = response.fields[.location] {
            message = printable(
                "a redirect to \(cleaned(location, without: request.secrets))",
                upTo: RegistryError.longestQuote
            )
        }
        return RegistryError(
            operation,
            kind,
            message,
            url: request.url,
            status: answer.status,
            codes: quote.shortenedCodes,
            requestID: requestID(of: response, to: request),
            retryAdvice: advice
                ?? (answer.isCut ? .backOff : retryAdvice(kind, response, isOurs: request.url.origin == base.origin)),
            login: note?.tool,
            digests: operation == .writeManifest
                ? Digest.named(in: Array(response.body.prefix(RegistryError.longestBody))) : []
        )
    }

    private func retryAdvice(_ kind: RegistryError.Kind, _ response: WireResponse, isOurs: Bool) -> RetryAdvice {
        // A retry won't help, whatever the status.
        if kind == .repositoryMissing { return .never }
        if kind == .pullLimit { return response.retryAfter.map { .wait($0) } ?? .never }
        if isRetryable(response.status.code) || kind == .tooManyRequests {
            return response.retryAfter.map { .wait($0) } ?? .backOff
        }
        if kind == .blobUploadInvalid { return .backOff }
        // A presigned URL has expired; the registry gives another one.
        return !isOurs && [400, 403].contains(response.status.code) ? .backOff : .never
    }

    /// Whether a status is a failure inside the server that may be permanent, so that another request is better than a
    /// retry.
    ///
    /// 503 means that a later retry may succeed.
    func isServerFault(_ status: Int) -> Bool { status >= 500 && status != 503 }

    private func isRetryable(_ status: Int) -> Bool {
        switch status {
        case 408, 429: true
        case 501, 505: false
        default: status >= 500
        }
    }

    private func requestID(of response: WireResponse, to request: WireRequest) -> String? {
        for name in ["x-amzn-requestid", "x-amz-request-id", "x-request-id"] {
            guard let value = HTTPField.Name(name).flatMap({ response.fields[$0] }), !value.isEmpty else { continue }
            return printable(cleaned(value, without: request.secrets), upTo: 80)
        }
        return nil
    }
}

extension HTTPSending {
    /// Sends a request, and sends it again without decoding if the answer's `Content-Encoding` is wrong or unknown.
    func sendDecoding(_ request: WireRequest) async throws -> WireResponse {
        do {
            return try await send(request)
        } catch let error as WireError where error.reason == .undecodable && request.decodesAnswer {
            var request = request
            request.decodesAnswer = false
            var response = try await send(request)
            response.undecodedEncoding = response.fields[.contentEncoding].map { printable($0, upTo: 60) }
            return response
        }
    }
}

/// A failure to get credentials, marked to distinguish it from the registry's failures.
private struct CredentialFailure: Error {
    let reason: any Error

    static func marking<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch {
            throw CredentialFailure(reason: error)
        }
    }
}
