internal import Content

/// Through whom requests leave this machine.
///
/// Taken from the environment as libcurl takes it, but once, and as a value: a test can be a machine with any proxies.
public struct Proxies: Sendable, Equatable {
    /// For `https`; as libcurl's `CURLOPT_PROXY` wants it, and maybe with a password in it.
    public var https: String?
    /// For plain `http`.
    public var http: String?
    /// The hosts that are spoken to directly, as `NO_PROXY` names them; ``ProxyExceptions`` has the rules.
    public var exceptions: String { didSet { rules = ProxyExceptions(exceptions) } }
    private var rules: ProxyExceptions

    /// None, unless they are named.
    public init(https: String? = nil, http: String? = nil, exceptions: String = "") {
        self.https = https
        self.http = http
        self.exceptions = exceptions
        rules = ProxyExceptions(exceptions)
    }

    /// What a process's variables say, in libcurl's order: lowercase first, the scheme's own before the one for all.
    ///
    /// `HTTP_PROXY` in capitals means nothing: a web server sets it to what a client's `Proxy:` field says.
    ///
    /// - Source: libcurl 7.88.1, `detect_proxy` in `lib/url.c`
    public init(environment: [String: String]) {
        func first(_ names: String...) -> String? {
            names.lazy.compactMap { environment[$0].map(Self.withoutPaste) }.first { !$0.isEmpty }
        }
        self.init(
            https: first("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"),
            http: first("http_proxy", "all_proxy", "ALL_PROXY"),
            exceptions: first("no_proxy", "NO_PROXY") ?? ""
        )
    }

    /// A value without the quotes, blanks and line breaks that docker's `--env-file` and copied lines leave around it.
    private static func withoutPaste(_ text: String) -> String {
        var rest = text.unicodeScalars[...]
        while let first = rest.first, first.isAroundPastes { rest.removeFirst() }
        while let last = rest.last, last.isAroundPastes { rest.removeLast() }
        return String(String.UnicodeScalarView(rest))
    }

    /// - Returns: `nil` where none may be used, or the host is an exception.
    func proxy(for request: WireRequest) -> String? {
        guard !request.bypassesProxy, !rules.contain(request.url), !request.url.isLoopback,
            !Self.neverProxied.contains(request.url.host)
        else {
            return nil
        }
        return request.url.scheme == .https ? https : http
    }

    /// Where machines and containers ask for their own keys; a proxy would be given its own machine's, or ours.
    ///
    /// - Source: docs/facts/identity.md#container-endpoint and #instance-metadata
    private static let neverProxied: Set<String> = [
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "[fd00:ec2::254]", "[fd00:ec2::23]",
    ]

    /// A proxy's address without its scheme, user and password: for people and logs.
    static func presentable(_ proxy: String) -> String {
        var rest = proxy[...]
        if let scheme = rest.firstRange(of: "://") { rest = rest[scheme.upperBound...] }
        // Before anything is cut at a slash, which a password may have in it.
        if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        return String(rest.prefix { $0 != "/" })
    }
}
