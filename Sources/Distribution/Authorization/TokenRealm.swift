internal import Content
internal import HTTPTypes
internal import Wire

/// A token server that a registry names and that may receive the password.
///
/// The server is trusted only if the registry itself must have named it. Over https that is certain. Over plain http any
/// host on the network may have named it, so it must be the same origin, or, on loopback, another loopback origin.
struct TokenRealm: Hashable, Sendable {
    let url: HTTPURL
    let service: String?
    /// The registry that named it.
    let registry: HTTPURL

    /// - Throws: ``LoginError``
    init(_ challenge: AuthenticationChallenge, of registry: HTTPURL) throws(LoginError) {
        let text = String(trimmed(challenge.parameters["realm"] ?? ""))
        guard let url = try? HTTPURL(text) else {
            throw LoginError(
                "\(registry.authority) names no valid URL of a token server"
                    + (text.isEmpty ? "" : ": '\(printable(text, upTo: 200))'"),
                remedy: "tell the registry's operator; if a proxy is in front of the registry, check its configuration"
            )
        }
        self.url = url
        self.registry = registry
        service = challenge.parameters["service"]
        let isTrusted =
            switch (registry.scheme, url.scheme) {
            case (.https, .https): true
            case (.https, .http): false
            case (.http, .http): url.origin == registry.origin || (registry.isLoopback && url.isLoopback)
            case (.http, .https): registry.isLoopback
            }
        guard isTrusted else {
            throw LoginError(
                "\(registry.scheme.rawValue)://\(registry.authority) sends us to \(url) for a token, which is not safe, "
                    + "so no password is sent there",
                remedy: registry.scheme == .https
                    ? "have the registry's operator name an https URL" : "use https for the registry"
            )
        }
    }
}

extension TokenRealm {
    /// Makes the request for a token, without a login or with Basic credentials.
    ///
    /// - Source: docker's registry documentation, "Token Authentication Specification", "Requesting a Token"
    func request(_ scopes: [RegistryScope], authorization: String?) -> WireRequest {
        var url = url
        for item in items(service, scopes.map(\.description)) { url = url.appending(query: item) }
        var request = WireRequest(.get, url)
        request.namedBy = registry
        request.fields[.authorization] = authorization
        return request
    }

    /// Makes the request for a token in exchange for a refresh token.
    ///
    /// - Source: docker's registry documentation, "Oauth2 Token Authentication"
    func exchange(_ scopes: [RegistryScope], refreshToken: String) -> WireRequest {
        let together = scopes.map(\.description).joined(separator: " ")
        let form =
            ["grant_type=refresh_token", "client_id=\(TokenServer.clientID)"]
            + items(service, together.isEmpty ? [] : [together])
            + ["refresh_token=\(percentEncoded(refreshToken.utf8))"]
        var request = WireRequest(
            .post,
            url,
            fields: [.contentType: "application/x-www-form-urlencoded"],
            body: Array(form.joined(separator: "&").utf8)
        )
        request.namedBy = registry
        request.secretsInBody = [refreshToken]
        return request
    }

    private func items(_ service: String?, _ scopes: [String]) -> [String] {
        (service.map { ["service=\(percentEncoded($0.utf8))"] } ?? [])
            + scopes.map { "scope=\(percentEncoded($0.utf8))" }
    }
}
