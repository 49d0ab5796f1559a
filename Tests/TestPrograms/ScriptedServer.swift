import Foundation
import Glibc
import Platform

/// A TCP server on loopback that runs a script for each connection, well-behaved or not.
///
/// Each connection has a thread and a blocking socket, so that a script reads like the bytes on the wire. Sockets time
/// out after ten seconds, so that a broken test ends.
public final class ScriptedServer: Sendable {
    public typealias Script = @Sendable (Connection) throws -> Void

    public let port: Int
    private let listener: CInt
    private let open = Lock<[CInt]>([])
    private let accepted = Lock(0)

    public init(_ script: @escaping Script) throws {
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && listen(listener, 256) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        guard listener >= 0, bound else { throw SocketFailure(errno) }
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [listener, open, accepted] in
            while true {
                let peer = accept(listener, nil, nil)
                guard peer >= 0 else {
                    // The descriptor is closed only here, where no thread waits for it, because another socket may get
                    // its number at once.
                    close(listener)
                    return
                }
                _ = fcntl(peer, F_SETFD, FD_CLOEXEC)
                accepted.withLock { $0 += 1 }
                open.withLock { $0.append(peer) }
                Thread.detachNewThread {
                    let connection = Connection(peer)
                    try? script(connection)
                    open.withLock { sockets in
                        sockets.removeAll { $0 == peer }
                        close(peer)
                    }
                }
            }
        }
    }

    public var connectionCount: Int { accepted.withLock { $0 } }

    public func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    /// Ends every connection, and with it every waiting script.
    public func stop() {
        shutdown(listener, CInt(SHUT_RDWR))
        open.withLock { sockets in for socket in sockets { shutdown(socket, CInt(SHUT_RDWR)) } }
    }
}

public struct SocketFailure: Error {
    public let code: CInt
    public init(_ code: CInt) { self.code = code }
}

/// Runs `body` with a server, and stops the server afterwards.
public func withServer<Result>(
    _ script: @escaping ScriptedServer.Script,
    _ body: (ScriptedServer) async throws -> Result
) async throws -> Result {
    let server = try ScriptedServer(script)
    defer { server.stop() }
    return try await body(server)
}

/// The head of a request as received, and the bytes after it that were read with it.
public struct ReceivedHead {
    public let line: String
    public let fields: [String]

    public var method: String { String(line.prefix { $0 != " " }) }
    public var path: String { String(line.split(separator: " ")[1]) }

    /// Returns the value of a field; `nil` if it wasn't sent.
    public subscript(name: String) -> String? {
        fields.first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
            .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
    }

    public var contentLength: Int { self["Content-Length"].flatMap { Int($0) } ?? 0 }
}

/// One accepted connection, with its script.
public final class Connection {
    private let socket: CInt
    private var pending: [UInt8] = []

    init(_ socket: CInt) {
        self.socket = socket
        // On a busy machine there may be a long pause between two requests; the suite's time limit ends a test that
        // hangs.
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(socket, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// - Throws: ``SocketFailure`` if the client has closed the connection.
    public func readHead() throws -> ReceivedHead {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let range = pending.firstRange(of: end) {
                let lines = String(decoding: pending[..<range.lowerBound], as: UTF8.self)
                    .components(separatedBy: "\r\n")
                pending.removeSubrange(..<range.upperBound)
                return ReceivedHead(line: lines[0], fields: Array(lines.dropFirst()))
            }
            pending += try readSome()
        }
    }

    /// Reads exactly `count` bytes.
    public func read(_ count: Int) throws -> [UInt8] {
        while pending.count < count { pending += try readSome() }
        defer { pending.removeFirst(count) }
        return Array(pending.prefix(count))
    }

    /// Reads until the client closes or resets the connection, and returns the number of bytes.
    public func readToEnd(_ heard: (Int) -> Void = { _ in }) -> Int {
        var total = pending.count
        heard(total)
        while let some = try? readSome() {
            total += some.count
            heard(total)
        }
        return total
    }

    private func readSome() throws -> [UInt8] {
        var failure: CInt = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { room, count in
            let moved = recv(socket, room.baseAddress, room.count, 0)
            if moved <= 0 { failure = moved == 0 ? -1 : errno }
            count = max(moved, 0)
        }
        guard failure == 0 else { throw SocketFailure(failure) }
        return bytes
    }

    public func send(_ text: String) throws { try send(Array(text.utf8)) }

    public func send(_ bytes: some Collection<UInt8>) throws {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let moved = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard moved > 0 else { throw SocketFailure(errno) }
            rest = rest.dropFirst(moved)
        }
    }

    /// Sends a whole answer with its `Content-Length`.
    public func answer(_ status: String, _ fields: [String] = [], _ body: some Collection<UInt8> = []) throws {
        try send(
            (["HTTP/1.1 \(status)", "Content-Length: \(body.count)"] + fields).joined(separator: "\r\n")
                + "\r\n\r\n"
        )
        try send(body)
    }

    public func answer(_ status: String, text: String) throws { try answer(status, [], Array(text.utf8)) }

    /// Waits for the client to close the connection, and drops the bytes that it sends.
    public func stall() { _ = readToEnd() }

    /// Reads nothing until the server is stopped or the client resets the connection.
    public func waitForStop() {
        var watched = pollfd(fd: socket, events: 0, revents: 0)
        poll(&watched, 1, 10_000)
    }

    /// Waits, for the script of a slow server; no test waits for this to end.
    public func wait(milliseconds: CInt) { poll(nil, 0, milliseconds) }

    /// Forwards bytes both ways between the client and a server on loopback, until either of them closes.
    public func tunnel(to port: Int) throws {
        let server = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        defer { close(server) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                connect(server, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw SocketFailure(errno) }
        let far = Connection(server)
        try far.send(pending)
        pending = []
        var watched = [
            pollfd(fd: socket, events: Int16(POLLIN), revents: 0),
            pollfd(fd: server, events: Int16(POLLIN), revents: 0),
        ]
        while poll(&watched, 2, 10_000) > 0 {
            if watched[0].revents != 0 { try far.send(try readSome()) }
            if watched[1].revents != 0 { try send(try far.readSome()) }
        }
    }

    /// Makes the connection end with a reset instead of an orderly close.
    public func resetWhenClosed() {
        var hard = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
    }
}
