import Content
import FlyingSocks
import Foundation

@testable import ECREmulator

/// An answer, byte for byte; `status` is 0 if the connection was closed without an answer.
struct PlainAnswer: Sendable {
    var status = 0
    /// The header fields, by lowercase name.
    var headers: [String: String] = [:]
    var body: [UInt8] = []

    var text: String { String(decoding: body, as: UTF8.self) }

    /// Returns the value at a path of member names and indexes.
    func json(_ path: String...) throws -> String? {
        var value: Any? = try JSONSerialization.jsonObject(with: Data(body), options: .fragmentsAllowed)
        for name in path {
            if let index = Int(name), let list = value as? [Any] {
                value = list.indices.contains(index) ? list[index] : nil
            } else {
                value = (value as? [String: Any])?[name]
            }
        }
        return value.map { "\($0)" }
    }

    /// Returns the text in the last element with this name.
    func element(_ name: String) -> String {
        String(text.components(separatedBy: "<\(name)>").last?.components(separatedBy: "<").first ?? "")
    }

    /// The keys in an answer from STS.
    var session: (id: String, secret: String, token: String) {
        (element("AccessKeyId"), element("SecretAccessKey"), element("SessionToken"))
    }

    /// The code of an API fault or of a registry's first error.
    var code: String? { get throws { try json("__type") ?? json("errors", "0", "code") } }
}

/// A client with one HTTP/1.1 request for each connection.
///
/// It doesn't interpret answers, so that tests see the server's bytes.
struct PlainClient: Sendable {
    let emulator: Emulator
    var account = ECREmulatorTests.account
    var region = ECREmulatorTests.region
    /// The password for the registry's Basic authentication.
    var password = ""
    /// The host with which requests address the API; `nil` for the emulator's own address.
    var host: String?

    func send(
        _ method: String,
        _ target: String,
        port: UInt16? = nil,
        _ headers: [(String, String)] = [],
        body: [UInt8] = []
    ) async throws -> PlainAnswer {
        let socket = try await AsyncSocket.connected(to: .inet(ip4: "127.0.0.1", port: port ?? emulator.port))
        defer { try? socket.close() }
        var head = "\(method) \(target) HTTP/1.1\r\nConnection: close\r\n"
        if !headers.contains(where: { $0.0 == "Host" }) { head += "Host: 127.0.0.1:\(port ?? emulator.port)\r\n" }
        if !headers.contains(where: { $0.0 == "Content-Length" || $0.0 == "Transfer-Encoding" }) {
            head += "Content-Length: \(body.count)\r\n"
        }
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        do {
            try await socket.write(Data("\(head)\r\n".utf8) + Data(body))
        } catch SocketError.disconnected {
            // The server has cut the connection; bytes that it sent before can still be read.
        }
        return try await answer(from: socket)
    }

    private func answer(from socket: AsyncSocket) async throws -> PlainAnswer {
        var bytes: [UInt8] = []
        do {
            while true { bytes += try await socket.read(atMost: 4_096) }
        } catch is SocketError {}
        guard let end = Data(bytes).range(of: Data("\r\n\r\n".utf8)) else { return PlainAnswer() }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        var answer = PlainAnswer()
        answer.status = Int(lines[0].split(separator: " ")[1]) ?? 0
        for line in lines.dropFirst() {
            let pair = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            answer.headers[pair[0].lowercased()] = pair[1].trimmingCharacters(in: .whitespaces)
        }
        answer.body = Array(bytes[end.upperBound...])
        return answer
    }

    /// Sends one signed call of the API.
    func call(
        _ operation: String,
        _ body: String = "{}",
        session: (id: String, secret: String, token: String)? = nil,
        at time: Date? = nil
    ) async throws -> PlainAnswer {
        let key = EmulatorConfiguration.Account(id: account)
        let headers = signed(
            service: "ecr",
            body,
            [
                "content-type": "application/x-amz-json-1.1",
                "x-amz-target": "AmazonEC2ContainerRegistry_V20150921.\(operation)",
            ],
            session ?? (key.accessKeyID, key.secretAccessKey, ""),
            time ?? emulator.aws.now
        )
        return try await send("POST", "/", headers, body: Array(body.utf8))
    }

    func sts(_ form: String, session: (id: String, secret: String, token: String)? = nil) async throws -> PlainAnswer {
        let key = EmulatorConfiguration.Account(id: account)
        let headers = signed(
            service: "sts",
            form,
            ["content-type": "application/x-www-form-urlencoded; charset=utf-8"],
            session ?? (key.accessKeyID, key.secretAccessKey, ""),
            emulator.aws.now
        )
        return try await send("POST", "/", headers, body: Array(form.utf8))
    }

    private func signed(
        service: String,
        _ body: String,
        _ fields: [String: String],
        _ key: (id: String, secret: String, token: String),
        _ time: Date
    ) -> [(String, String)] {
        var headers = fields
        headers["host"] = host ?? "127.0.0.1:\(emulator.port)"
        headers["x-amz-date"] = Instant.basic(time)
        if !key.token.isEmpty { headers["x-amz-security-token"] = key.token }
        let names = headers.keys.sorted()
        let request = SignedRequest(
            method: "POST",
            path: "/",
            query: "",
            headers: headers,
            bodyHash: sha256Hex(body.utf8)
        )
        var claim = SignedRequest.Claim(
            accessKeyID: key.id,
            day: String(Instant.basic(time).prefix(8)),
            region: region,
            service: service,
            signedHeaders: names,
            signature: ""
        )
        claim.signature = request.signature(for: claim, secret: key.secret)
        headers["host"] = nil
        if let host { headers["Host"] = host }
        headers["authorization"] =
            "AWS4-HMAC-SHA256 Credential=\(key.id)/\(claim.scope), SignedHeaders=\(names.joined(separator: ";")), "
            + "Signature=\(claim.signature)"
        return headers.map { ($0.key, $0.value) }
    }

    /// Gets a token for the registries of the region, and uses it from then on.
    mutating func logIn(session: (id: String, secret: String, token: String)? = nil) async throws {
        let answer = try await call("GetAuthorizationToken", session: session)
        let token = try answer.json("authorizationData", "0", "authorizationToken") ?? ""
        let text = String(decoding: Data(base64Encoded: token) ?? Data(), as: UTF8.self)
        password = String(text.dropFirst(4))
    }

    /// Sends a request to the registry, with the registry's host name.
    func registry(
        _ method: String,
        _ path: String,
        _ headers: [(String, String)] = [],
        body: [UInt8] = []
    ) async throws -> PlainAnswer {
        let usual = ("Host", emulator.registryHost(account: account, region: region))
        let named = headers.first { $0.0 == "Host" } ?? usual
        let rest = headers.filter { $0.0 != "Host" }
        let basic = ("Authorization", "Basic " + Data("AWS:\(password)".utf8).base64EncodedString())
        return try await send(method, path, [named] + (password.isEmpty ? [] : [basic]) + rest, body: body)
    }

    /// Requests an absolute URL with these headers only.
    func follow(_ url: String, method: String = "GET", _ headers: [(String, String)] = []) async throws -> PlainAnswer {
        let parts = URLComponents(string: url)
        let query = parts?.percentEncodedQuery.map { "?\($0)" } ?? ""
        return try await send(method, (parts?.path ?? "") + query, port: UInt16(parts?.port ?? 0), headers)
    }
}

/// A clock that stands still until a test moves it.
final class HandClock: @unchecked Sendable {
    private let lock = NSLock()
    private var time = noon

    var now: Date { lock.withLock { time } }

    func advance(_ seconds: Double) { lock.withLock { time += seconds } }
}

/// Runs `body` with an emulator that has `team/app`, and with a client that is logged in to its registry.
func withClient(
    _ configuration: EmulatorConfiguration = EmulatorConfiguration(),
    _ body: (Emulator, PlainClient) async throws -> Void
) async throws {
    try await withEmulator(configuration) { emulator in
        try emulator.createRepository(account: account, region: region, "team/app")
        var client = PlainClient(emulator: emulator)
        try await client.logIn()
        emulator.clearRequests()
        try await body(emulator, client)
    }
}

extension Emulator {
    /// Stores an image in `team/app` of the first account.
    @discardableResult
    func seedApp(_ image: SeedImage, tag: String? = nil) throws -> Digest {
        try seed(image, tag: tag, account: account, region: region, repository: "team/app")
    }
}
