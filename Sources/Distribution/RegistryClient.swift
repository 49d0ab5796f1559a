public import Content
public import HTTPTypes
public import Logging
public import Wire

/// One OCI registry, spoken to over `/v2`.
///
/// Every request to the registry's own origin carries the credentials from the start, as far as they are known: ECR
/// sends no useful challenge (facts/ecr.md B.2), of other registries the first 401 tells what they want. No other origin
/// ever sees them. Blobs are carried by a `BlobRelaying`: for them this makes the requests and reads the answers.
public struct RegistryClient: Sendable {
    /// Scheme, host and port; its path and query play no part.
    public let base: HTTPURL
    let authorization: any RegistryAuthorizing
    let sender: any HTTPSending
    let retry: RetryPolicy
    let logger: Logger
    /// Whether something will be written, so that every token is asked for with the right to push.
    let isDestination: Bool
    /// For lists that are read, changed and written.
    let turns = Turns<String>()

    /// - Parameter isDestination: Whether something will be written. Every token is then asked for with `pull,push`, from
    ///   the first question on, as docker, skopeo and crane do: Quay answers 401 about a repository that is not there yet
    ///   unless push was asked for (helm/helm issue 32144).
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

    /// The same registry, for questions that need not be answered.
    ///
    /// - Parameter attempts: How often one is asked, the first time included.
    public func asking(attempts: Int) -> RegistryClient {
        var retry = retry
        retry.attempts = attempts
        return RegistryClient(base: base, authorization: authorization, sender: sender, retry: retry, logger: logger)
    }

    /// Opens connections to the registry for blobs that will soon be moved; nothing is sent on them.
    public func warm(connections: Int) {
        (sender as? any ConnectionWarming)?.warm(base, connections: connections)
    }

    /// Fetches the credentials that uploads will carry; who can't be given any hears it with its first request.
    public func prepareCredentials(forWritingTo repository: RepositoryName) async {
        _ = try? await authorization.authorization(for: RegistryAccess(repository, isWriting: true))
    }

    /// Asks whether the API is there and takes these credentials.
    ///
    /// - Returns: 200 if so; 401, 403 or 404 are answers here, not errors.
    public func ping() async throws -> HTTPResponse.Status {
        try await perform(.ping, WireRequest(.get, base.at(path: "/v2/"))) { $0.status.code < 500 }.status
    }

    /// What was last found out about the stored login for a repository; `nil` where the registry has asked for none.
    public func loginNote(of repository: RepositoryName) -> LoginNote? {
        authorization.note(on: RegistryAccess(repository))
    }

    /// Sends a request until it is answered for good.
    ///
    /// Throttles, 5xx and broken connections are retried as the policy says. A rejected token is renewed once.
    ///
    /// - Parameter isWanted: Which answers to return; every other one is thrown as ``RegistryError``.
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

    /// Tries as often as the policy says, for the registry's failures only.
    ///
    /// Whoever fetches credentials has retried already; to repeat that here would multiply the attempts.
    func retrying<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await retry.run { _ in try await body() }
        } catch let failure as CredentialFailure {
            throw failure.reason
        }
    }

    /// One try, and a second with a new token if that was the trouble.
    ///
    /// - Parameter isFinal: Which answers to return whatever their status.
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
            let response = try await decoded(authorized)
            logger.debug(
                "\(request.method) \(request.url)",
                metadata: ["status": "\(response.status.code)", "operation": "\(operation.rawValue)"]
            )
            // Who came without credentials learns here what the registry wants, which is no renewal.
            let isAnonymous = authorized.fields[.authorization] == nil
            // A password is sent where the request was refused without it, a token where one without a login may do.
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

    /// Sends a request; an answer whose `Content-Encoding` is not true, or not known, is asked for again as it is.
    private func decoded(_ request: WireRequest) async throws -> WireResponse {
        do {
            return try await sender.send(request)
        } catch let error as WireError where error.reason == .undecodable && request.decodesAnswer {
            var request = request
            request.decodesAnswer = false
            var response = try await sender.send(request)
            response.undecodedEncoding = response.fields[.contentEncoding].map { printable($0, upTo: 60) }
            return response
        }
    }

    /// The request with credentials, if it goes to our origin.
    ///
    /// - Parameter access: For an address that the registry made up, which needn't say what it is for.
    func authorize(_ request: WireRequest, for access: RegistryAccess? = nil) async throws -> WireRequest {
        guard request.url.origin == base.origin else { return request }
        var request = request
        request.fields[.authorization] = try await authorization.authorization(
            for: access ?? self.access(of: request)
        )
        return request
    }

    /// New credentials in place of those that a request carried, if there are any.
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

    /// What a token for the request must allow.
    private func access(of request: WireRequest) -> RegistryAccess {
        var access = RegistryAccess(of: request)
        if isDestination, access.repository != nil { access.isWriting = true }
        return access
    }

    /// Whether a new token may help.
    ///
    /// An answer to HEAD has no body to say so; those who send HEAD ask with GET where the status is odd.
    private func isTokenRejected(_ response: WireResponse, to request: WireRequest) -> Bool {
        // None of the others does, and what was asked for needn't be read through.
        guard request.url.origin == base.origin, [400, 401, 403].contains(response.status.code) else { return false }
        return RegistryAnswer(response, to: request).namesTheToken
    }

    /// What an answer means that nobody wanted.
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
        var message = clipped(
            quote.text,
            to: kind == .denied ? RegistryError.longestDenial : RegistryError.longestQuote
        )
        let note = authorization.note(on: access(of: request))
        if [.unauthorized, .tokenExpired, .denied].contains(kind), let note {
            message += message.isEmpty ? note.text : "; \(note.text)"
        }
        if message.isEmpty, (300..<400).contains(answer.status), let location = response.fields[.location] {
            message = clipped("a redirect to \(cleaned(location, without: request.secrets))")
        }
        return RegistryError(
            operation,
            kind,
            message,
            url: request.url,
            status: answer.status,
            codes: quote.codes.map { .init(code: clipped($0.code, to: 60), message: clipped($0.message)) },
            requestID: requestID(of: response, to: request),
            retryAdvice: advice
                ?? (answer.isCut ? .backOff : retryAdvice(kind, response, isOurs: request.url.origin == base.origin)),
            login: note?.tool,
            digests: operation == .writeManifest
                ? Digest.named(in: Array(response.body.prefix(RegistryError.longestBody))) : []
        )
    }

    private func retryAdvice(_ kind: RegistryError.Kind, _ response: WireResponse, isOurs: Bool) -> RetryAdvice {
        // Settled, whatever the status that it came with.
        if kind == .repositoryMissing { return .never }
        if kind == .pullLimit { return response.retryAfter.map { .wait($0) } ?? .never }
        if isRetryable(response.status.code) || kind == .tooManyRequests {
            return response.retryAfter.map { .wait($0) } ?? .backOff
        }
        if kind == .blobUploadInvalid { return .backOff }
        // A presigned address that has run out: asking the registry again gives a fresh one.
        return !isOurs && [400, 403].contains(response.status.code) ? .backOff : .never
    }

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
            return clipped(cleaned(value, without: request.secrets), to: 80)
        }
        return nil
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
