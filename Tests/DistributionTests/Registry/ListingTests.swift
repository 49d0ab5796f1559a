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
            .answer(200, [:], #"{"name":"team/app","tags":["a","c","-bad","x y","-bad"]}"#),
            authorization: BasicAuthorization(user: "AWS", password: "pw")
        )
        #expect(try await stage.client.tags(of: stage.repository) == ["b", "a", "c", "-bad", "x y"])
        #expect(
            stage.registry.asked == [
                Self.list + "?n=1000 [Basic QVdTOnB3]", Self.list + "?n=1000&last=b [Basic QVdTOnB3]",
            ]
        )
    }

    @Test("of no tags are empty", arguments: [#"{"tags":null}"#, #"{"tags":[]}"#, "{}", "null", #"{"errors":[]}"#])
    func noTags(body: String) async throws {
        let stage = try Stage(.answer(200, [:], body))
        #expect(try await stage.client.tags(of: stage.repository).isEmpty)
        let none = try Stage(.answer(204))
        #expect(try await none.client.tags(of: none.repository).isEmpty)
    }

    @Test("of tags go on without an entry that is no text")
    func oddTags() async throws {
        let stage = try Stage(.answer(200, [:], #"{"tags":["a",null,7,{"x":1},"b",["c"]]}"#))
        #expect(try await stage.client.tags(of: stage.repository) == ["a", "b"])
    }

    @Test(
        "of tags that aren't there to be read are errors, never no tags",
        arguments: ["", "[]", "7", #"{"tags":"a"}"#, #"{"tags":{}}"#, #"{"errors":[{"code":"DENIED"}]}"#, "<html>"]
    )
    func noList(body: String) async throws {
        let line = ScriptedRegistry.Line.answer(200, [:], body)
        let stage = try Stage(line, line, line)
        _ = try await registryError { try await stage.client.tags(of: stage.repository) }
    }

    @Test("of tags are asked for without a number where the registry allows fewer")
    func smallerPages() async throws {
        let stage = try Stage(
            .answer(400, [:], errors("PAGINATION_NUMBER_INVALID", "invalid number of results requested")),
            .answer(200, [:], #"{"tags":["a"]}"#)
        )
        #expect(try await stage.client.tags(of: stage.repository) == ["a"])
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
        #expect(try await stage.client.tags(of: stage.repository) == ["a", "b"])
        #expect(stage.registry.asked[1] == stage.registry.asked[2])
        #expect(stage.clock.waits == [.milliseconds(200)])
    }

    @Test("that run in a circle are errors, not half a list")
    func circle() async throws {
        let link = ["Link": "</v2/team/app/tags/list?n=1000>; rel=next"]
        let stage = try Stage(.answer(200, link, #"{"tags":["a"]}"#))
        let error = try await registryError { try await stage.client.tags(of: stage.repository) }
        #expect(error.kind == .malformedAnswer)
        #expect(stage.registry.requests.count == 1)
    }

    @Test(
        "go on at our own origin, whatever host and scheme a registry behind a proxy names",
        arguments: [
            "<https://inside.example/v2/team/app/tags/list?n=2>; rel=next",
            "<http://r.example/v2/team/app/tags/list?n=2>; rel=next",
            "<//inside.example:8080/v2/team/app/tags/list?n=2>; rel=next",
        ]
    )
    func otherHosts(link: String) async throws {
        let stage = try Stage(
            .answer(200, ["Link": link], #"{"tags":["a"]}"#),
            .answer(200, [:], #"{"tags":["b"]}"#),
            authorization: BasicAuthorization(user: "AWS", password: "pw")
        )
        #expect(try await stage.client.tags(of: stage.repository) == ["a", "b"])
        #expect(stage.registry.asked.last == Self.list + "?n=2 [Basic QVdTOnB3]")
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

    @Test("of referrers come page by page, each once")
    func referrers() async throws {
        let type = MediaType.ociIndex.rawValue
        let stage = try Stage(
            .answer(200, ["Content-Type": type, "Link": #"<?next=2>; rel="next""#], Self.index(someDigest)),
            .answer(200, ["Content-Type": type], Self.index(someDigest, imageDigest))
        )
        let found = try #require(try await stage.client.referrers(of: Self.subject, in: stage.repository))
        #expect(found.entries.map(\.digest) == [someDigest, imageDigest])
        #expect(found.entries.first?.artifactType == "application/vnd.cncf.notary.signature")
        let path = "GET https://r.example/v2/team/app/referrers/\(Self.subject)"
        #expect(stage.registry.asked == [path, path + "?next=2"])
        #expect(stage.registry.requests.first?.fields[.accept] == type)
    }

    @Test("of no referrers are empty, which is not the same as an unknown API")
    func noReferrers() async throws {
        let none = try Stage(.answer(200, ["Content-Type": MediaType.ociIndex.rawValue], Self.index()))
        #expect(try await none.client.referrers(of: Self.subject, in: none.repository)?.entries == [])
    }

    @Test(
        "of referrers aren't known to every registry",
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
            let line = ScriptedRegistry.Line.answer(status, ["Content-Type": type], body)
            let stage = try Stage(line, line, line)
            #expect(try await stage.client.referrers(of: Self.subject, in: stage.repository) == nil)
            // A text of the type of JSON may have been cut, and have said that there is no such repository.
            let mayBeCut = body == "404 page not found" && type != "text/html"
            #expect(stage.registry.requests.count == (mayBeCut ? 3 : 1))
        }
    }

    @Test(
        "of referrers that are nothing at all, with the type of a list, are none",
        arguments: ["", " \n", "null", "null\n"]
    )
    func nothing(body: String) async throws {
        let stage = try Stage(.answer(200, ["Content-Type": MediaType.ociIndex.rawValue], body))
        #expect(try await stage.client.referrers(of: Self.subject, in: stage.repository) == nil)
        let list = #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":null}"#
        let none = try Stage(.answer(200, ["Content-Type": MediaType.ociIndex.rawValue], list))
        #expect(try await none.client.referrers(of: Self.subject, in: none.repository)?.entries == [])
    }

    @Test("of referrers for which a registry sends us to a web page don't exist there", arguments: [303, 307])
    func redirectedToPage(redirect: Int) async throws {
        let page = "https://web.example/x?y=1"
        for (status, body) in [
            (404, "Not Found"), (429, "Too many requests"), (401, ""), (403, "<p>"), (408, ""), (200, "<html>"),
            (204, ""),
        ] {
            let stage = try Stage(
                .answer(redirect, ["Location": page]),
                .answer(status, ["Retry-After": "3600"], body),
                authorization: BasicAuthorization(user: "AWS", password: "pw")
            )
            #expect(try await stage.client.referrers(of: Self.subject, in: stage.repository) == nil, "\(status)")
            #expect(stage.registry.asked.last == "GET \(page)", "no credentials go there")
            #expect(stage.clock.waits.isEmpty)
        }
        let login = try Stage(.answer(redirect, ["Location": "/login"]), .answer(401, [:], "<html>"))
        #expect(try await login.client.referrers(of: Self.subject, in: login.repository) == nil)
    }

    @Test("of referrers are not behind a redirect that leads nowhere", arguments: ["", "http://r.example/x", "/again"])
    func deadRedirect(location: String) async throws {
        let line = ScriptedRegistry.Line.answer(302, location.isEmpty ? [:] : ["Location": location])
        let stage = try Stage(line, line, line, line, line, line)
        #expect(try await stage.client.referrers(of: Self.subject, in: stage.repository) == nil)
        #expect(stage.registry.requests.count == (location == "/again" ? 6 : 1))
    }

    @Test("are read where a registry sends us, page after page, without credentials at another host")
    func redirectedLists() async throws {
        let basic = BasicAuthorization(user: "AWS", password: "pw")
        let there = "https://back.example/v2/up/team/app/tags/list?n=1000"
        let stage = try Stage(
            .answer(307, ["Location": there]),
            .answer(200, ["Link": "</v2/up/team/app/tags/list?n=1000&last=a>; rel=next"], #"{"tags":["a"]}"#),
            .answer(200, [:], #"{"tags":["b"]}"#),
            authorization: basic
        )
        #expect(try await stage.client.tags(of: stage.repository) == ["a", "b"])
        #expect(
            stage.registry.asked == [
                Self.list + "?n=1000 [Basic QVdTOnB3]", "GET \(there)", "GET \(there)&last=a",
            ]
        )
        let elsewhere = "https://back.example/v2/up/team/app/referrers/x"
        let type = ["Content-Type": MediaType.ociIndex.rawValue]
        let referrers = try Stage(
            .answer(308, ["Location": elsewhere]),
            .answer(200, type, Self.index(someDigest)),
            authorization: basic
        )
        let found = try await referrers.client.referrers(of: Self.subject, in: referrers.repository)
        #expect(found?.entries.map(\.digest) == [someDigest])
        #expect(referrers.registry.asked.last == "GET \(elsewhere)")
    }

    @Test(
        "of referrers that the registry itself refuses, or has no time for, are errors",
        arguments: [401, 403, 408, 429]
    )
    func ownRefusals(status: Int) async throws {
        let line = ScriptedRegistry.Line.answer(status)
        let stage = try Stage(line, line, line)
        let error = try await registryError {
            try await stage.client.referrers(of: Self.subject, in: stage.repository)
        }
        #expect(error.status == status)
        #expect(stage.registry.requests.count == ([408, 429].contains(status) ? 3 : 1))
    }

    @Test("of referrers go on without an entry that can't be used, and without the image itself")
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
        let stage = try Stage(.answer(200, ["Content-Type": MediaType.ociIndex.rawValue], text))
        let found = try #require(try await stage.client.referrers(of: Self.subject, in: stage.repository))
        #expect(found.entries.map(\.digest) == [imageDigest])
        #expect(found.entries.first?.annotations == ["b": "c"])
        #expect(found.oddEntries.map(\.position) == [0, 1, 2, 3, 7])
        #expect(found.oddEntries.map(\.digest) == [nil, someDigest, nil, nil, nil])
    }

    @Test("of referrers that break off after a page are used as far as they go")
    func interrupted() async throws {
        let type = ["Content-Type": MediaType.ociIndex.rawValue, "Link": "<?next=2>; rel=next"]
        for status in [404, 403, 200] {
            let stage = try Stage(
                .answer(200, type, Self.index(someDigest)),
                .answer(status, ["Content-Type": "text/html"], "<p>")
            )
            let found = try #require(try await stage.client.referrers(of: Self.subject, in: stage.repository))
            #expect(found.entries.map(\.digest) == [someDigest])
            #expect(found.interruption != nil, "\(status)")
        }
        let circle = try Stage(.answer(200, type, Self.index(someDigest)), .answer(200, type, Self.index(imageDigest)))
        let found = try #require(try await circle.client.referrers(of: Self.subject, in: circle.repository))
        #expect(found.entries.count == 2 && found.interruption != nil)
    }

    @Test(
        "of a repository that is missing are no lists, whatever the status that says so",
        arguments: [400, 401, 403, 404, 500]
    )
    func missingWhateverTheStatus(status: Int) async throws {
        let line = ScriptedRegistry.Line.answer(status, [:], errors("NAME_UNKNOWN", "no such thing"))
        let referrers = try Stage(line)
        let tags = try Stage(line)
        let manifest = try Stage(line)
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
