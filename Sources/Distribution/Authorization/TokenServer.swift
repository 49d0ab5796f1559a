internal import Content
internal import FoundationEssentials
internal import HTTPTypes
internal import Logging
internal import Wire

/// A client of token servers, which issue bearer tokens.
struct TokenServer: Sendable {
    let sender: any HTTPSending
    let retry: RetryPolicy
    let logger: Logger
    let now: @Sendable () -> Date

    /// The client id, which OAuth 2 requires.
    static let clientID = "ecr-replicate"

    /// Fetches a token.
    ///
    /// - Returns: A whole `Authorization` value, and its expiry.
    /// - Throws: ``RegistryError`` of kind `unauthorized` if the server refuses the credentials or requires some, of
    ///   kind `malformedAnswer` if the answer has no token; `WireError`.
    func token(
        from realm: TokenRealm,
        for scopes: [RegistryScope],
        as found: FoundCredentials
    ) async throws -> (header: String, expiresAt: Date?) {
        let request =
            switch found.credentials {
            case .identityToken(let token): realm.exchange(scopes, refreshToken: token)
            case .password, .registryToken, nil: realm.request(scopes, authorization: found.credentials?.basic)
            }
        return try await retry.run { _ in
            let start = now()
            let response = try await send(request)
            guard response.status.kind == .successful else {
                throw refusal(response, to: request, found)
            }
            do {
                let answer = try TokenAnswer(response)
                return ("Bearer \(answer.token)", start.addingTimeInterval(answer.life))
            } catch let error as TokenAnswer.Fault {
                // A server that answers without a token does so each time, so this is not retried.
                throw RegistryError(
                    .authorize,
                    .malformedAnswer,
                    "\(error.problem)\(found.credentials == nil ? "" : "; \(found.place)")",
                    url: request.url,
                    status: response.status.code,
                    login: found.note.tool
                )
            }
        }
    }

    /// Sends a request and follows redirects, as `WireRequest` allows them: credentials stay within their origin, and
    /// https never leads to http.
    private func send(_ request: WireRequest) async throws -> WireResponse {
        var request = request
        request.decodesAnswer = true
        for _ in 0...WireRequest.mostRedirects {
            let response = try await sender.sendDecoding(request)
            logger.debug(
                "\(request.method) \(request.url)",
                metadata: [
                    "status": "\(response.status.code)", "operation": "\(RegistryError.Operation.authorize.rawValue)",
                ]
            )
            guard response.isRedirect, let location = response.fields[.location] else { return response }
            let next = try request.following(location)
            guard request.body.isEmpty || next.url.origin == request.url.origin else {
                throw WireError(
                    .badRedirect,
                    "the redirect would send the refresh token to another host",
                    url: request.url
                )
            }
            request = next
        }
        throw WireError(.badRedirect, "more than \(WireRequest.mostRedirects) redirects", url: request.url)
    }

    private func refusal(
        _ response: WireResponse,
        to request: WireRequest,
        _ found: FoundCredentials
    ) -> RegistryError {
        let quote = RegistryAnswer(response, to: request).quote()
        let status = response.status.code
        let isTemporary = status >= 500 || status == 429 || status == 408
        // OAuth 2 answers 400 `invalid_grant` to an expired refresh token (RFC 6749, section 5.2). A server without
        // OAuth 2 answers 404 or 405 to the POST, so the token can't be used there (containerd, `FetchTokenWithOAuth`).
        let refusesCredentials =
            [400, 401, 403].contains(status) || (request.method == .post && [404, 405].contains(status))
        let kind: RegistryError.Kind =
            refusesCredentials
            ? .unauthorized
            : response.namesPullLimit
                ? .pullLimit : status == 429 ? .tooManyRequests : isTemporary ? .serverFault : .other
        return RegistryError(
            .authorize,
            kind,
            "\(printable(quote.text, upTo: RegistryError.longestQuote))\(quote.text.isEmpty ? "" : "; ")\(found.place)",
            url: request.url,
            status: status,
            codes: quote.shortenedCodes,
            retryAdvice: isTemporary
                ? response.retryAfter.map { .wait($0) } ?? (kind == .pullLimit ? .never : .backOff) : .never,
            login: found.note.tool
        )
    }
}
