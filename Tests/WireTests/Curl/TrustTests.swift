import Content
import HTTPTypes
import Platform
import TestPrograms
import Testing

@testable import Wire

@Suite("Trusting a server", .timeLimit(.minutes(1)))
struct TrustTests {
    @Test("refuses a certificate that no trusted CA signed, and accepts it with the user's CA bundle")
    func selfSigned() async throws {
        try await withTLSServer { server in
            let request = WireRequest(
                .get,
                try HTTPURL("https://127.0.0.1:\(server.port)/blob?secret"),
                largestAnswer: 4 << 20
            )
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
                let other = WireRequest(
                    .get,
                    try HTTPURL("https://other.localhost:\(server.port)/blob"),
                    largestAnswer: 4 << 20
                )
                #expect(await wireError { try await transport.send(other) }?.reason == .certificate)
            }
        }
    }

    @Test("names the file when the CA bundle is missing or not valid")
    func noBundle() async throws {
        try await withTLSServer { server in
            let folder = server.certificate.prefix { $0 != "." }
            try DurableFile.write(Array("no certificate".utf8), to: "\(folder).txt")
            for file in ["/no/such/bundle", "\(folder).txt"] {
                try await withTransport(TransportConfiguration(caBundle: file)) { transport in
                    let request = WireRequest(
                        .get,
                        try HTTPURL("https://127.0.0.1:\(server.port)/blob"),
                        largestAnswer: 4 << 20
                    )
                    let error = await wireError { try await transport.send(request) }
                    #expect(error?.reason == .certificate)
                    #expect(
                        error?.detail
                            == "\(file) is not a file of certificates in PEM form, or can't be read: see --ca-bundle"
                    )
                    #expect(error?.retryAdvice == .never)
                }
            }
        }
    }

    @Test(
        "uses TLS 1.2 and later only",
        arguments: [("-tls1_1", false), ("-tls1_2", true), ("-tls1_3", true)]
    )
    func versions(_ version: String, _ isSpoken: Bool) async throws {
        // Without the last two options OpenSSL would refuse old versions at the server.
        try await withTLSServer([version, "-cipher", "DEFAULT@SECLEVEL=0"]) { server in
            try await withTransport(TransportConfiguration(caBundle: server.certificate)) { transport in
                let request = WireRequest(
                    .get,
                    try HTTPURL("https://127.0.0.1:\(server.port)/blob"),
                    largestAnswer: 4 << 20
                )
                if isSpoken {
                    #expect(try await transport.send(request).body == server.bytes)
                } else {
                    #expect(await wireError { try await transport.send(request) }?.reason == .handshake)
                }
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
                        source: .request(WireRequest(.get, try HTTPURL("https://127.0.0.1:\(server.port)/blob"))),
                        sinks: [.request(WireRequest(.put, try HTTPURL(destination.url())))],
                        digest: Digest(of: server.bytes),
                        size: Int64(server.bytes.count)
                    )
                    #expect(try await transport.relayOne(request).stored != nil)
                    #expect(received.all == [server.bytes])
                }
            }
        }
    }
}

/// A run of `openssl s_server` that serves one file named `blob`, with a certificate created for it.
struct TLSServer {
    let port: Int
    /// The path of its certificate.
    let certificate: String
    let bytes: [UInt8]
}

func withTLSServer(_ more: [String] = [], _ body: (TLSServer) async throws -> Void) async throws {
    try await withScratchDirectory { folder in
        let bytes = sampleBytes(3_000_000)
        try DurableFile.write(bytes, to: "\(folder)/blob")
        let certificate = try await Certificate.make(in: folder)
        let arguments =
            [
                "s_server", "-accept", "127.0.0.1:0", "-cert", certificate.file, "-key", certificate.key, "-WWW",
            ] + more
        _ = try await withChild(.openssl, arguments, directory: folder) { server in
            // It prints `ACCEPT 127.0.0.1:PORT` once it listens.
            let line = try await server.output.first { $0.hasPrefix("ACCEPT 127.0.0.1:") }
            let port = try #require(Int(line.dropFirst("ACCEPT 127.0.0.1:".count)))
            try await body(TLSServer(port: port, certificate: certificate.file, bytes: bytes))
        }
    }
}

@Suite("A message of libcurl's")
struct CurlTextTests {
    @Test("is stripped of queries and passwords in an error")
    func redacted() {
        #expect(withoutQueries("got https://s3/x?X-Amz-Signature=abc back") == "got https://s3/x?… back")
        #expect(withoutQueries("syntax in 'http://user:s3cret@proxy:1'") == "syntax in 'http://…@proxy:1'")
        #expect(withoutQueries("no address here") == "no address here")
    }
}
