public import Content
public import HTTPTypes
public import Logging
internal import Platform
public import Wire

/// A client of one OCI registry over `/v2`.
///
/// Every request to the registry's own origin carries the known credentials from the start: ECR sends no useful
/// challenge (docs/facts/ecr-registry.md#authentication), and other registries say in their first 401 what they want.
/// No other origin ever gets them. A `BlobRelaying` moves blobs; this client makes its requests and reads the answers.
public struct RegistryClient: Sendable {
    /// Scheme, host and port; path and query are ignored.
    public let base: HTTPURL
    let authorization: any RegistryAuthorizing
    let sender: any HTTPSending
    let retry: RetryPolicy
    let logger: Logger
    /// Whether the registry will be written to, so that every token is asked for with the right to push.
    let isDestination: Bool
    /// For lists that are read, changed and written.
    let turns = WaitQueue<String, Void, Set<String>>()

    /// - Parameter isDestination: Whether the registry will be written to. Every token is then asked for with
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

    /// This client with fewer attempts, for questions whose answer is optional.
    ///
    /// - Parameter attempts: The most attempts, the first included.
    public func asking(attempts: Int) -> RegistryClient {
        var retry = retry
        retry.attempts = attempts
        return RegistryClient(
            base: base,
            authorization: authorization,
            sender: sender,
            retry: retry,
            logger: logger,
            isDestination: isDestination
        )
    }

    /// Opens connections to the registry for blobs that will be moved soon, without sending a request.
    public func warm(connections: Int) {
        (sender as? any ConnectionWarming)?.warm(base, connections: connections)
    }

    /// Fetches the credentials for uploads ahead of time.
    ///
    /// A failure shows with the first request.
    public func prepareCredentials(forWritingTo repository: RepositoryName) async {
        _ = try? await authorization.authorization(for: RegistryAccess(repository, isWriting: true))
    }

    /// Asks whether the registry has the API and accepts the credentials.
    ///
    /// - Returns: 200 if so; 401, 403 or 404 are answers here, not errors.
    public func ping() async throws -> HTTPResponse.Status {
        try await perform(.ping, WireRequest(.get, base.at(path: "/v2/"))) { $0.status.code < 500 }.status
    }

    /// What was last found out about the stored login for a repository; `nil` where the registry has asked for none.
    public func loginNote(of repository: RepositoryName) -> LoginNote? {
        authorization.note(on: RegistryAccess(repository))
    }

    /// Sends a request and retries it by the policy.
    ///
    /// Throttles, 5xx and broken connections are retried as the policy says. A rejected token is renewed once.
    ///
    /// - Parameter isWanted: Says which answers to return; any other is thrown as ``RegistryError``.
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

    /// Retries by the policy, but only the registry's failures.
    ///
    /// Fetching credentials has its own retries; to repeat them here would multiply the attempts.
    func retrying<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await retry.run { _ in try await body() }
        } catch let failure as CredentialFailure {
            throw failure.reason
        }
    }

    /// Makes one try, and a second with a new token if the first was refused for its token.
    ///
    /// - Parameter isFinal: Says which answers to return whatever their status.
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
            // A request without credentials learns here what the registry wants, which is not a renewal.
            let isAnonymous = authorized.fields[.authorization] == nil
            // A password follows a refusal of the bare request; a token may be one without a login.
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

    /// The request with credentials, if it goes to our origin.
    ///
    /// - Parameter access: The access of an address that the registry made, which can't be derived from its path.
    func authorize(_ request: WireRequest, for access: RegistryAccess? = nil) async throws -> WireRequest {
        guard request.url.origin == base.origin else { return request }
        var request = request
        request.fields[.authorization] = try await authorization.authorization(
            for: access ?? self.access(of: request)
        )
        return request
    }

    /// Gets new credentials in place of those that a request carried, if there are any.
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

    /// The access that a request needs.
    private func access(of request: WireRequest) -> RegistryAccess {
        var access = RegistryAccess(of: request)
        if isDestination, access.repository != nil { access.isWriting = true }
        return access
    }

    /// Whether a new token may help.
    ///
    /// An answer to HEAD has no body that could say so; callers of HEAD try GET after an odd status.
    private func isTokenRejected(_ response: WireResponse, to request: WireRequest) -> Bool {
        // No other status means that, so the body need not be parsed.
        guard request.url.origin == base.origin, [400, 401, 403].contains(response.status.code) else { return false }
        return RegistryAnswer(response, to: request).namesTheToken
    }

    /// The error for an unwanted answer.
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
            codes: quote.codes.map {
                .init(
                    code: printable($0.code, upTo: 60),
                    message: printable($0.message, upTo: RegistryError.longestQuote)
                )
            },
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
        // A presigned address has expired; asking the registry again gives a fresh one.
        return !isOurs && [400, 403].contains(response.status.code) ? .backOff : .never
    }

    /// Whether a status is a failure inside the server that need not pass: another question may fare better.
    ///
    /// 503 asks to come back later.
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
    /// Sends a request; an answer whose `Content-Encoding` is not true, or not known, is asked for again as it is.
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

/// A failure to get credentials, marked so that it isn't taken for one of the registry's.
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
