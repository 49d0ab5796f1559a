internal import HTTPTypes
public import Wire

extension RegistryClient {
    /// Finds the scheme of a registry, unless the user wrote it.
    ///
    /// It is https, without any request. Only on loopback, https is tried, and http after it if the TLS handshake itself
    /// fails; an untrusted certificate never leads to http (docs/architecture.md#references-and-identities).
    ///
    /// - Parameters:
    ///   - authority: Host and optional port, as in an image reference.
    ///   - scheme: The scheme that the user wrote, if any.
    /// - Returns: The registry's origin.
    /// - Throws: `WireError`
    public static func probe(
        authority: String,
        scheme: HTTPURL.Scheme? = nil,
        sender: any HTTPSending
    ) async throws -> HTTPURL {
        if let scheme { return try HTTPURL("\(scheme.rawValue)://\(authority)/") }
        let secure = try HTTPURL("https://\(authority)/")
        guard secure.isLoopback else { return secure }
        do {
            _ = try await sender.send(WireRequest(.get, secure.at(path: "/v2/")))
            return secure
        } catch let error as WireError where error.reason == .handshake {
            let plain = try HTTPURL("http://\(authority)/")
            _ = try await sender.send(WireRequest(.get, plain.at(path: "/v2/")))
            return plain
        }
    }
}
