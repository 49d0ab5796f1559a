internal import Platform

/// A request whose head has been read.
struct IncomingRequest: Sendable {
    let method: String
    /// The path, percent-encoded as on the request line.
    let path: String
    let query: String
    /// The header fields by lowercase name; a field sent several times is joined with commas.
    let headers: [String: String]
    let keepsAlive: Bool
    /// Whether the client speaks HTTP/1.0, and must be told that the connection stays open.
    let isHTTP10: Bool
    let body: RequestBody

    /// - Parameter words: The method, target and version.
    /// - Throws: ``ConnectionCut`` when the body's length is unclear.
    init(words: [String], headers: [String: String], connection: HTTPConnection) throws {
        method = words[0]
        var headers = headers
        var target = words[1][...]
        for scheme in ["http://", "https://"] where target.hasPrefix(scheme) {
            // An absolute URL, as sent to a proxy; its host wins over a Host field (RFC 9112, 3.2.2).
            let rest = target.dropFirst(scheme.count)
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            headers["host"] = String(authority)
            target = rest.dropFirst(authority.count)
            if !target.hasPrefix("/") { target = "/" + target }
        }
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        path = parts[0]
        query = parts.count == 2 ? parts[1] : ""
        self.headers = headers
        isHTTP10 = words[2] == "HTTP/1.0"
        let options = headers["connection"]?.lowercased() ?? ""
        keepsAlive = isHTTP10 ? options.contains("keep-alive") : !options.contains("close")
        let framing: RequestBody.Framing
        if headers["transfer-encoding"]?.lowercased() == "chunked" {
            framing = .chunked
        } else if let text = headers["content-length"] {
            guard let length = Int64(text), length >= 0 else { throw ConnectionCut() }
            framing = .length(length)
        } else {
            framing = .length(0)
        }
        body = RequestBody(
            connection: connection,
            framing: framing,
            expectsContinue: headers["expect"]?.lowercased() == "100-continue"
        )
    }
}

/// A request's body that hasn't been received yet.
final class RequestBody: Sendable {
    enum Framing: Sendable {
        case length(Int64)
        case chunked
    }

    private let connection: HTTPConnection
    private let framing: Framing
    private let expectsContinue: Bool
    private let isRead = Lock(false)

    init(connection: HTTPConnection, framing: Framing, expectsContinue: Bool) {
        self.connection = connection
        self.framing = framing
        self.expectsContinue = expectsContinue
    }

    /// Calls `take` with each chunk of the body as it arrives; a second call returns at once.
    ///
    /// - Throws: ``ConnectionCut`` when the peer stops in the middle.
    func forEachChunk(dripping drip: Drip? = nil, _ take: ([UInt8]) throws -> Void) async throws {
        let wasRead = isRead.withLock { taken in
            defer { taken = true }
            return taken
        }
        if wasRead { return }
        if expectsContinue { try await connection.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
        switch framing {
        case .length(let length): try await forward(length, drip, take)
        case .chunked:
            while true {
                let line = try await connection.readLine() ?? ""
                guard let size = Int64(line.prefix { $0 != ";" }, radix: 16), size >= 0 else { throw ConnectionCut() }
                try await forward(size, drip, take)
                guard size > 0 else { break }
                _ = try await connection.readLine()
            }
            while let trailer = try await connection.readLine(), !trailer.isEmpty {}
        }
    }

    /// Waits until the peer closes the connection, without reading or answering.
    func waitForPeerToClose() async throws { try await connection.waitForPeerToClose() }

    private func forward(_ count: Int64, _ drip: Drip?, _ take: ([UInt8]) throws -> Void) async throws {
        var rest = count
        var piece = 0
        while rest > 0 {
            var bytes = try await connection.read()
            guard !bytes.isEmpty else { throw ConnectionCut() }
            let wanted = min(Int(rest), (drip?.byteCount ?? .max) - piece)
            if bytes.count > wanted {
                connection.unread(bytes[wanted...])
                bytes.removeLast(bytes.count - wanted)
            }
            rest -= Int64(bytes.count)
            try take(bytes)
            piece += bytes.count
            guard let drip, piece == drip.byteCount, rest > 0 else { continue }
            piece = 0
            try await drip.wait()
        }
    }
}

/// The size and the timing of the pieces of a body that is transferred slowly.
struct Drip: Sendable {
    /// The size of one piece, at least one byte.
    var byteCount: Int

    /// Waits until the next piece is due; a cancelled connection ends the wait.
    func wait() async throws { try await Task.sleep(for: Fault.dripInterval) }
}

/// A response as the listener sends it.
struct OutgoingResponse: Sendable {
    var status: Int
    var headers: [(name: String, value: String)]
    /// The length of the body, or for HEAD the length that it would have; `nil` where a length has no meaning.
    var contentLength: Int64?
    var body: BodyStream?

    static func phrase(_ status: Int) -> String {
        let phrases = [
            200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content",
            307: "Temporary Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
            405: "Method Not Allowed", 416: "Requested Range Not Satisfiable", 429: "Too Many Requests",
            500: "Internal Server Error", 503: "Service Unavailable",
        ]
        return phrases[status] ?? "Status"
    }
}

/// A response's body while it is sent, with the faults that change it.
struct BodyStream: Sendable {
    enum Source: Sendable {
        case bytes([UInt8])
        case blob(BlobReader, from: Int64)
    }

    /// The size of one write, in bytes: large, so that a layer takes few writes.
    static let chunkSize: Int64 = 262_144

    var source: Source
    var count: Int64
    /// The number of bytes after which the connection is cut.
    var cutAfter: Int64?
    /// The offset of a byte that is sent wrong.
    var corruptAt: Int64?
    /// The pace, for a body that is sent slowly.
    var drip: Drip?

    func reader() -> Reader { Reader(stream: self) }

    struct Reader {
        let stream: BodyStream
        private var offset: Int64 = 0

        init(stream: BodyStream) { self.stream = stream }

        var isCut: Bool { stream.cutAfter != nil }

        /// - Throws: ``ConnectionCut`` when the file has become shorter.
        mutating func next() throws -> [UInt8]? {
            let end = min(stream.count, stream.cutAfter ?? .max)
            let wanted = min(BodyStream.chunkSize, end - offset, stream.drip.map { Int64($0.byteCount) } ?? .max)
            guard wanted > 0 else { return nil }
            var chunk: [UInt8]
            switch stream.source {
            case .bytes(let bytes): chunk = Array(bytes[Int(offset)..<Int(offset + wanted)])
            case .blob(let blob, let start): chunk = try blob.read(at: start + offset, count: Int(wanted))
            }
            guard !chunk.isEmpty else { throw ConnectionCut() }
            if let corrupt = stream.corruptAt, corrupt >= offset, corrupt < offset + Int64(chunk.count) {
                chunk[Int(corrupt - offset)] ^= 0x55
            }
            offset += Int64(chunk.count)
            return chunk
        }
    }
}
