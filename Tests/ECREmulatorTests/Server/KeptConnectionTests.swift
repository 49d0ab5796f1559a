import Content
import Foundation
import Testing

@testable import ECREmulator

@Suite("One connection for several requests", .timeLimit(.minutes(1)))
struct KeptConnectionTests {
    private static let manifests = "/v2/team/app/manifests"
    private static let blobs = "/v2/team/app/blobs"

    @Test("an answer to HEAD never has a body, and the next answer follows directly")
    func heads() async throws {
        try await withClient { emulator, client in
            let image = SeedImage.oci("app", layers: [1_000])
            try emulator.seedApp(image, tag: "v1")
            emulator.inject(Fault(on: "HEAD tags", at: 2...2, .status(503)))
            emulator.inject(Fault(on: "HEAD tags", at: 3...3, .refuse))
            emulator.inject(Fault(on: "HEAD tags", at: 4...4, .throttle(retryAfter: 1)))
            let connection = try await KeptConnection(client)
            let heads: [(path: String, headers: [(String, String)], status: Int)] = [
                ("\(Self.manifests)/v1", [], 200), ("\(Self.manifests)/none", [], 404),
                ("\(Self.manifests)/\(Digest.ofNothing)", [], 404), ("\(Self.blobs)/\(Digest.ofNothing)", [], 404),
                ("\(Self.blobs)/sha256:junk", [], 405), ("/v2/team/none/manifests/v1", [], 404),
                ("/v2/", [("Authorization", "")], 401), ("/v2/", [], 200),
                ("/v2/team/app/tags/list", [], 405), ("/v2/team/app/tags/list", [], 503),
                ("/v2/team/app/tags/list", [], 403), ("/v2/team/app/tags/list", [], 429),
                ("/v2/_catalog", [], 405), ("/nothing", [], 400),
                ("\(Self.blobs)/\(image.blobs[1].digest)", [], 200),
            ]
            for (path, headers, status) in heads {
                let head = try await connection.send("HEAD", path, headers)
                #expect(head.status == status, "\(path)")
                #expect(head.headers["content-length"] != nil)
                #expect(connection.unread.isEmpty, "\(path): \(connection.unread)")
                let get = try await connection.send("GET", "\(Self.manifests)/v1")
                #expect(get.body == image.bytes, "after HEAD \(path)")
            }
        }
    }

    @Test("a presigned URL answers HEAD without a body too")
    func download() async throws {
        try await withClient { emulator, client in
            let image = SeedImage.oci("app", layers: [1_000])
            try emulator.seedApp(image, tag: "v1")
            let layer = image.blobs[1]
            let moved = try await client.registry("GET", "\(Self.blobs)/\(layer.digest)")
            let url = try #require(URLComponents(string: moved.headers["location"] ?? ""))
            let target = "\(url.path)?\(url.percentEncodedQuery ?? "")"
            let connection = try await KeptConnection(client, port: UInt16(url.port ?? 0))
            for (path, status) in [(target, 403), ("/none", 404), ("\(url.path)?X-Amz-Signature=1", 403)] {
                let head = try await connection.send("HEAD", path, [("Authorization", "")])
                #expect(head.status == status, "\(path)")
                let get = try await connection.send("GET", target, [("Authorization", "")])
                #expect(get.body.count == Int(layer.size))
            }
        }
    }

    @Test("an HTTP/1.0 connection is closed after an answer, or kept if the client asks for it")
    func old() async throws {
        try await withClient { emulator, client in
            try emulator.seedApp(.oci("app", layers: [10]), tag: "v1")
            let connection = try await KeptConnection(client)
            let kept = try await connection.send("GET", "/v2/", [("Connection", "Keep-Alive")], version: "HTTP/1.0")
            #expect(kept.headers["connection"] == "keep-alive")
            let closed = try await connection.send("GET", "/v2/team/app/tags/list", version: "HTTP/1.0")
            #expect(closed.text == #"{"name":"team/app","tags":["v1"]}"#)
            #expect(closed.headers["connection"] == "close")
            await #expect(throws: (any Error).self) { try await connection.send("GET", "/v2/") }
        }
    }

    @Test("a body with Expect is requested, chunks are joined, and the following bytes are the next request")
    func bodies() async throws {
        try await withClient { emulator, client in
            let image = SeedImage.oci("app", layers: [1_000])
            try emulator.seedApp(image)
            let connection = try await KeptConnection(client)
            let type = ("Content-Type", image.mediaType)
            // With Expect, a client sends no body before the server asks for it.
            let waiting = try await connection.send(
                "PUT",
                "\(Self.manifests)/v1",
                [type, ("Expect", "100-continue"), ("Content-Length", "\(image.bytes.count)")]
            )
            #expect(waiting.status == 100)
            try await connection.write(String(decoding: image.bytes, as: UTF8.self))
            #expect(try await connection.answer(to: "PUT").status == 201)
            let half = image.bytes.count / 2
            let text = String(decoding: image.bytes, as: UTF8.self)
            let chunks = [text.prefix(half), text.dropFirst(half)].map {
                "\(String($0.utf8.count, radix: 16));x=1\r\n\($0)\r\n"
            }
            let put = try await connection.send(
                "PUT",
                "\(Self.manifests)/v2",
                [type, ("Transfer-Encoding", "chunked")],
                body: Array("\(chunks.joined())0\r\nTrailer: 1\r\n\r\n".utf8)
            )
            #expect(put.status == 201, "\(put.text)")
            let closing = try await connection.send("GET", "/v2/team/app/tags/list", [("Connection", "close")])
            #expect(closing.text == #"{"name":"team/app","tags":["v1","v2"]}"#)
            #expect(closing.headers["connection"] == "close")
        }
    }

    @Test("a request in the form for a proxy names its host in the target")
    func absolute() async throws {
        try await withClient { emulator, client in
            try emulator.createRepository(account: otherAccount, region: region, "theirs")
            let connection = try await KeptConnection(client)
            let name = "\(otherAccount).dkr.ecr.\(region).amazonaws.com"
            let catalog = try await connection.send("GET", "http://\(name)/v2/_catalog?n=5", [("Host", "other")])
            #expect(catalog.text == #"{"repositories":["theirs"]}"#)
            #expect(try await connection.send("GET", "http://\(name)").status == 400)
        }
    }
}
