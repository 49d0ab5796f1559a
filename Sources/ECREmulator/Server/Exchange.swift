internal import Content
internal import FoundationEssentials

/// Closes the connection without an answer.
struct ConnectionCut: Error {}

/// The purpose of the port on which a request arrived.
enum PortKind: Sendable {
    case main
    case registry(RegistryKey)
    case download
}

/// One request as the emulator's APIs read it.
final class Exchange: Sendable {
    let method: String
    /// The path, percent-encoded as on the request line.
    let path: String
    let query: String
    /// The header fields, by lowercase name.
    let headers: [String: String]
    /// The number of body bytes after which a fault cuts the connection; `nil` for none.
    let bodyLimit: Int64?
    private let drip: Drip?
    private let body: RequestBody

    /// The longest message, in bytes: room for a part of 20 MiB in base64.
    static let largestMessage = 32 << 20

    init(_ request: IncomingRequest, bodyLimit: Int64? = nil, drip: Drip? = nil) {
        method = request.method
        path = request.path
        query = request.query
        headers = request.headers
        self.bodyLimit = bodyLimit
        self.drip = drip
        body = request.body
    }

    /// The query items in order, decoded; `+` is a space.
    var queryItems: [(name: String, value: String)] { Self.decodeForm(query) }

    func queryValue(_ name: String) -> String? { queryItems.first { $0.name == name }?.value }

    static func decodeForm(_ text: String) -> [(name: String, value: String)] {
        text.split(separator: "&").map { item in
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map { $0.replacing("+", with: " ").percentDecoded }
            return (pair[0], pair.count == 2 ? pair[1] : "")
        }
    }

    /// Calls `take` with each chunk of the body as it arrives.
    ///
    /// - Returns: The body's length in bytes.
    /// - Throws: ``ConnectionCut`` at the limit, after `take` has got the bytes before it.
    @discardableResult
    func forEachChunk(_ take: ([UInt8]) throws -> Void) async throws -> Int64 {
        var count: Int64 = 0
        try await body.forEachChunk(dripping: drip) { chunk in
            if let bodyLimit, count + Int64(chunk.count) > bodyLimit {
                try take(Array(chunk.prefix(Int(bodyLimit - count))))
                throw ConnectionCut()
            }
            try take(chunk)
            count += Int64(chunk.count)
        }
        return count
    }

    /// Returns the whole body of a message; a body above the limit cuts the connection.
    func message() async throws -> [UInt8] {
        var bytes: [UInt8] = []
        try await forEachChunk { chunk in
            guard bytes.count + chunk.count <= Self.largestMessage else { throw ConnectionCut() }
            bytes += chunk
        }
        return bytes
    }
}

/// One answer, before faults change it.
struct Answer: Sendable {
    enum Body: Sendable {
        case bytes([UInt8])
        /// A range of a blob, or all of it.
        case blob(Digest, range: Range<Int64>)
        /// The length that a HEAD reports for a body that it doesn't send.
        case onlyLength(Int64)

        var count: Int64 {
            switch self {
            case .bytes(let bytes): Int64(bytes.count)
            case .blob(_, let range): Int64(range.count)
            case .onlyLength: 0
            }
        }
    }

    var status: Int
    var headers: [(name: String, value: String)] = []
    var body = Body.bytes([])
    /// The error's code, for the log.
    var errorCode: String?
    var key: RegistryKey?
    var repository: String?
    var bytesIn: Int64 = 0
}
