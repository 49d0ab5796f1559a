import Content
import Foundation
import HTTPTypes
import Testing

@testable import Wire

@Suite("Trusting a server", .timeLimit(.minutes(1)))
struct TrustTests {
    @Test("refuses a certificate that nobody vouches for, and takes it when the user does")
    func selfSigned() async throws {
        try await withTLSServer { server in
            let request = WireRequest(.get, try HTTPURL("https://127.0.0.1:\(server.port)/blob?secret"))
            try await withTransport { transport in
                let error = await wireError { try await transport.send(request) }
                #expect(error?.reason == .certificate)
                #expect(error?.retryAdvice == .never)
                #expect(error.map { "\($0)" }?.contains("secret") == false)
            }
            try await withTransport(TransportConfiguration(caBundle: server.certificate)) { transport in
                var named = request
                named.url = try HTTPURL("https://127.0.0.1:\(server.port)/blob")
                #expect(try await transport.send(named).body == server.bytes)
                let other = WireRequest(.get, try HTTPURL("https://other.localhost:\(server.port)/blob"))
                #expect(await wireError { try await transport.send(other) }?.reason == .certificate)
            }
        }
    }

    @Test("says so when the bundle of certificates can't be read")
    func noBundle() async throws {
        try await withTLSServer { server in
            try await withTransport(TransportConfiguration(caBundle: "/no/such/bundle")) { transport in
                let request = WireRequest(.get, try HTTPURL("https://127.0.0.1:\(server.port)/blob"))
                #expect(await wireError { try await transport.send(request) }?.reason == .certificate)
            }
        }
    }

    @Test("relays from https to another server")
    func relay() async throws {
        let received = Received()
        try await withTLSServer { server in
            try await withServer(received.script) { destination in
                try await withTransport(TransportConfiguration(caBundle: server.certificate)) { transport in
                    let request = RelayRequest(
                        source: WireRequest(.get, try HTTPURL("https://127.0.0.1:\(server.port)/blob")),
                        destination: WireRequest(.put, try HTTPURL(destination.url())),
                        digest: Digest(of: server.bytes),
                        size: Int64(server.bytes.count)
                    )
                    #expect(try await transport.relay(request).stored != nil)
                    #expect(received.all == [server.bytes])
                }
            }
        }
    }
}

/// `openssl s_server`, serving one file named `blob` under a certificate made for the occasion.
private struct TLSServer {
    let port: Int
    /// The path of its certificate.
    let certificate: String
    let bytes: [UInt8]
}

private func withTLSServer(_ body: (TLSServer) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "wire-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let bytes = sampleBytes(3_000_000)
    try Data(bytes).write(to: folder.appending(path: "blob"))

    let request = try openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out certificate.pem"
            + " -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1",
        in: folder
    )
    // Its output ends when it does.
    _ = try request.output.readToEnd()

    let (server, output) = try openssl(
        "s_server -accept 127.0.0.1:0 -cert certificate.pem -key key.pem -WWW",
        in: folder
    )
    defer { server.terminate() }
    var text = ""
    // It says `ACCEPT 127.0.0.1:PORT` once it listens.
    while !text.contains("ACCEPT 127.0.0.1:") || !text.hasSuffix("\n") {
        let some = output.availableData
        try #require(!some.isEmpty, "openssl ended: \(text)")
        text += String(decoding: some, as: UTF8.self)
    }
    let digits = text.components(separatedBy: "ACCEPT 127.0.0.1:")[1].prefix { $0.isNumber }
    try await body(
        TLSServer(
            port: try #require(Int(digits)),
            certificate: folder.appending(path: "certificate.pem").path,
            bytes: bytes
        )
    )
}

private func openssl(_ arguments: String, in folder: URL) throws -> (process: Process, output: FileHandle) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/openssl")
    process.arguments = arguments.split(separator: " ").map(String.init)
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    return (process, pipe.fileHandleForReading)
}
