import Content
import Foundation
import HTTPTypes
import Platform
import TestPrograms
import Testing

@testable import Wire

/// Tests answers with a `Content-Encoding` that was not requested.
@Suite("Encoded answers", .timeLimit(.minutes(1)))
struct EncodedAnswerTests {
    private static let text = #"{"tags":["v1"]}"#
    /// The text as gzip, zlib and zstd, encoded by their own programs.
    private static let gzip = "H4sIAAAAAAACA6tWKklML1ayilYqM1SKrQUAyIKLeQ8AAAA="
    private static let zlib = "eNqrVipJTC9WsopWKjNUiq0FACd1BMk="
    private static let zstd = "KLUv/QRYeQAAeyJ0YWdzIjpbInYxIl19fzdHYQ=="

    /// A script that answers each request with these bytes and this label, and records the requests.
    private func server(_ label: String, _ body: [UInt8], _ heads: Lock<[String?]>) -> ScriptedServer.Script {
        { connection in
            while true {
                let head = try connection.readHead()
                heads.withLock { $0.append(head["Accept-Encoding"]) }
                let fields = label.isEmpty ? [] : ["Content-Encoding: \(label)"]
                try connection.answer(head["Range"] == nil ? "200 OK" : "206 Partial Content", fields, body)
            }
        }
    }

    private func decoded(_ label: String, _ body: [UInt8], limit: Int = 1_000) async throws -> WireResponse {
        let heads = Lock<[String?]>([])
        return try await withServer(server(label, body, heads)) { server in
            try await withTransport { transport in
                var request = WireRequest(.get, try HTTPURL(server.url()), largestAnswer: limit)
                request.decodesAnswer = true
                let answer = try await transport.send(request)
                #expect(heads.withLock { $0 } == ["identity"])
                return answer
            }
        }
    }

    @Test(
        "are decoded if the request asks for it",
        arguments: [
            ("gzip", gzip), ("x-gzip", gzip), ("GZIP", gzip), ("deflate", zlib), ("identity", nil), ("", nil),
        ] as [(String, String?)]
    )
    func decoding(label: String, encoded: String?) async throws {
        let body = encoded.flatMap { Data(base64Encoded: $0) }.map { [UInt8]($0) } ?? Array(Self.text.utf8)
        #expect(String(decoding: try await decoded(label, body).body, as: UTF8.self) == Self.text)
    }

    @Test("in zstd are decoded, or undecodable if libcurl was built without it")
    func zstd() async throws {
        let body = [UInt8](try #require(Data(base64Encoded: Self.zstd)))
        do {
            #expect(String(decoding: try await decoded("zstd", body).body, as: UTF8.self) == Self.text)
        } catch let error as WireError {
            #expect(error.reason == .undecodable)
        }
    }

    @Test(
        "with an unknown or wrong label are undecodable, and not retried",
        arguments: ["gzip", "deflate", "x-unknown", "aws-chunked", "gzip, x-unknown"]
    )
    func undecodable(label: String) async throws {
        let error = await #expect(throws: WireError.self) { try await decoded(label, Array(Self.text.utf8)) }
        #expect(error?.reason == .undecodable)
        #expect(error?.retryAdvice == .never)
    }

    @Test("that exceed the limit after decoding are too large")
    func bomb() async throws {
        // 97 bytes of gzip that decode to 65,535 times `a`.
        let body = [UInt8](try #require(Data(base64Encoded: Self.bomb)))
        #expect(try await decoded("gzip", body, limit: 70_000).body.count == 65_535)
        let error = await #expect(throws: WireError.self) { try await decoded("gzip", body, limit: 60_000) }
        #expect(error?.reason == .answerTooLarge)
    }

    @Test("of blobs are never decoded, nor those of parts")
    func blobs() async throws {
        let bytes = sampleBytes(10)
        for label in ["gzip", "x-gzip", "zstd", "br", "deflate", "nonsense"] {
            let heads = Lock<[String?]>([])
            let received = Received()
            try await withServers(server(label, bytes, heads), received.script) { source, destination in
                try await withTransport { transport in
                    let outcome = try await transport.relayOne(RelayRequest(bytes, from: source, to: destination))
                    #expect(outcome.stored != nil)
                    #expect(received.all == [bytes])

                    let buffer = PartBuffer(capacity: 10)
                    var part = WireRequest(.get, try HTTPURL(source.url()), fields: [.range: "bytes=0-9"])
                    part.receiver = buffer
                    #expect(try await transport.send(part).status == .partialContent)
                    #expect(buffer.count == bytes.count && buffer.digest == Digest(of: bytes))

                    let message = try await transport.send(WireRequest(.get, HTTPURL(source.url())))
                    #expect(message.body == bytes, "nothing is decoded unless it is asked for")
                    #expect(heads.withLock { $0 } == ["identity", "identity", "identity"])
                }
            }
        }
    }

    @Test("follow the request's own Accept-Encoding")
    func ownField() async throws {
        let heads = Lock<[String?]>([])
        try await withServer(server("", [], heads)) { server in
            try await withTransport { transport in
                let request = WireRequest(.get, try HTTPURL(server.url()), fields: [.acceptEncoding: "gzip"])
                _ = try await transport.send(request)
                #expect(heads.withLock { $0 } == ["gzip"])
            }
        }
    }

    private static let bomb = """
        H4sIAAAAAAACA+3BgQAAAACAINb9JRapCgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAABq6LnUj//8AAA==
        """
}
