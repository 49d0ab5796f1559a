internal import Content
internal import HTTPTypes
internal import Wire

/// The token server that a registry names, if it is allowed.
///
/// The stored password goes to this server, so it is accepted only if the registry itself must have named it. Over
/// https that is so. Over plain http anyone on the network may have named it, so it must be the same origin, or, on
/// loopback, another loopback origin.
struct TokenRealm: Hashable, Sendable {
    let url: HTTPURL
    let service: String?
    /// The registry that named it.
    let registry: HTTPURL

    /// - Throws: ``LoginError``
    init(_ challenge: AuthenticationChallenge, of registry: HTTPURL) throws(LoginError) {
        let text = trimmed(challenge.parameters["realm"] ?? "")
        guard let url = try? HTTPURL(text) else {
            throw LoginError(
                "\(registry.authority) names no address that tokens could be had from"
                    + (text.isEmpty ? "" : ", but '\(printable(text, upTo: 200))'"),
                remedy: "this is the registry's fault; if there is a proxy in front of it, look at its configuration"
            )
        }
        self.url = url
        self.registry = registry
        service = challenge.parameters["service"]
        let isBelieved =
            switch (registry.scheme, url.scheme) {
            case (.https, .https): true
            case (.https, .http): false
            case (.http, .http): url.origin == registry.origin || (registry.isLoopback && url.isLoopback)
            case (.http, .https): registry.isLoopback
            }
        guard isBelieved else {
            throw LoginError(
                "\(registry.scheme.rawValue)://\(registry.authority) sends us to \(url) for a token, which is not safe: "
                    + "no password goes there",
                remedy: registry.scheme == .https
                    ? "the registry must name an https address" : "speak to the registry over https"
            )
        }
    }
}

extension TokenRealm {
    /// The request for a token, without a login or with Basic credentials.
    ///
    /// - Source: docker's registry documentation, "Token Authentication Specification", "Requesting a Token"
    func question(_ scopes: [RegistryScope], authorization: String?) -> WireRequest {
        var url = url
        for item in items(service, scopes.map(\.description)) { url = url.appending(query: item) }
        var request = WireRequest(.get, url)
        request.namedBy = registry
        request.fields[.authorization] = authorization
        return request
    }

    /// The request for a token in exchange for a refresh token.
    ///
    /// - Source: docker's registry documentation, "Oauth2 Token Authentication"
    func exchange(_ scopes: [RegistryScope], refreshToken: String) -> WireRequest {
        let together = scopes.map(\.description).joined(separator: " ")
        let form =
            ["grant_type=refresh_token", "client_id=\(TokenServer.clientID)"]
            + items(service, together.isEmpty ? [] : [together])
            + ["refresh_token=\(queryEncoded(refreshToken))"]
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
        (service.map { ["service=\(queryEncoded($0))"] } ?? []) + scopes.map { "scope=\(queryEncoded($0))" }
    }
}

/// Percent-encodes all but unreserved characters (RFC 3986, section 2.3), slashes and colons included.
func queryEncoded(_ text: String) -> String {
    var encoded = ""
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            encoded.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            let hex = String(byte, radix: 16, uppercase: true)
            encoded += hex.count == 1 ? "%0\(hex)" : "%\(hex)"
        }
    }
    return encoded
}
