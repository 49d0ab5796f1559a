internal import FlyingSocks
internal import FoundationEssentials
internal import Glibc
internal import Platform

/// A port of this machine that serves HTTP/1.1.
///
/// FlyingFox's own server keeps only one line of a header that was sent several times, and Go's clients send one
/// `Accept` line for each type. It also can't close a connection without an answer, as ECR does. So the emulator uses
/// FlyingFox's sockets and parses HTTP itself.
struct HTTPListener: Sendable {
    /// What the listener does with a request.
    enum Outcome: Sendable {
        case answer(OutgoingResponse)
        case cut
        /// Resets the connection, as when a host crashes or a gateway loses its state: data that was sent and not yet
        /// read is lost too.
        case reset
    }

    private let socket: AsyncSocket
    let port: UInt16

    /// - Parameters:
    ///   - port: The port; 0 for any free port.
    ///   - isIPv6: Whether to listen on `::1`, which most clients try first for `localhost`.
    /// - Throws: An error when the port is taken.
    init(port: UInt16, isIPv6: Bool = false, pool: any AsyncSocketPool) throws {
        let socket = try Socket(domain: isIPv6 ? AF_INET6 : AF_INET, type: .stream)
        do {
            try socket.setValue(true, for: .localAddressReuse)
            if isIPv6 {
                try socket.bind(to: .inet6(ip6: "::1", port: port))
            } else {
                try socket.bind(to: .inet(ip4: "127.0.0.1", port: port))
            }
            try socket.listen()
            self.port =
                switch try socket.sockname() {
                case .ip4(_, let bound), .ip6(_, let bound): bound
                case .unix: throw SocketError.unsupportedAddress
                }
            self.socket = try AsyncSocket(socket: socket, pool: pool)
        } catch {
            try? socket.close()
            throw error
        }
    }

    /// Serves until the task is cancelled, and then closes every connection.
    func run(
        pool: any AsyncSocketPool,
        _ respond: @escaping @Sendable (IncomingRequest) async throws -> Outcome
    ) async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                guard let client = try? await socket.accept() else { break }
                // Without this option, a small answer on a kept connection waits for the peer's delayed
                // acknowledgement.
                try? client.socket.setValue(true, for: BoolSocketOption(level: Int32(IPPROTO_TCP), name: TCP_NODELAY))
                group.addTask {
                    await HTTPConnection(socket: client.socket, pool: pool).serve(respond)
                    try? client.close()
                }
            }
            group.cancelAll()
        }
        try? socket.close()
    }
}

/// One client's connection, with the bytes that were read and not yet used.
final class HTTPConnection: Sendable {
    /// The most bytes of one read, and so the size of a body's chunks.
    private static let readSize = 65_536
    /// The interval between two checks whether a peer without an answer is still connected.
    private static let peerInterval: Duration = .milliseconds(50)
    /// The longest request line with headers, in bytes; registry tokens have a few KB.
    private static let largestHead = 131_072

    private let socket: Socket
    private let pool: any AsyncSocketPool
    private let pending = Lock<[UInt8]>([])

    init(socket: Socket, pool: any AsyncSocketPool) {
        self.socket = socket
        self.pool = pool
    }

    func serve(_ respond: @Sendable (IncomingRequest) async throws -> HTTPListener.Outcome) async {
        do {
            while let request = try await nextRequest() {
                let response: OutgoingResponse
                switch try await respond(request) {
                case .answer(let answer): response = answer
                case .cut: return
                case .reset: return try socket.setValue(linger(l_onoff: 1, l_linger: 0), for: LingerOption())
                }
                // Any rest of the body would be taken for the next request.
                try await request.body.forEachChunk { _ in }
                try await send(response, to: request)
                guard request.keepsAlive else { return }
            }
        } catch {
            // The peer is gone, the peer doesn't speak HTTP, or the emulator stops: the error can't be reported.
        }
    }

    /// - Returns: The available bytes, at least one; empty at the end.
    func read() async throws -> [UInt8] {
        let kept = pending.withLock { bytes in
            defer { bytes = [] }
            return bytes
        }
        if !kept.isEmpty { return kept }
        while true {
            try Task.checkCancellation()
            do {
                return try socket.read(atMost: Self.readSize)
            } catch SocketError.blocked {
                try await pool.suspendSocket(socket, untilReadyFor: .read)
            } catch SocketError.disconnected {
                return []
            }
        }
    }

    /// Puts back surplus bytes for the next read.
    func unread(_ bytes: ArraySlice<UInt8>) { pending.withLock { $0 = Array(bytes) + $0 } }

    /// Waits until the peer has closed the connection, and leaves its bytes unread.
    func waitForPeerToClose() async throws {
        while try socket.getValue(for: ConnectionState()) == ConnectionState.established {
            try await Task.sleep(for: Self.peerInterval)
        }
    }

    /// Reads a line and removes its end; `nil` if the peer closed the connection before the line began.
    func readLine() async throws -> String? {
        var line: [UInt8] = []
        while true {
            let bytes = try await read()
            guard !bytes.isEmpty else {
                if line.isEmpty { return nil }
                throw ConnectionCut()
            }
            guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
                line += bytes
                guard line.count <= Self.largestHead else { throw ConnectionCut() }
                continue
            }
            line += bytes[..<end]
            unread(bytes[(end + 1)...])
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            return String(decoding: line, as: UTF8.self)
        }
    }

    func write(_ bytes: [UInt8]) async throws {
        let data = Data(bytes)
        var sent = data.startIndex
        while sent < data.endIndex {
            do {
                sent = try socket.write(data, from: sent)
            } catch SocketError.blocked {
                try await pool.suspendSocket(socket, untilReadyFor: .write)
            }
        }
    }

    private func nextRequest() async throws -> IncomingRequest? {
        let bytes = try await read()
        guard let first = bytes.first else { return nil }
        unread(bytes[...])
        guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else {
            // A client that tries TLS first must see that this is HTTP, or it doesn't fall back to HTTP.
            try await write(Array("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".utf8))
            return nil
        }
        guard let line = try await readLine() else { return nil }
        let words = line.split(separator: " ").map(String.init)
        guard words.count == 3, words[2].hasPrefix("HTTP/1.") else { throw ConnectionCut() }
        var headers: [String: String] = [:]
        var size = line.utf8.count
        while let field = try await readLine(), !field.isEmpty {
            size += field.utf8.count
            guard size <= Self.largestHead, let colon = field.firstIndex(of: ":") else { throw ConnectionCut() }
            let name = field[..<colon].lowercased()
            let value = field[field.index(after: colon)...].trimmingPrefix { $0 == " " || $0 == "\t" }
            headers[name] = headers[name].map { "\($0),\(value)" } ?? String(value)
        }
        return try IncomingRequest(words: words, headers: headers, connection: self)
    }

    private func send(_ response: OutgoingResponse, to request: IncomingRequest) async throws {
        var head = "HTTP/1.1 \(response.status) \(OutgoingResponse.phrase(response.status))\r\n"
        for header in response.headers { head += "\(header.name): \(header.value)\r\n" }
        if let length = response.contentLength { head += "Content-Length: \(length)\r\n" }
        if !request.keepsAlive { head += "Connection: close\r\n" }
        if request.keepsAlive, request.isHTTP10 { head += "Connection: keep-alive\r\n" }
        head += "\r\n"
        var output = Array(head.utf8)
        // The first bytes of the body are sent with the head, in one packet if they fit.
        var body = response.body?.reader()
        while let chunk = try body?.next() {
            if output.isEmpty { try await response.body?.drip?.wait() }
            try await write(output.isEmpty ? chunk : output + chunk)
            output = []
        }
        if !output.isEmpty { try await write(output) }
        if body?.isCut == true { throw ConnectionCut() }
    }
}

/// Sets what happens to a connection's unsent bytes when it is closed.
private struct LingerOption: SocketOption {
    var name: Int32 { SO_LINGER }

    func makeValue(from socketValue: linger) -> linger { socketValue }
    func makeSocketValue(from value: linger) -> linger { value }
}

/// Reads the state of a TCP connection: the first byte of `struct tcp_info`, tcp(7).
private struct ConnectionState: SocketOption {
    static let established: UInt8 = 1

    var level: Int32 { Int32(IPPROTO_TCP) }
    var name: Int32 { TCP_INFO }

    func makeValue(from socketValue: UInt8) -> UInt8 { socketValue }
    func makeSocketValue(from value: UInt8) -> UInt8 { value }
}
