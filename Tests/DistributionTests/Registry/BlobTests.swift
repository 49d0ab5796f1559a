import Content
import Distribution
import HTTPTypes
import Testing
import Wire

@Suite("Blobs over /v2")
struct BlobTests {
    private let basic = BasicAuthorization(user: "AWS", password: "pw")
    private let header = "Basic QVdTOnB3"

    @Test("are there on 200 and on a redirect, and not on 404", arguments: [(200, true), (307, true), (404, false)])
    func exists(status: Int, expected: Bool) async throws {
        let stage = try Stage(.answer(status, status == 307 ? ["Location": "https://cdn.example/b"] : [:]))
        #expect(try await stage.client.blobExists(someDigest, in: stage.repository) == expected)
        #expect(stage.registry.asked == ["HEAD https://r.example/v2/team/app/blobs/\(someDigest)"])
    }

    @Test(
        "are decided by one GET of a byte where HEAD is answered with an odd status",
        arguments: [400, 401, 403, 405, 406, 501],
        [(200, true), (206, true), (307, true), (416, true), (404, false), (400, false), (405, false)]
    )
    func oddHead(status: Int, decision: (status: Int, isThere: Bool)) async throws {
        let stage = try Stage(.answer(status), .answer(decision.status))
        #expect(try await stage.client.blobExists(someDigest, in: stage.repository) == decision.isThere)
        #expect(stage.registry.requests.map(\.method) == [.head, .get])
        #expect(stage.registry.requests.last?.fields[.range] == "bytes=0-0")
    }

    @Test(
        "of a repository that is missing aren't there; refused otherwise, they are refused",
        arguments: [400, 401, 403]
    )
    func oddHeadMissing(status: Int) async throws {
        let stage = try Stage(.answer(status), .answer(status, [:], errors("NAME_UNKNOWN", "")))
        #expect(try await !stage.client.blobExists(someDigest, in: stage.repository))
        guard status != 400 else { return }
        let refused = try Stage(.answer(status), .answer(status, [:], errors("UNAUTHORIZED", "")))
        _ = try await registryError { try await refused.client.blobExists(someDigest, in: refused.repository) }
    }

    @Test("are asked for where a redirect leads to another registry, and not where it leads to storage")
    func redirectedHead() async throws {
        for (status, isThere) in [(200, true), (404, false)] {
            let stage = try Stage(.answer(307, ["Location": "https://back.example/v2/up/blobs/x"]), .answer(status))
            #expect(try await stage.client.blobExists(someDigest, in: stage.repository) == isThere)
            #expect(stage.registry.asked.last == "HEAD https://back.example/v2/up/blobs/x")
        }
        let stored = try Stage(.answer(307, ["Location": "https://s3.example/x?sig=1"]))
        #expect(try await stored.client.blobExists(someDigest, in: stored.repository))
    }

    @Test("are relayed from a request with credentials; the redirect's has none, and its query stays as it was")
    func relayed() async throws {
        let stage = try Stage(authorization: basic)
        let request = try await stage.client.blobRequest(someDigest, in: stage.repository)
        #expect(request.method == .get)
        #expect(request.url.text == "https://r.example/v2/team/app/blobs/\(someDigest)")
        #expect(request.fields[.authorization] == header)

        let presigned = "https://bucket.s3.example/x?X-Amz-Signature=%2Bab%3D&a=b+c"
        let redirect = try response(307, ["Location": presigned])
        let next = try #require(try stage.client.follow(redirect, of: request, hops: 0))
        #expect(next.url.text == presigned)
        #expect(next.fields[.authorization] == nil)

        let home = try response(307, ["Location": "/v2/elsewhere"])
        #expect(try stage.client.follow(home, of: request, hops: 4)?.fields[.authorization] == header)
        #expect(try stage.client.follow(try response(200), of: request, hops: 0) == nil)
    }

    @Test(
        "are not fetched over a bad redirect",
        arguments: [("http://r.example/x", 0), ("https://r.example/x", 5), ("", 0), ("ftp://user@host/", 0)]
    )
    func badRedirects(location: String, hops: Int) async throws {
        let stage = try Stage()
        let request = try await stage.client.blobRequest(someDigest, in: stage.repository)
        let redirect = try response(307, location.isEmpty ? [:] : ["Location": location])
        #expect { try stage.client.follow(redirect, of: request, hops: hops) } throws: {
            ($0 as? WireError)?.reason == .badRedirect
        }
    }

    @Test("that are small are read whole, over redirects by hand, and checked")
    func small() async throws {
        let digest = Digest(of: "{}".utf8)
        let stage = try Stage(
            .answer(307, ["Location": "https://s3.example/a?sig=1"]),
            .answer(302, ["Location": "b?sig=2"]),
            .answer(200, [:], "{}"),
            authorization: basic
        )
        let bytes = try await stage.client.smallBlob(digest, in: stage.repository, limit: 1_000)
        #expect(bytes == Array("{}".utf8))
        #expect(
            stage.registry.asked == [
                "GET https://r.example/v2/team/app/blobs/\(digest) [\(header)]",
                "GET https://s3.example/a?sig=1",
                "GET https://s3.example/b?sig=2",
            ]
        )
    }

    @Test("that come damaged are read again, from the start")
    func damaged() async throws {
        let digest = Digest(of: "{}".utf8)
        let stage = try Stage(
            .answer(307, ["Location": "https://s3.example/a?sig=1"]),
            .answer(200, [:], "{"),
            .answer(200, [:], "{}")
        )
        #expect(try await stage.client.smallBlob(digest, in: stage.repository, limit: 1_000) == Array("{}".utf8))
        #expect(stage.registry.requests.last?.url.host == "r.example")
    }

    @Test("are asked for anew when a presigned address has run out, whose error is quoted without the request in it")
    func presignedExpired() async throws {
        let digest = Digest(of: "{}".utf8)
        let expired = """
            <?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message>\
            <StringToSign>AWS4-HMAC-SHA256 topsecret</StringToSign></Error>
            """
        let redirect = ScriptedRegistry.Line.answer(307, ["Location": "https://s3.example/a?sig=1"])
        let stage = try Stage(redirect, .answer(403, [:], expired), redirect, .answer(200, [:], "{}"))
        #expect(try await stage.client.smallBlob(digest, in: stage.repository, limit: 9) == [0x7b, 0x7d])

        let stale = try Stage(redirect, .answer(403, [:], expired), attempts: 1)
        let error = try await registryError {
            try await stale.client.smallBlob(digest, in: stale.repository, limit: 9)
        }
        #expect(error.message == "AccessDenied: Request has expired")
        #expect(error.url == "https://s3.example/a?…")
    }

    @Test("that are too long for memory, or run in a circle of redirects, are refused")
    func refused() async throws {
        let long = try Stage(.answer(200, [:], "0123456789"))
        await #expect { try await long.client.smallBlob(someDigest, in: long.repository, limit: 9) } throws: {
            ($0 as? WireError)?.reason == .answerTooLarge
        }
        let again = ScriptedRegistry.Line.answer(307, ["Location": "https://r.example/again"])
        let circle = try Stage(again, again, again, again, again, again)
        await #expect { try await circle.client.smallBlob(someDigest, in: circle.repository, limit: 9) } throws: {
            ($0 as? WireError)?.reason == .badRedirect
        }
        #expect(circle.registry.requests.count == 6)
    }

    @Test("refused to a relay for a stale token are worth another try, with the new one")
    func relayRefused() async throws {
        let authorization = RotatingAuthorization()
        let stage = try Stage(authorization: authorization)
        let request = try await stage.client.blobRequest(someDigest, in: stage.repository)
        let stale = try response(403, [:], errors("DENIED", "Your authorization token has expired."))

        let error = await stage.client.downloadFailure(stale, to: request)

        #expect(error.kind == .tokenExpired)
        #expect(error.retryAdvice == .backOff)
        #expect(try await authorization.authorization(for: RegistryAccess(nil)) == "Basic token2")
        // Nothing newer the second time.
        let again = try await stage.client.blobRequest(someDigest, in: stage.repository)
        #expect(await stage.client.downloadFailure(stale, to: again).retryAdvice == .never)
    }

    @Test("unknown to the source are never worth another try; a busy bucket is")
    func relayAdvice() async throws {
        let stage = try Stage()
        let request = try await stage.client.blobRequest(someDigest, in: stage.repository)
        let unknown = await stage.client.downloadFailure(
            try response(404, [:], errors("BLOB_UNKNOWN", "")),
            to: request
        )
        #expect(unknown.kind == .blobUnknown)
        #expect(unknown.retryAdvice == .never)
        let busy = await stage.client.downloadFailure(try response(503, ["Retry-After": "3"]), to: request)
        #expect(busy.retryAdvice == .wait(.seconds(3)))
    }
}
