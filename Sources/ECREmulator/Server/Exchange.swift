internal import Content
internal import FoundationEssentials

/// The connection is to be cut without an answer.
struct ConnectionCut: Error {}

/// Which port a request came in by.
enum Door: Sendable {
    case main
    case registry(RegistryKey)
    case download
}

/// One request, in the emulator's terms.
final class Exchange: Sendable {
    let door: Door
    let method: String
    /// Percent-encoded, as on the request line.
    let path: String
    let query: String
    /// Lowercase names.
    let headers: [String: String]
    /// After how many bytes of the request's body to cut, if that was ordered.
    let bodyLimit: Int64?
    private let drip: Drip?
    private let body: RequestBody

    /// In bytes; a part of 20 MiB in base64, and room around it.
    static let largestMessage = 32 << 20

    init(_ request: IncomingRequest, door: Door, bodyLimit: Int64? = nil, drip: Drip? = nil) {
        self.door = door
        method = request.method
        path = request.path
        query = request.query
        headers = request.headers
        self.bodyLimit = bodyLimit
        self.drip = drip
        body = request.body
    }

    /// Query items in order, decoded; `+` is a space.
    var queryItems: [(name: String, value: String)] { Self.decodeForm(query) }

    func queryValue(_ name: String) -> String? { queryItems.first { $0.name == name }?.value }

    static func decodeForm(_ text: String) -> [(name: String, value: String)] {
        text.split(separator: "&").map { item in
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map { $0.replacing("+", with: " ").percentDecoded }
            return (pair[0], pair.count == 2 ? pair[1] : "")
        }
    }

    /// Hands on the body as it arrives.
    ///
    /// - Returns: Its length in bytes.
    /// - Throws: ``ConnectionCut`` at the ordered place, after what came before it was handed on.
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

    /// The whole body of a message; anything larger is no message.
    func message() async throws -> [UInt8] {
        var bytes: [UInt8] = []
        try await forEachChunk { chunk in
            guard bytes.count + chunk.count <= Self.largestMessage else { throw ConnectionCut() }
            bytes += chunk
        }
        return bytes
    }
}

/// One answer, before faults have been at it.
struct Answer: Sendable {
    enum Body: Sendable {
        case bytes([UInt8])
        /// A part of a blob, or all of it.
        case blob(Digest, range: Range<Int64>)
        /// What a HEAD says of a body it doesn't send.
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
    /// For the log.
    var errorCode: String?
    var key: RegistryKey?
    var repository: String?
    var bytesIn: Int64 = 0
}
