internal import HTTPTypes
public import Wire

extension RegistryClient {
    /// Finds out how a registry is spoken to, as far as nobody said.
    ///
    /// https, with no request made. Only on loopback it is tried, and http after it where TLS itself can't be agreed
    /// on; a certificate that isn't trusted never leads to http (docs/architecture.md#references-and-identities).
    ///
    /// - Parameters:
    ///   - authority: Host and optional port, as in an image reference.
    ///   - scheme: What the user wrote, if anything.
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
