import FlyingSocks
import Foundation

@testable import ECREmulator

/// A connection for several requests, whose answers are read by HTTP's framing.
///
/// A body where none is allowed would be read as the next answer, as by a client with a connection pool.
final class KeptConnection {
    private let socket: AsyncSocket
    private let client: PlainClient
    private var pending: [UInt8] = []

    init(_ client: PlainClient, port: UInt16? = nil) async throws {
        self.client = client
        socket = try await AsyncSocket.connected(to: .inet(ip4: "127.0.0.1", port: port ?? client.emulator.port))
    }

    deinit { try? socket.close() }

    /// The bytes received and not yet read as an answer.
    var unread: String { String(decoding: pending, as: UTF8.self) }

    /// Sends a request with a token, unless `headers` have an `Authorization`.
    func send(
        _ method: String,
        _ target: String,
        _ headers: [(String, String)] = [],
        body: [UInt8] = [],
        version: String = "HTTP/1.1"
    ) async throws -> PlainAnswer {
        var fields = headers
        func add(_ name: String, _ value: String) {
            if !fields.contains(where: { $0.0 == name }) { fields.append((name, value)) }
        }
        add("Host", client.emulator.registryHost(account: client.account, region: client.region))
        add("Authorization", "Basic " + Data("AWS:\(client.password)".utf8).base64EncodedString())
        if !headers.contains(where: { $0.0 == "Transfer-Encoding" }), method != "GET", method != "HEAD" {
            add("Content-Length", "\(body.count)")
        }
        let head = fields.filter { !$0.1.isEmpty }.map { "\($0): \($1)\r\n" }.joined()
        try await socket.write(Data("\(method) \(target) \(version)\r\n\(head)\r\n".utf8) + Data(body))
        return try await answer(to: method)
    }

    func write(_ text: String) async throws { try await socket.write(Data(text.utf8)) }

    /// Reads one answer.
    func answer(to method: String) async throws -> PlainAnswer {
        var answer = PlainAnswer()
        while true {
            if let end = Data(pending).range(of: Data("\r\n\r\n".utf8)) {
                let lines = String(decoding: pending[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
                let words = lines[0].split(separator: " ")
                guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
                    throw KeptConnectionError(description: "not the head of an answer: \(lines[0])")
                }
                pending.removeFirst(end.upperBound)
                answer.status = status
                for line in lines.dropFirst() {
                    let pair = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                    answer.headers[pair[0].lowercased()] = pair[1].trimmingCharacters(in: .whitespaces)
                }
                break
            }
            pending += try await socket.read(atMost: 4_096)
        }
        guard method != "HEAD", answer.status >= 200, answer.status != 204 else { return answer }
        let length = Int(answer.headers["content-length"] ?? "") ?? 0
        while pending.count < length { pending += try await socket.read(atMost: 65_536) }
        answer.body = Array(pending.prefix(length))
        pending.removeFirst(length)
        return answer
    }
}

struct KeptConnectionError: Error, CustomStringConvertible { var description: String }
