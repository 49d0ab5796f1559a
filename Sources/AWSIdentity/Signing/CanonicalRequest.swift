internal import Content
internal import HTTPTypes
internal import Wire

/// The canonical form of a request, which both client and service hash.
///
/// - Source: docs/facts/signing.md#steps
struct CanonicalRequest {
    let text: String
    /// The names of the signed fields: lowercase, sorted, joined by semicolons.
    let signedHeaders: String

    /// Fields that proxies and HTTP libraries add, change or drop in transit.
    private static let unsigned: Set<String> = [
        "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id", "authorization", "host",
    ]

    init(_ request: WireRequest) {
        self.init(
            method: request.method.rawValue,
            path: request.url.path,
            query: request.url.query,
            host: request.url.authority,
            fields: request.fields,
            bodyHash: request.content.sha256Hex
        )
    }

    /// - Parameters:
    ///   - path: The path as sent; its percent-encoding is encoded once more, as all services but S3 require.
    ///   - query: The query as sent, without `?`.
    init(method: String, path: String, query: String?, host: String, fields: HTTPFields, bodyHash: String) {
        var headers: [String: String] = ["host": host]
        for field in fields where !Self.unsigned.contains(field.name.canonicalName) {
            let value = Self.collapsed(field.value)
            headers[field.name.canonicalName, default: ""] +=
                headers[field.name.canonicalName] == nil ? value : ",\(value)"
        }
        let names = headers.keys.sorted()
        signedHeaders = names.joined(separator: ";")
        let lines = names.map { "\($0):\(headers[$0] ?? "")\n" }.joined()
        text = [method, Self.path(path), Self.query(query), lines, signedHeaders, bodyHash].joined(separator: "\n")
    }

    /// Removes dot segments and doubled slashes, then percent-encodes the path.
    private static func path(_ path: String) -> String {
        var segments: [Substring] = []
        for segment in path.split(separator: "/") where segment != "." {
            if segment == ".." {
                _ = segments.popLast()
            } else {
                segments.append(segment)
            }
        }
        let isFolder = path.hasSuffix("/")
        let joined = "/" + segments.joined(separator: "/")
        return percentEncoded(
            Array((isFolder && joined != "/" ? joined + "/" : joined).utf8),
            keeping: UInt8(ascii: "/")
        )
    }

    /// Sorts the parameters by encoded name, then by encoded value.
    private static func query(_ query: String?) -> String {
        guard let query, !query.isEmpty else { return "" }
        let pairs = query.split(separator: "&").map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (
                name: percentEncoded(percentDecoded(parts[0])),
                value: parts.count == 2 ? percentEncoded(percentDecoded(parts[1])) : ""
            )
        }
        return
            pairs
            .sorted { $0.name == $1.name ? $0.value < $1.value : $0.name < $1.name }
            .map { "\($0.name)=\($0.value)" }
            .joined(separator: "&")
    }

    /// Trims a value and replaces every run of white space inside it by one space.
    private static func collapsed(_ value: String) -> String {
        value.split { $0 == " " || $0 == "\t" || $0.isNewline }.joined(separator: " ")
    }
}
