import Content
import Foundation
import HTTPTypes
import Platform
import TestPrograms
import Wire

/// Bytes that don't repeat within a ring, so that a misplaced byte is detected.
func sampleBytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15
    var words = [UInt64](repeating: 0, count: count / 8 + 1)
    for index in words.indices {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        words[index] = state ^ (state >> 29)
    }
    return words.withUnsafeBytes { Array($0.prefix(count)) }
}

extension RelayRequest {
    /// Creates a relay of `bytes` from `/blob` at one server to `/upload` at others.
    init(
        _ bytes: [UInt8],
        from source: ScriptedServer,
        to destinations: ScriptedServer...,
        progress: (@Sendable (Int) -> Void)? = nil
    ) throws {
        self.init(
            source: .request(WireRequest(.get, try HTTPURL(source.url("/blob?secret=1")))),
            sinks: try destinations.map { .request(WireRequest(.put, try HTTPURL($0.url("/upload?secret=2")))) },
            digest: Digest(of: bytes),
            size: Int64(bytes.count),
            progress: { _, count in progress?(count) }
        )
    }

    /// The source's request; `nil` if the source is not a server.
    var from: WireRequest? {
        get { if case .request(let request) = source { request } else { nil } }
        set { if let newValue { source = .request(newValue) } }
    }

    /// The first sink's request; `nil` if the sink is not a server.
    var to: WireRequest? {
        get { if case .request(let request)? = sinks.first { request } else { nil } }
        set { if let newValue { sinks[0] = .request(newValue) } }
    }
}

extension Transport {
    /// Runs a relay with one sink and returns its outcome.
    func relayOne(_ request: RelayRequest) async throws -> RelayOutcome {
        try await relay(request)[0].get()
    }
}

extension TransportConfiguration {
    /// A configuration with short stall and commit limits.
    static func impatient(_ limit: Duration) -> TransportConfiguration {
        TransportConfiguration(stallLimit: limit, commitLimit: limit)
    }
}

/// The bodies that a destination server has received, complete or not.
final class Received: Sendable {
    private let bodies = Lock<[[UInt8]]>([])
    private let most = Lock(0)

    var all: [[UInt8]] { bodies.withLock { $0 } }
    /// The most bytes that arrived of one body, complete or not.
    var largest: Int { most.withLock { $0 } }

    func add(_ body: [UInt8]) { bodies.withLock { $0.append(body) } }
    func heard(_ count: Int) { most.withLock { $0 = max($0, count) } }

    /// A script that accepts any number of uploads on one connection.
    var script: ScriptedServer.Script {
        { connection in
            while true {
                let head = try connection.readHead()
                var body: [UInt8] = []
                while body.count < head.contentLength {
                    body += try connection.read(min(65_536, head.contentLength - body.count))
                    self.heard(body.count)
                }
                self.add(body)
                try connection.answer("201 Created", ["Location: /stored"])
            }
        }
    }
}

/// A script that answers every request with `bytes`, on a connection that is kept alive.
func serving(_ bytes: [UInt8]) -> ScriptedServer.Script {
    { connection in
        while true {
            _ = try connection.readHead()
            try connection.answer("200 OK", [], bytes)
        }
    }
}

extension HTTPField.Name {
    /// A field name from a test.
    static func named(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { fatalError("\(text) is not a field name") }
        return name
    }
}

extension HTTPRequest.Method {
    static func named(_ text: String) -> HTTPRequest.Method {
        guard let method = HTTPRequest.Method(text) else { fatalError("\(text) is not a method") }
        return method
    }
}

/// Runs `body` with a source and a destination, and stops both afterwards.
func withServers<Result>(
    _ source: @escaping ScriptedServer.Script,
    _ destination: @escaping ScriptedServer.Script,
    _ body: (_ source: ScriptedServer, _ destination: ScriptedServer) async throws -> Result
) async throws -> Result {
    try await withServer(source) { source in
        try await withServer(destination) { destination in try await body(source, destination) }
    }
}

extension RelayOutcome {
    var stored: WireResponse? { if case .stored(let answer) = self { answer } else { nil } }
    var sourceAnswered: WireResponse? { if case .sourceAnswered(let answer) = self { answer } else { nil } }
    var destinationAnswered: WireResponse? {
        if case .destinationAnswered(let answer) = self { answer } else { nil }
    }
}

/// An event that one thread fires once, and for which a test waits.
final class Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func fire() { continuation.finish() }
    func wait() async { for await _ in stream {} }
}

/// The error that `body` throws, if it is a ``WireError``.
func wireError<Result>(_ body: () async throws -> Result) async -> WireError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? WireError
    }
}

/// A name that can't be resolved by any resolver: a label has at most 63 bytes.
func unresolvableName() -> String { String(repeating: "x", count: 64) + ".invalid" }
