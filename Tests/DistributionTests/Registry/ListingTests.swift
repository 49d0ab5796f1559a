import Content
import HTTPTypes
import Testing
import Wire

@testable import Distribution

@Suite("Lists over /v2")
struct ListingTests {
    private static let list = "GET https://r.example/v2/team/app/tags/list"

    @Test("of tags are read page by page, with any content type, each tag once")
    func tags() async throws {
        let fixture = try Fixture(
            .answer(
                200,
                [
                    "Content-Type": "text/plain; charset=utf-8",
                    "Link": #"</v2/team/app/tags/list?n=1000&last=b>; rel="next""#,
                ],
                #"{"name":"team/app","tags":["b","a"]}"#
            ),
            .answer(200, [:], #"{"name":"team/app","tags":["a","c","-bad","x y","-bad"]}"#),
            authorization: BasicAuthorization(user: "AWS", password: "pw")
        )
        #expect(try await fixture.client.tags(of: fixture.repository) == ["b", "a", "c", "-bad", "x y"])
        #expect(
            fixture.registry.asked == [
                Self.list + "?n=1000 [Basic QVdTOnB3]", Self.list + "?n=1000&last=b [Basic QVdTOnB3]",
            ]
        )
    }

    @Test("without tags are empty", arguments: [#"{"tags":null}"#, #"{"tags":[]}"#, "{}", "null", #"{"errors":[]}"#])
    func noTags(body: String) async throws {
        let fixture = try Fixture(.answer(200, [:], body))
        #expect(try await fixture.client.tags(of: fixture.repository).isEmpty)
        let none = try Fixture(.answer(204))
        #expect(try await none.client.tags(of: none.repository).isEmpty)
    }

    @Test("of tags leave out an entry that is not a text")
    func oddTags() async throws {
        let fixture = try Fixture(.answer(200, [:], #"{"tags":["a",null,7,{"x":1},"b",["c"]]}"#))
        #expect(try await fixture.client.tags(of: fixture.repository) == ["a", "b"])
    }

    @Test(
        "of tags that are malformed are errors, not empty lists",
        arguments: ["", "[]", "7", #"{"tags":"a"}"#, #"{"tags":{}}"#, #"{"errors":[{"code":"DENIED"}]}"#, "<html>"]
    )
    func malformedList(body: String) async throws {
        let step = ScriptedRegistry.Step.answer(200, [:], body)
        let fixture = try Fixture(step, step, step)
        _ = try await registryError { try await fixture.client.tags(of: fixture.repository) }
    }

    @Test("of tags are requested without a number if the registry refuses the number")
    func smallerPages() async throws {
        let fixture = try Fixture(
            .answer(400, [:], errors("PAGINATION_NUMBER_INVALID", "invalid number of results requested")),
            .answer(200, [:], #"{"tags":["a"]}"#)
        )
        #expect(try await fixture.client.tags(of: fixture.repository) == ["a"])
        #expect(fixture.registry.asked == [Self.list + "?n=1000", Self.list])
    }

    @Test("of tags of a missing repository, or without permission, are errors")
    func failures() async throws {
        let missing = try Fixture(.answer(404, [:], errors("NAME_UNKNOWN", "")))
        #expect(
            try await registryError { try await missing.client.tags(of: missing.repository) }.kind == .repositoryMissing
        )
        let denied = try Fixture(.answer(403, [:], errors("DENIED", "ecr:ListImages")))
        #expect(try await registryError { try await denied.client.tags(of: denied.repository) }.kind == .denied)
        let html = ScriptedRegistry.Step.answer(200, [:], "<html>")
        let page = try Fixture(html, html, html, attempts: 8)
        #expect(try await registryError { try await page.client.tags(of: page.repository) }.kind == .malformedAnswer)
        #expect(page.registry.requests.count == 3)
    }

    @Test("with a page that was cut request it again")
    func cutPage() async throws {
        let fixture = try Fixture(
            .answer(200, ["Link": "</v2/team/app/tags/list?n=1000&last=a>; rel=next"], #"{"tags":["a"]}"#),
            .answer(200, [:], #"{"tags":["b""#),
            .answer(200, [:], #"{"tags":["b"]}"#)
        )
        #expect(try await fixture.client.tags(of: fixture.repository) == ["a", "b"])
        #expect(fixture.registry.asked[1] == fixture.registry.asked[2])
        #expect(fixture.clock.waits == [.milliseconds(200)])
    }

    @Test("whose pages form a cycle are errors")
    func cycle() async throws {
        let link = ["Link": "</v2/team/app/tags/list?n=1000>; rel=next"]
        let fixture = try Fixture(.answer(200, link, #"{"tags":["a"]}"#))
        let error = try await registryError { try await fixture.client.tags(of: fixture.repository) }
        #expect(error.kind == .malformedAnswer)
        #expect(fixture.registry.requests.count == 1)
    }

    @Test(
        "continue at the registry's origin, whatever host and scheme a registry behind a proxy names",
        arguments: [
            "<https://inside.example/v2/team/app/tags/list?n=2>; rel=next",
            "<http://r.example/v2/team/app/tags/list?n=2>; rel=next",
            "<//inside.example:8080/v2/team/app/tags/list?n=2>; rel=next",
        ]
    )
    func otherHosts(link: String) async throws {
        let fixture = try Fixture(
            .answer(200, ["Link": link], #"{"tags":["a"]}"#),
            .answer(200, [:], #"{"tags":["b"]}"#),
            authorization: BasicAuthorization(user: "AWS", password: "pw")
        )
        #expect(try await fixture.client.tags(of: fixture.repository) == ["a", "b"])
        #expect(fixture.registry.asked.last == Self.list + "?n=2 [Basic QVdTOnB3]")
    }

    private static let subject = Digest(of: "subject".utf8)

    private static func index(_ digests: Digest...) -> String {
        let entries = digests.map {
            #"{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"\#($0)","size":7,"#
                + #""artifactType":"application/vnd.cncf.notary.signature"}"#
        }
        return #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":["#
            + entries.joined(separator: ",") + "]}"
    }

    @Test("of referrers are read page by page, each once")
    func referrers() async throws {
        let type = MediaType.ociIndex.rawValue
        let fixture = try Fixture(
            .answer(200, ["Content-Type": type, "Link": #"<?next=2>; rel="next""#], Self.index(someDigest)),
            .answer(200, ["Content-Type": type], Self.index(someDigest, imageDigest))
        )
        let found = try #require(try await fixture.client.referrers(of: Self.subject, in: fixture.repository))
        #expect(found.entries.map(\.digest) == [someDigest, imageDigest])
        #expect(found.entries.first?.artifactType == "application/vnd.cncf.notary.signature")
        let path = "GET https://r.example/v2/team/app/referrers/\(Self.subject)"
        #expect(fixture.registry.asked == [path, path + "?next=2"])
        #expect(fixture.registry.requests.first?.fields[.accept] == type)
    }

    @Test("without referrers are empty, which differs from a missing API")
    func noReferrers() async throws {
        let none = try Fixture(.answer(200, ["Content-Type": MediaType.ociIndex.rawValue], Self.index()))
        #expect(try await none.client.referrers(of: Self.subject, in: none.repository)?.entries == [])
    }

    @Test(
        "of referrers are not available at every registry",
        arguments: [
            (404, "404 page not found"), (405, ""), (200, "<html>welcome</html>"), (200, imageText), (200, ""),
            (200, "null"), (200, "{}"), (200, #"{"referrers":[]}"#), (204, ""), (202, ""), (304, ""), (400, ""),
            (400, errors("UNSUPPORTED", "no")), (402, ""), (404, errors("MANIFEST_UNKNOWN", "")), (406, ""), (410, ""),
            (414, ""), (416, ""), (451, ""), (501, ""), (505, ""),
        ]
    )
    func unknownAPI(status: Int, body: String) async throws {
        for type in ["text/html", "application/vnd.oci.image.index.v1+json"] where status != 200 || type == "text/html"
        {
            let step = ScriptedRegistry.Step.answer(status, ["Content-Type": type], body)
            let fixture = try Fixture(step, step, step)
            #expect(try await fixture.client.referrers(of: Self.subject, in: fixture.repository) == nil)
            // A body with the content type of JSON that isn't JSON may be a cut error about a missing repository.
            let mayBeCut = body == "404 page not found" && type != "text/html"
            #expect(fixture.registry.requests.count == (mayBeCut ? 3 : 1))
        }
    }

    @Test(
        "of referrers that are empty or null, with the type of a list, mean a missing API",
        arguments: ["", " \n", "null", "null\n"]
    )
    func emptyOrNull(body: String) async throws {
        let fixture = try Fixture(.answer(200, ["Content-Type": MediaType.ociIndex.rawValue], body))
        #expect(try await fixture.client.referrers(of: Self.subject, in: fixture.repository) == nil)
        let list = #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":null}"#
        let none = try Fixture(.answer(200, ["Content-Type": MediaType.ociIndex.rawValue], list))
        #expect(try await none.client.referrers(of: Self.subject, in: none.repository)?.entries == [])
    }

    @Test("of referrers that redirect to a web page mean a missing API", arguments: [303, 307])
    func redirectedToPage(redirect: Int) async throws {
        let page = "https://web.example/x?y=1"
        for (status, body) in [
            (404, "Not Found"), (429, "Too many requests"), (401, ""), (403, "<p>"), (408, ""), (200, "<html>"),
            (204, ""),
        ] {
            let fixture = try Fixture(
                .answer(redirect, ["Location": page]),
                .answer(status, ["Retry-After": "3600"], body),
                authorization: BasicAuthorization(user: "AWS", password: "pw")
            )
            #expect(try await fixture.client.referrers(of: Self.subject, in: fixture.repository) == nil, "\(status)")
            #expect(fixture.registry.asked.last == "GET \(page)", "no credentials go there")
            #expect(fixture.clock.waits.isEmpty)
        }
        let login = try Fixture(.answer(redirect, ["Location": "/login"]), .answer(401, [:], "<html>"))
        #expect(try await login.client.referrers(of: Self.subject, in: login.repository) == nil)
    }

    @Test(
        "of referrers that redirect to nothing valid mean a missing API",
        arguments: ["", "http://r.example/x", "/again"]
    )
    func deadRedirect(location: String) async throws {
        let step = ScriptedRegistry.Step.answer(302, location.isEmpty ? [:] : ["Location": location])
        let fixture = try Fixture(step, step, step, step, step, step)
        #expect(try await fixture.client.referrers(of: Self.subject, in: fixture.repository) == nil)
        #expect(fixture.registry.requests.count == (location == "/again" ? 6 : 1))
    }

    @Test("are read across redirects, page by page, without credentials at another host")
    func redirectedLists() async throws {
        let basic = BasicAuthorization(user: "AWS", password: "pw")
        let target = "https://back.example/v2/up/team/app/tags/list?n=1000"
        let fixture = try Fixture(
            .answer(307, ["Location": target]),
            .answer(200, ["Link": "</v2/up/team/app/tags/list?n=1000&last=a>; rel=next"], #"{"tags":["a"]}"#),
            .answer(200, [:], #"{"tags":["b"]}"#),
            authorization: basic
        )
        #expect(try await fixture.client.tags(of: fixture.repository) == ["a", "b"])
        #expect(
            fixture.registry.asked == [
                Self.list + "?n=1000 [Basic QVdTOnB3]", "GET \(target)", "GET \(target)&last=a",
            ]
        )
        let elsewhere = "https://back.example/v2/up/team/app/referrers/x"
        let type = ["Content-Type": MediaType.ociIndex.rawValue]
        let referrers = try Fixture(
            .answer(308, ["Location": elsewhere]),
            .answer(200, type, Self.index(someDigest)),
            authorization: basic
        )
        let found = try await referrers.client.referrers(of: Self.subject, in: referrers.repository)
        #expect(found?.entries.map(\.digest) == [someDigest])
        #expect(referrers.registry.asked.last == "GET \(elsewhere)")
    }

    @Test(
        "of referrers that the registry itself refuses or throttles are errors",
        arguments: [401, 403, 408, 429]
    )
    func ownRefusals(status: Int) async throws {
        let step = ScriptedRegistry.Step.answer(status)
        let fixture = try Fixture(step, step, step)
        let error = try await registryError {
            try await fixture.client.referrers(of: Self.subject, in: fixture.repository)
        }
        #expect(error.status == status)
        #expect(fixture.registry.requests.count == ([408, 429].contains(status) ? 3 : 1))
    }

    @Test("of referrers leave out an entry that can't be used, and the image itself")
    func oddEntries() async throws {
        func entry(_ members: String) -> String { #"{"mediaType":"a/b",\#(members)}"# }
        let sha512 = "sha512:" + String(repeating: "a", count: 128)
        let entries = [
            entry(#""digest":"\#(sha512)","size":7"#), entry(#""digest":"\#(someDigest)""#), "null", "7",
            entry(#""digest":"\#(Self.subject)","size":7"#),
            entry(#""digest":"\#(imageDigest)","size":7,"annotations":{"a":null,"b":"c"}"#),
            entry(#""digest":"\#(imageDigest)","size":7,"annotations":null"#), entry(#""size":7"#),
        ]
        let text =
            #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":["#
            + entries.joined(separator: ",") + "]}"
        let fixture = try Fixture(.answer(200, ["Content-Type": MediaType.ociIndex.rawValue], text))
        let found = try #require(try await fixture.client.referrers(of: Self.subject, in: fixture.repository))
        #expect(found.entries.map(\.digest) == [imageDigest])
        #expect(found.entries.first?.annotations == ["b": "c"])
        #expect(found.oddEntries.map(\.position) == [0, 1, 2, 3, 7])
        #expect(found.oddEntries.map(\.digest) == [nil, someDigest, nil, nil, nil])
    }

    @Test("of referrers that fail after a page are used as far as they were read")
    func interrupted() async throws {
        let type = ["Content-Type": MediaType.ociIndex.rawValue, "Link": "<?next=2>; rel=next"]
        for status in [404, 403, 200] {
            let fixture = try Fixture(
                .answer(200, type, Self.index(someDigest)),
                .answer(status, ["Content-Type": "text/html"], "<p>")
            )
            let found = try #require(try await fixture.client.referrers(of: Self.subject, in: fixture.repository))
            #expect(found.entries.map(\.digest) == [someDigest])
            #expect(found.interruption != nil, "\(status)")
        }
        let cycle = try Fixture(.answer(200, type, Self.index(someDigest)), .answer(200, type, Self.index(imageDigest)))
        let found = try #require(try await cycle.client.referrers(of: Self.subject, in: cycle.repository))
        #expect(found.entries.count == 2 && found.interruption != nil)
    }

    @Test(
        "of a missing repository are errors, whatever the status",
        arguments: [400, 401, 403, 404, 500]
    )
    func missingWhateverTheStatus(status: Int) async throws {
        let step = ScriptedRegistry.Step.answer(status, [:], errors("NAME_UNKNOWN", "no such thing"))
        let referrers = try Fixture(step)
        let tags = try Fixture(step)
        let manifest = try Fixture(step)
        for error in [
            try await registryError {
                try await referrers.client.referrers(of: Self.subject, in: referrers.repository)
            },
            try await registryError { try await tags.client.tags(of: tags.repository) },
            try await registryError {
                try await manifest.client.manifest(.digest(someDigest), of: manifest.repository)
            },
        ] { #expect(error.kind == .repositoryMissing && error.status == status) }
    }

    @Test("of referrers with the type of an index that aren't one are errors")
    func badIndex() async throws {
        let broken = ScriptedRegistry.Step.answer(200, ["Content-Type": MediaType.ociIndex.rawValue], "{")
        let fixture = try Fixture(broken, broken, broken)
        await #expect(throws: ManifestError.self) {
            try await fixture.client.referrers(of: imageDigest, in: fixture.repository)
        }
        let missing = try Fixture(.answer(404, [:], errors("NAME_UNKNOWN", "")))
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
        _ steps: ScriptedRegistry.Step...
    ) async throws -> (origin: String, asked: [String]) {
        let registry = ScriptedRegistry(steps)
        let base = try await RegistryClient.probe(authority: authority, scheme: scheme, sender: registry)
        return (base.origin, registry.asked)
    }

    @Test("sends no request if the scheme is known")
    func known() async throws {
        #expect(try await probe("r.example") == ("https://r.example:443", []))
        #expect(try await probe("localhost:5000", .http) == ("http://localhost:5000", []))
    }

    @Test("uses https on loopback if it is answered, whatever the status", arguments: [200, 401, 500])
    func https(status: Int) async throws {
        let found = try await probe("localhost:5000", nil, .answer(status))
        #expect(found == ("https://localhost:5000", ["GET https://localhost:5000/v2/"]))
    }

    @Test("falls back to http on loopback if there is no TLS")
    func http() async throws {
        let found = try await probe("127.0.0.1:5000", nil, .failure(.handshake), .answer(401))
        #expect(found.origin == "http://127.0.0.1:5000")
        #expect(found.asked == ["GET https://127.0.0.1:5000/v2/", "GET http://127.0.0.1:5000/v2/"])
    }

    @Test(
        "never falls back to http after another error",
        arguments: [WireError.Reason.certificate, .unreachable, .stalled]
    )
    func stays(reason: WireError.Reason) async throws {
        await #expect { try await probe("localhost:5000", nil, .failure(reason)) } throws: {
            ($0 as? WireError)?.reason == reason
        }
    }
}
