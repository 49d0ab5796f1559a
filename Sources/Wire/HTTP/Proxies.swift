internal import Content

/// The proxies for requests that leave this machine.
///
/// They are read from the environment by libcurl's rules, but once and as a value, so that tests can use any.
public struct Proxies: Sendable, Equatable {
    /// The proxy for `https`, in the form of `CURLOPT_PROXY`; it may contain a password.
    public var https: String?
    /// The proxy for plain `http`.
    public var http: String?
    /// The hosts that are reached without a proxy, in the form of `NO_PROXY`; see ``ProxyExceptions``.
    public var exceptions: String { didSet { rules = ProxyExceptions(exceptions) } }
    private var rules: ProxyExceptions

    /// Creates a configuration without proxies, except for those given.
    public init(https: String? = nil, http: String? = nil, exceptions: String = "") {
        self.https = https
        self.http = http
        self.exceptions = exceptions
        rules = ProxyExceptions(exceptions)
    }

    /// Reads the variables of a process in libcurl's order: lowercase first, and the scheme's before the one for all
    /// schemes.
    ///
    /// `HTTP_PROXY` in capitals is ignored, because a web server sets it from a client's `Proxy:` field.
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

    /// Removes the quotes, blanks and line breaks that docker's `--env-file` and pasting leave around a value.
    private static func withoutPaste(_ text: String) -> String {
        var rest = text.unicodeScalars[...]
        while let first = rest.first, first.isAroundPastes { rest.removeFirst() }
        while let last = rest.last, last.isAroundPastes { rest.removeLast() }
        return String(String.UnicodeScalarView(rest))
    }

    /// - Returns: The proxy for a request; `nil` if there is none, or the host is an exception.
    func proxy(for request: WireRequest) -> String? {
        guard !request.bypassesProxy, !rules.contain(request.url), !request.url.isLoopback,
            !Self.neverProxied.contains(request.url.host)
        else {
            return nil
        }
        return request.url.scheme == .https ? https : http
    }

    /// The hosts of metadata services: a proxy would return the keys of its own machine, or see ours.
    ///
    /// - Source: docs/facts/identity.md#container-endpoint and #instance-metadata
    private static let neverProxied: Set<String> = [
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "[fd00:ec2::254]", "[fd00:ec2::23]",
    ]

    /// A proxy's address without scheme, user and password, for messages and logs.
    static func presentable(_ proxy: String) -> String {
        var rest = proxy[...]
        if let scheme = rest.firstRange(of: "://") { rest = rest[scheme.upperBound...] }
        // This comes before cutting at a slash, which a password may contain.
        if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        return String(rest.prefix { $0 != "/" })
    }
}
