import Content
import Distribution
import HTTPTypes
import Testing
import Wire

@Suite("Blobs over /v2")
struct BlobTests {
    private let basic = BasicAuthorization(user: "AWS", password: "pw")
    private let header = "Basic QVdTOnB3"

    @Test(
        "exist if the status is 200 or a redirect, and not if it is 404",
        arguments: [(200, true), (307, true), (404, false)]
    )
    func exists(status: Int, expected: Bool) async throws {
        let fixture = try Fixture(.answer(status, status == 307 ? ["Location": "https://cdn.example/b"] : [:]))
        #expect(try await fixture.client.blobExists(someDigest, in: fixture.repository) == expected)
        #expect(fixture.registry.asked == ["HEAD https://r.example/v2/team/app/blobs/\(someDigest)"])
    }

    @Test(
        "are looked up by a GET of one byte after an unexpected status for HEAD",
        arguments: [400, 401, 403, 405, 406, 501],
        [(200, true), (206, true), (307, true), (416, true), (404, false), (400, false), (405, false)]
    )
    func oddHead(status: Int, decision: (status: Int, exists: Bool)) async throws {
        let fixture = try Fixture(.answer(status), .answer(decision.status))
        #expect(try await fixture.client.blobExists(someDigest, in: fixture.repository) == decision.exists)
        #expect(fixture.registry.requests.map(\.method) == [.head, .get])
        #expect(fixture.registry.requests.last?.fields[.range] == "bytes=0-0")
    }

    @Test(
        "of a missing repository don't exist; another refusal is an error",
        arguments: [400, 401, 403]
    )
    func oddHeadMissing(status: Int) async throws {
        let fixture = try Fixture(.answer(status), .answer(status, [:], errors("NAME_UNKNOWN", "")))
        #expect(try await !fixture.client.blobExists(someDigest, in: fixture.repository))
        guard status != 400 else { return }
        let refused = try Fixture(.answer(status), .answer(status, [:], errors("UNAUTHORIZED", "")))
        _ = try await registryError { try await refused.client.blobExists(someDigest, in: refused.repository) }
    }

    @Test("are looked up across a redirect to another registry, and not across one to storage")
    func redirectedHead() async throws {
        for (status, exists) in [(200, true), (404, false)] {
            let fixture = try Fixture(.answer(307, ["Location": "https://back.example/v2/up/blobs/x"]), .answer(status))
            #expect(try await fixture.client.blobExists(someDigest, in: fixture.repository) == exists)
            #expect(fixture.registry.asked.last == "HEAD https://back.example/v2/up/blobs/x")
        }
        let stored = try Fixture(.answer(307, ["Location": "https://s3.example/x?sig=1"]))
        #expect(try await stored.client.blobExists(someDigest, in: stored.repository))
    }

    @Test("are relayed with credentials, which are not sent to a redirect's host; its query stays unchanged")
    func relayed() async throws {
        let fixture = try Fixture(authorization: basic)
        let request = try await fixture.client.blobRequest(someDigest, in: fixture.repository)
        #expect(request.method == .get)
        #expect(request.url.text == "https://r.example/v2/team/app/blobs/\(someDigest)")
        #expect(request.fields[.authorization] == header)

        let presigned = "https://bucket.s3.example/x?X-Amz-Signature=%2Bab%3D&a=b+c"
        let redirect = try response(307, ["Location": presigned])
        let next = try #require(try fixture.client.follow(redirect, of: request, hops: 0))
        #expect(next.url.text == presigned)
        #expect(next.fields[.authorization] == nil)

        let local = try response(307, ["Location": "/v2/elsewhere"])
        #expect(try fixture.client.follow(local, of: request, hops: 4)?.fields[.authorization] == header)
        #expect(try fixture.client.follow(try response(200), of: request, hops: 0) == nil)
    }

    @Test(
        "are not fetched across an invalid redirect",
        arguments: [("http://r.example/x", 0), ("https://r.example/x", 5), ("", 0), ("ftp://user@host/", 0)]
    )
    func badRedirects(location: String, hops: Int) async throws {
        let fixture = try Fixture()
        let request = try await fixture.client.blobRequest(someDigest, in: fixture.repository)
        let redirect = try response(307, location.isEmpty ? [:] : ["Location": location])
        #expect { try fixture.client.follow(redirect, of: request, hops: hops) } throws: {
            ($0 as? WireError)?.reason == .badRedirect
        }
    }

    @Test("that are small are read whole across redirects, and checked")
    func small() async throws {
        let digest = Digest(of: "{}".utf8)
        let fixture = try Fixture(
            .answer(307, ["Location": "https://s3.example/a?sig=1"]),
            .answer(302, ["Location": "b?sig=2"]),
            .answer(200, [:], "{}"),
            authorization: basic
        )
        let bytes = try await fixture.client.smallBlob(digest, in: fixture.repository, limit: 1_000)
        #expect(bytes == Array("{}".utf8))
        #expect(
            fixture.registry.asked == [
                "GET https://r.example/v2/team/app/blobs/\(digest) [\(header)]",
                "GET https://s3.example/a?sig=1",
                "GET https://s3.example/b?sig=2",
            ]
        )
    }

    @Test("that arrive damaged are read again")
    func damaged() async throws {
        let digest = Digest(of: "{}".utf8)
        let fixture = try Fixture(
            .answer(307, ["Location": "https://s3.example/a?sig=1"]),
            .answer(200, [:], "{"),
            .answer(200, [:], "{}")
        )
        #expect(try await fixture.client.smallBlob(digest, in: fixture.repository, limit: 1_000) == Array("{}".utf8))
        #expect(fixture.registry.requests.last?.url.host == "r.example")
    }

    @Test("are requested again after a presigned URL has expired; its error is quoted without the request")
    func presignedExpired() async throws {
        let digest = Digest(of: "{}".utf8)
        let expired = """
            <?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message>\
            <StringToSign>AWS4-HMAC-SHA256 topsecret</StringToSign></Error>
            """
        let redirect = ScriptedRegistry.Step.answer(307, ["Location": "https://s3.example/a?sig=1"])
        let fixture = try Fixture(redirect, .answer(403, [:], expired), redirect, .answer(200, [:], "{}"))
        #expect(try await fixture.client.smallBlob(digest, in: fixture.repository, limit: 9) == [0x7b, 0x7d])

        let stale = try Fixture(redirect, .answer(403, [:], expired), attempts: 1)
        let error = try await registryError {
            try await stale.client.smallBlob(digest, in: stale.repository, limit: 9)
        }
        #expect(error.message == "AccessDenied: Request has expired")
        #expect(error.url == "https://s3.example/a?…")
    }

    @Test("that are too long, or whose redirects form a cycle, are refused")
    func refused() async throws {
        let long = try Fixture(.answer(200, [:], "0123456789"))
        await #expect { try await long.client.smallBlob(someDigest, in: long.repository, limit: 9) } throws: {
            ($0 as? WireError)?.reason == .answerTooLarge
        }
        let again = ScriptedRegistry.Step.answer(307, ["Location": "https://r.example/again"])
        let cycle = try Fixture(again, again, again, again, again, again)
        await #expect { try await cycle.client.smallBlob(someDigest, in: cycle.repository, limit: 9) } throws: {
            ($0 as? WireError)?.reason == .badRedirect
        }
        #expect(cycle.registry.requests.count == 6)
    }

    @Test("refused to a relay for an expired token are retried with a new one")
    func relayRefused() async throws {
        let authorization = RotatingAuthorization()
        let fixture = try Fixture(authorization: authorization)
        let request = try await fixture.client.blobRequest(someDigest, in: fixture.repository)
        let stale = try response(403, [:], errors("DENIED", "Your authorization token has expired."))

        let error = await fixture.client.downloadFailure(stale, to: request)

        #expect(error.kind == .tokenExpired)
        #expect(error.retryAdvice == .backOff)
        #expect(try await authorization.authorization(for: RegistryAccess(nil)) == "Basic token2")
        // There is no newer token the second time.
        let again = try await fixture.client.blobRequest(someDigest, in: fixture.repository)
        #expect(await fixture.client.downloadFailure(stale, to: again).retryAdvice == .never)
    }

    @Test("unknown to the source are not retried; a throttled bucket is")
    func relayAdvice() async throws {
        let fixture = try Fixture()
        let request = try await fixture.client.blobRequest(someDigest, in: fixture.repository)
        let unknown = await fixture.client.downloadFailure(
            try response(404, [:], errors("BLOB_UNKNOWN", "")),
            to: request
        )
        #expect(unknown.kind == .blobUnknown)
        #expect(unknown.retryAdvice == .never)
        let busy = await fixture.client.downloadFailure(try response(503, ["Retry-After": "3"]), to: request)
        #expect(busy.retryAdvice == .wait(.seconds(3)))
    }
}
