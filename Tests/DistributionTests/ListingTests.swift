import Content
import HTTPTypes
import Testing
import Wire

@testable import Distribution

@Suite("Lists over /v2")
struct ListingTests {
    private static let list = "GET https://r.example/v2/team/app/tags/list"

    @Test("of tags come page by page, whatever the type says, each tag once")
    func tags() async throws {
        let stage = try Stage(
            .answer(
                200,
                [
                    "Content-Type": "text/plain; charset=utf-8",
                    "Link": #"</v2/team/app/tags/list?n=1000&last=b>; rel="next""#,
                ],
                #"{"name":"team/app","tags":["b","a"]}"#
            ),
            .answer(200, [:], #"{"name":"team/app","tags":["a","c","-bad"]}"#),
            authorization: BasicAuthorization(user: "AWS", password: "pw")
        )
        #expect(try await stage.client.tags(of: stage.repository).map(\.value) == ["b", "a", "c"])
        #expect(
            stage.registry.asked == [
                Self.list + "?n=1000 [Basic QVdTOnB3]", Self.list + "?n=1000&last=b [Basic QVdTOnB3]",
            ]
        )
    }

    @Test("of no tags are empty", arguments: [#"{"tags":null}"#, #"{"tags":[]}"#, "{}"])
    func noTags(body: String) async throws {
        let stage = try Stage(.answer(200, [:], body))
        #expect(try await stage.client.tags(of: stage.repository).isEmpty)
    }

    @Test("of tags are asked for without a number where the registry allows fewer")
    func smallerPages() async throws {
        let stage = try Stage(
            .answer(400, [:], errors("PAGINATION_NUMBER_INVALID", "invalid number of results requested")),
            .answer(200, [:], #"{"tags":["a"]}"#)
        )
        #expect(try await stage.client.tags(of: stage.repository).map(\.value) == ["a"])
        #expect(stage.registry.asked == [Self.list + "?n=1000", Self.list])
    }

    @Test("of tags of a missing repository, and such that aren't allowed, are errors")
    func failures() async throws {
        let missing = try Stage(.answer(404, [:], errors("NAME_UNKNOWN", "")))
        #expect(
            try await registryError { try await missing.client.tags(of: missing.repository) }.kind == .repositoryMissing
        )
        let denied = try Stage(.answer(403, [:], errors("DENIED", "ecr:ListImages")))
        #expect(try await registryError { try await denied.client.tags(of: denied.repository) }.kind == .denied)
        let html = ScriptedRegistry.Line.answer(200, [:], "<html>")
        let page = try Stage(html, html, html, attempts: 8)
        #expect(try await registryError { try await page.client.tags(of: page.repository) }.kind == .malformedAnswer)
        #expect(page.registry.requests.count == 3)
    }

    @Test("of which a page came cut is asked for that page again")
    func cutPage() async throws {
        let stage = try Stage(
            .answer(200, ["Link": "</v2/team/app/tags/list?n=1000&last=a>; rel=next"], #"{"tags":["a"]}"#),
            .answer(200, [:], #"{"tags":["b""#),
            .answer(200, [:], #"{"tags":["b"]}"#)
        )
        #expect(try await stage.client.tags(of: stage.repository).map(\.value) == ["a", "b"])
        #expect(stage.registry.asked[1] == stage.registry.asked[2])
        #expect(stage.clock.waits == [.milliseconds(200)])
    }

    @Test(
        "that run in a circle or leave the house are errors, not half a list",
        arguments: [
            "</v2/team/app/tags/list?n=1000>; rel=next", "<https://evil.example/v2/x?n=1>; rel=next",
            "<http://r.example/v2/team/app/tags/list?n=2>; rel=next",
        ]
    )
    func hostileLinks(link: String) async throws {
        let stage = try Stage(.answer(200, ["Link": link], #"{"tags":["a"]}"#))
        let error = try await registryError { try await stage.client.tags(of: stage.repository) }
        #expect(error.kind == .malformedAnswer)
        #expect(stage.registry.requests.count == 1)
    }

    private static func index(_ digests: Digest...) -> String {
        let entries = digests.map {
            #"{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"\#($0)","size":7,"#
                + #""artifactType":"application/vnd.cncf.notary.signature"}"#
        }
        return #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":["#
            + entries.joined(separator: ",") + "]}"
    }

    @Test("of referrers come page by page, each once")
    func referrers() async throws {
        let type = MediaType.ociIndex.rawValue
        let stage = try Stage(
            .answer(200, ["Content-Type": type, "Link": #"<?next=2>; rel="next""#], Self.index(someDigest)),
            .answer(200, ["Content-Type": type], Self.index(someDigest, imageDigest))
        )
        let found = try #require(try await stage.client.referrers(of: imageDigest, in: stage.repository))
        #expect(found.map(\.digest) == [someDigest, imageDigest])
        #expect(found.first?.artifactType == "application/vnd.cncf.notary.signature")
        let path = "GET https://r.example/v2/team/app/referrers/\(imageDigest)"
        #expect(stage.registry.asked == [path, path + "?next=2"])
        #expect(stage.registry.requests.first?.fields[.accept] == type)
    }

    @Test("of no referrers are empty, which is not the same as an unknown API")
    func noReferrers() async throws {
        let none = try Stage(.answer(200, ["Content-Type": MediaType.ociIndex.rawValue], Self.index()))
        #expect(try await none.client.referrers(of: imageDigest, in: none.repository) == [])
    }

    @Test(
        "of referrers aren't known to every registry",
        arguments: [(404, "404 page not found"), (405, ""), (200, "<html>welcome</html>"), (200, imageText)]
    )
    func unknownAPI(status: Int, body: String) async throws {
        let stage = try Stage(.answer(status, ["Content-Type": "text/html"], body))
        #expect(try await stage.client.referrers(of: imageDigest, in: stage.repository) == nil)
    }

    @Test("of referrers that claim to be an index and aren't are errors")
    func badIndex() async throws {
        let broken = ScriptedRegistry.Line.answer(200, ["Content-Type": MediaType.ociIndex.rawValue], "{")
        let stage = try Stage(broken, broken, broken)
        await #expect(throws: ManifestError.self) {
            try await stage.client.referrers(of: imageDigest, in: stage.repository)
        }
        let missing = try Stage(.answer(404, [:], errors("NAME_UNKNOWN", "")))
        let error = try await registryError {
            try await missing.client.referrers(of: imageDigest, in: missing.repository)
        }
        #expect(error.kind == .repositoryMissing)
    }

    @Test(
        "name their next page in a Link field",
        arguments: [
            (#"</v2/a/tags/list?last=x&n=2>; rel="next""#, "/v2/a/tags/list?last=x&n=2"),
            ("<x>;rel=next", "x"), ("<x> ; title=\"a, b; <y>\" ; REL=\"prev NEXT\"", "x"),
            (#"<p>; rel="prev", <n>; rel="next""#, "n"), (#"junk, <n>; rel=next"#, "n"),
            (#"<a,b;c>; rel=next"#, "a,b;c"), (#"<a>; rel=prev; rel=next"#, nil), ("<a>; rel=nextish", nil),
            ("<a>; title=\"rel=next\"", nil), ("<a>", nil), ("<>; rel=next", nil), ("<a; rel=next", nil), ("", nil),
            (",,,;;;===\"\"", nil), ("<a>; rel=\"next", "a"), ("<a>; title=\"\\\", <b>; rel=next", nil),
            ("<a>;;; ; rel = next", "a"), ("<a>; =; rel=next", "a"), (String(repeating: "<", count: 200_000), nil),
            (String(repeating: "<a>,", count: 50_000), nil), (String(repeating: "<a>;\"", count: 50_000), nil),
        ] as [(String, String?)]
    )
    func links(field: String, next: String?) {
        #expect(nextPage(inLink: field) == next)
    }
}

@Suite("Finding a registry's scheme")
struct ProbeTests {
    private func probe(
        _ authority: String,
        _ scheme: HTTPURL.Scheme? = nil,
        _ lines: ScriptedRegistry.Line...
    ) async throws -> (origin: String, asked: [String]) {
        let registry = ScriptedRegistry(lines)
        let base = try await RegistryClient.probe(authority: authority, scheme: scheme, sender: registry)
        return (base.origin, registry.asked)
    }

    @Test("asks nothing where the answer is known")
    func known() async throws {
        #expect(try await probe("r.example") == ("https://r.example:443", []))
        #expect(try await probe("localhost:5000", .http) == ("http://localhost:5000", []))
    }

    @Test("takes https on loopback if it is there, whatever it answers", arguments: [200, 401, 500])
    func https(status: Int) async throws {
        let found = try await probe("localhost:5000", nil, .answer(status))
        #expect(found == ("https://localhost:5000", ["GET https://localhost:5000/v2/"]))
    }

    @Test("falls to http on loopback when there is no TLS")
    func http() async throws {
        let found = try await probe("127.0.0.1:5000", nil, .failure(.handshake), .answer(401))
        #expect(found.origin == "http://127.0.0.1:5000")
        #expect(found.asked == ["GET https://127.0.0.1:5000/v2/", "GET http://127.0.0.1:5000/v2/"])
    }

    @Test("never falls to http for anything else", arguments: [WireError.Reason.certificate, .unreachable, .stalled])
    func stays(reason: WireError.Reason) async throws {
        await #expect { try await probe("localhost:5000", nil, .failure(reason)) } throws: {
            ($0 as? WireError)?.reason == reason
        }
    }
}
