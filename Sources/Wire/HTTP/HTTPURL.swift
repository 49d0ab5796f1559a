internal import Content

/// An absolute `http` or `https` URL, parsed only as far as a client needs.
///
/// Its text is sent unchanged: a presigned URL that is decoded and encoded again no longer matches its signature. The
/// description leaves out the query, which is the secret part of a presigned URL.
public struct HTTPURL: Hashable, Sendable {
    public enum Scheme: String, Sendable { case http, https }

    public let scheme: Scheme
    /// The host in lowercase; an IPv6 address keeps its brackets.
    public let host: String
    /// The port; if the text has none, the scheme's default.
    public let port: Int
    /// The path, which begins with `/`; its percent-encoding is unchanged.
    public let path: String
    /// The query without `?`; `nil` if there is none.
    public let query: String?

    /// The longest URL, in bytes; presigned URLs with a session token have about 2,000.
    public static let longest = 16_384

    /// - Throws: ``WireError/Reason/badURL`` if the text is not such a URL, or has a user or password.
    public init(_ text: String) throws(WireError) {
        let lowered = text.prefix(8).lowercased()
        let scheme: Scheme = lowered == "https://" ? .https : .http
        let start = scheme == .https ? 8 : 7
        guard lowered.hasPrefix("http://") || lowered == "https://", text.utf8.count <= Self.longest,
            text.utf8.allSatisfy({ $0 > 32 && $0 < 127 })
        else { throw WireError(.badURL, "not an http or https address") }

        let rest = text.dropFirst(start).prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else { throw WireError(.badURL, "an address with a user or password in it") }
        let target = rest.dropFirst(authority.count)
        var name = authority
        var port = scheme == .https ? 443 : 80
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            name = authority[..<colon]
            guard let number = Int(authority[authority.index(after: colon)...]), (1...65_535).contains(number) else {
                throw WireError(.badURL, "an address with an invalid port")
            }
            port = number
        }
        guard !name.isEmpty else { throw WireError(.badURL, "an address without a host") }
        self.scheme = scheme
        self.host = name.lowercased()
        self.port = port
        let path = target.prefix { $0 != "?" }
        self.path = path.isEmpty ? "/" : String(path)
        self.query = target.contains("?") ? String(target.dropFirst(path.count + 1)) : nil
    }

    /// The host, with the port unless it is the scheme's default: the value of `Host:`, and what SigV4 signs.
    public var authority: String {
        port == (scheme == .https ? 443 : 80) ? host : "\(host):\(port)"
    }

    /// Scheme, host and port; requests to the same origin may share credentials.
    public var origin: String { "\(scheme.rawValue)://\(host):\(port)" }

    /// The whole URL with its query, for libcurl only.
    public var text: String {
        "\(scheme.rawValue)://\(authority)\(path)" + (query.map { "?\($0)" } ?? "")
    }

    /// Whether the host is this machine.
    public var isLoopback: Bool {
        host == "localhost" || host.hasSuffix(".localhost") || host == "[::1]"
            || (host.hasPrefix("127.") && host.split(separator: ".").count == 4
                && host.allSatisfy { $0.isNumber || $0 == "." })
    }

    /// Resolves a `Location` or `Link`, which may be relative, against this URL.
    ///
    /// - Throws: ``WireError/Reason/badURL``, or ``WireError/Reason/badRedirect`` for another scheme.
    public func resolving(_ reference: String) throws(WireError) -> HTTPURL {
        let lowered = reference.prefix(8).lowercased()
        if lowered.hasPrefix("http://") || lowered == "https://" { return try HTTPURL(reference) }
        let base = "\(scheme.rawValue)://\(authority)"
        // `file:///etc/passwd` is an address with another scheme, not a path.
        if let colon = reference.firstIndex(of: ":"), let first = reference.utf8.first, isLetter(first),
            reference[..<colon].utf8.allSatisfy({ isLetter($0) || (48...57).contains($0) || "+-.".utf8.contains($0) })
        {
            let shown = quotable(reference, upTo: 200)
            throw WireError(.badRedirect, "it leads to '\(shown)', which is not an http or https address", url: self)
        }
        if reference.hasPrefix("//") { return try HTTPURL("\(scheme.rawValue):\(reference)") }
        if reference.hasPrefix("/") { return try HTTPURL(base + reference) }
        if reference.hasPrefix("?") { return try HTTPURL(base + path + reference) }
        let folder = path[...(path.lastIndex(of: "/") ?? path.startIndex)]
        return try HTTPURL(base + folder + reference)
    }

    /// Returns this URL with another query item, which must be encoded already.
    public func appending(query item: String) -> HTTPURL {
        HTTPURL(self, path: path, query: query.map { $0.isEmpty ? item : "\($0)&\(item)" } ?? item)
    }

    /// Returns the URL of another path at this origin.
    public func at(path: String, query: String? = nil) -> HTTPURL {
        HTTPURL(self, path: path, query: query)
    }

    private init(_ other: HTTPURL, path: String, query: String?) {
        scheme = other.scheme
        host = other.host
        port = other.port
        self.path = path
        self.query = query
    }
}

extension HTTPURL: CustomStringConvertible, CustomDebugStringConvertible {
    /// The URL without its query, for messages and logs.
    public var description: String { "\(scheme.rawValue)://\(authority)\(path)" + (query == nil ? "" : "?…") }
    public var debugDescription: String { description }
}

private func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }
