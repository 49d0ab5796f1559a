internal import Content
internal import Wire

/// The URL of a registry when the API's endpoint is overridden.
///
/// - Source: docs/architecture.md#references-and-identities
enum RegistryHost {
    /// - Throws: `WireError` with the reason `badURL`.
    static func url(proxyEndpoint: String, for host: ECRHost, apiEndpoint: HTTPURL) throws -> HTTPURL {
        guard !proxyEndpoint.isEmpty else {
            throw WireError(.badURL, "\(apiEndpoint) names no registry in proxyEndpoint")
        }
        let proxy = try HTTPURL(proxyEndpoint.contains("://") ? proxyEndpoint : "https://\(proxyEndpoint)")
        if let named = try? ECRHost(authority: proxy.authority) {
            guard named.region == host.region else {
                throw WireError(
                    .badURL,
                    "\(apiEndpoint) was asked for region \(host.region) and named a registry in \(named.region)"
                )
            }
            guard named.localAuthority != nil || !apiEndpoint.isLoopback else {
                throw WireError(
                    .badURL,
                    "\(apiEndpoint) is on this machine but names \(proxy.host), which is AWS: its token is not sent there"
                )
            }
        }
        var labels = proxy.authority.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if let first = labels.first, (try? AccountID(parsing: first)) != nil { labels[0] = host.account.value }
        return try HTTPURL("\(proxy.scheme.rawValue)://\(labels.joined(separator: "."))")
    }
}
