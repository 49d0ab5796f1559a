internal import FoundationEssentials
internal import HTTPTypes
internal import Logging
internal import Wire

/// Fetches bearer tokens.
struct TokenServer: Sendable {
    let sender: any HTTPSending
    let retry: RetryPolicy
    let logger: Logger
    let now: @Sendable () -> Date

    /// In bytes; tokens with many rights have about 10,000.
    static let largestAnswer = 1 << 20
    /// In bytes; web servers cut off a header line at 8 to 64 KiB, so a longer token could not be used.
    static let longestToken = 65_536
    /// How long a token holds whose server doesn't say (docker's "Token Authentication Specification").
    static let usualLife: TimeInterval = 60
    /// Who we are to an OAuth 2 server, which must be told.
    static let clientID = "ecr-replicate"

    /// - Returns: A whole `Authorization` value.
    /// - Throws: ``RegistryError`` of kind `unauthorized` when the server doesn't take the credentials or won't do
    ///   without; `WireError`; ``LoginError``.
    func token(
        from realm: TokenRealm,
        for scopes: [RegistryScope],
        as found: FoundCredentials
    ) async throws -> (header: String, expiresAt: Date?) {
        let request =
            switch found.credentials {
            case .identityToken(let token): realm.exchange(scopes, refreshToken: token)
            case .password, nil: realm.question(scopes, authorization: found.credentials?.basic)
            }
        return try await retry.run { _ in
            let start = now()
            let response = try await send(request)
            guard response.status == .ok else {
                throw refusal(response, to: request, found)
            }
            guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(response.body)),
                let token = answer.token ?? answer.access_token,
                token.utf8.count <= Self.longestToken, !token.isEmpty, token.utf8.allSatisfy({ $0 > 32 && $0 < 127 })
            else {
                throw RegistryError(
                    .authorize,
                    .malformedAnswer,
                    "the answer holds no token",
                    url: request.url,
                    status: response.status.code,
                    retryAdvice: .backOff
                )
            }
            return ("Bearer \(token)", start.addingTimeInterval(answer.life(at: response.fields[.date])))
        }
    }

    /// Follows redirects, as `WireRequest` allows them: credentials within their origin, https never to http.
    private func send(_ request: WireRequest) async throws -> WireResponse {
        var request = request
        for _ in 0...WireRequest.mostRedirects {
            let response = try await sender.send(request)
            logger.debug(
                "\(request.method) \(request.url)",
                metadata: [
                    "status": "\(response.status.code)", "operation": "\(RegistryError.Operation.authorize.rawValue)",
                ]
            )
            guard [301, 302, 303, 307, 308].contains(response.status.code), let location = response.fields[.location]
            else { return response }
            let next = try request.following(location)
            guard request.body.isEmpty || next.url.origin == request.url.origin else {
                throw WireError(.badRedirect, "the refresh token would go to another host", url: request.url)
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
        // OAuth 2 says 400 `invalid_grant` of a refresh token that has ended (RFC 6749, section 5.2).
        let isDoorClosed = [400, 401, 403].contains(status)
        return RegistryError(
            .authorize,
            isDoorClosed ? .unauthorized : status == 429 ? .tooManyRequests : isTemporary ? .serverFault : .other,
            "\(clipped(quote.text))\(quote.text.isEmpty ? "" : "; ")\(found.place)",
            url: request.url,
            status: status,
            codes: quote.codes.map { .init(code: clipped($0.code, to: 60), message: clipped($0.message)) },
            retryAdvice: isTemporary ? response.retryAfter.map { .wait($0) } ?? .backOff : .never
        )
    }

    private struct Answer: Decodable {
        var token: String?
        var access_token: String?
        /// In seconds.
        var expires_in: Double?
        /// RFC 3339.
        var issued_at: String?

        /// How long the token holds, from when it was asked for, in seconds.
        ///
        /// A server may hand out a token that it has issued before. Both of its times are by its own clock, so that
        /// ours may be wrong.
        func life(at date: String?) -> TimeInterval {
            let whole = expires_in.flatMap { $0.isFinite && $0 > 0 ? $0 : nil } ?? TokenServer.usualLife
            guard let issued, let date, let age = durationUntil(httpDate: date, now: issued) else { return whole }
            return max(0, whole - Double(age.components.seconds))
        }

        private var issued: Date? {
            guard var text = issued_at else { return nil }
            if let dot = text.firstIndex(of: ".") {
                let end = text[text.index(after: dot)...].firstIndex { !$0.isNumber } ?? text.endIndex
                text.removeSubrange(dot..<end)
            }
            return try? Date(text, strategy: .iso8601)
        }
    }
}
