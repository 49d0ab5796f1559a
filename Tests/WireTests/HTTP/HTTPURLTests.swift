import HTTPTypes
import Testing

@testable import Wire

@Suite("An address")
struct HTTPURLTests {
    @Test(
        "keeps its text unchanged",
        arguments: [
            "https://example.com/", "http://example.com:8080/a/%2e%2E/b?x=%2f&y=a+b", "https://[::1]:5000/v2/",
            "https://h/p?", "https://h/?a=b?c=d", "https://123.dkr.ecr.eu-west-1.amazonaws.com/v2/a/b/blobs/uploads/",
        ]
    )
    func verbatim(_ text: String) throws {
        #expect(try HTTPURL(text).text == text)
    }

    @Test("has parts")
    func parts() throws {
        let url = try HTTPURL("HTTPS://Example.COM:443?x=1#fragment")
        #expect(url.scheme == .https)
        #expect(url.host == "example.com")
        #expect(url.port == 443)
        #expect(url.path == "/")
        #expect(url.query == "x=1")
        #expect(url.authority == "example.com")
        #expect(url.origin == "https://example.com:443")
        #expect(try HTTPURL("http://[::1]:8080/a").host == "[::1]")
        #expect(try HTTPURL("http://h:80/").authority == "h")
        #expect(try HTTPURL("http://h:443/").authority == "h:443")
    }

    @Test(
        "is refused",
        arguments: [
            "", "ftp://h/", "h/p", "https://", "https:///p", "https://u:p@h/", "https://h:0/", "https://h:65536/",
            "https://h:x/", "https://h/a b", "https://h/\r\nX: 1", "https://h/\u{e9}",
            "https://h/" + String(repeating: "x", count: HTTPURL.longest),
        ]
    )
    func refused(_ text: String) {
        #expect { try HTTPURL(text) } throws: { ($0 as? WireError)?.reason == .badURL }
    }

    @Test("prints without its query")
    func printing() throws {
        let url = try HTTPURL("https://bucket.s3.amazonaws.com/key?X-Amz-Signature=abc")
        #expect("\(url)" == "https://bucket.s3.amazonaws.com/key?…")
        #expect(String(reflecting: url) == "\(url)")
        #expect("\(WireError(.stalled, "stalled", url: url))".contains("abc") == false)
    }

    @Test(
        "resolves a Location",
        arguments: [
            ("https://other/x?y", "https://other/x?y"), ("//other/x", "https://other/x"),
            ("/v2/c", "https://h:5000/v2/c"), ("c?d", "https://h:5000/a/c?d"), ("?d=e", "https://h:5000/a/b?d=e"),
        ]
    )
    func resolving(_ location: String, _ expected: String) throws {
        #expect(try HTTPURL("https://h:5000/a/b?x=1").resolving(location).text == expected)
    }

    @Test(
        "doesn't read a Location with another scheme as a path",
        arguments: ["file:///etc/passwd", "gopher://x/", "FTP://127.0.0.1/x", "javascript:1", "data:,x"]
    )
    func foreignScheme(location: String) throws {
        let error = #expect(throws: WireError.self) { try HTTPURL("https://h:5000/a/b").resolving(location) }
        #expect(error?.reason == .badRedirect && error.map { "\($0)".contains(location) } == true)
        #expect(try HTTPURL("https://h/a/b").resolving("c/d:e").text == "https://h/a/c/d:e")
    }

    @Test("recognizes loopback hosts")
    func loopback() throws {
        for host in ["localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]"] {
            #expect(try HTTPURL("http://\(host)/").isLoopback, "\(host)")
        }
        for host in ["localhost.com", "127.0.0.1.com", "127.0.0.1.2.3", "10.0.0.1", "notlocalhost", "[::2]"] {
            #expect(try !HTTPURL("http://\(host)/").isLoopback, "\(host)")
        }
    }

    @Test("accepts a further query item")
    func appending() throws {
        #expect(try HTTPURL("https://h/p").appending(query: "a=b").text == "https://h/p?a=b")
        #expect(try HTTPURL("https://h/p?").appending(query: "a=b").text == "https://h/p?a=b")
        #expect(try HTTPURL("https://h/p?x=y").appending(query: "a=b").text == "https://h/p?x=y&a=b")
    }
}

@Suite("Following a redirect")
struct FollowingTests {
    private func request(_ url: String) throws -> WireRequest {
        let fields: HTTPFields = [
            .authorization: "Bearer secret", .cookie: "secret", .named("X-Registry-Auth"): "secret",
            .range: "bytes=0-", .accept: "*/*",
        ]
        return WireRequest(.get, try HTTPURL(url), fields: fields)
    }

    @Test("keeps credentials within the origin")
    func sameOrigin() throws {
        let next = try request("https://h/a").following("/b")
        #expect(next.url.text == "https://h/b")
        #expect(next.fields[.authorization] == "Bearer secret")
    }

    @Test("drops them at another origin", arguments: ["https://other/b", "https://h:444/b"])
    func otherOrigin(_ location: String) throws {
        let next = try request("https://h/a").following(location)
        #expect(Set(next.fields.map(\.name)) == [.range, .accept])
    }

    @Test("is refused from https to plain http")
    func downgrade() throws {
        let secure = try request("https://h/a")
        #expect { try secure.following("http://h/a?secret") } throws: {
            let error = $0 as? WireError
            return error?.reason == .badRedirect && error?.description.contains("secret") == false
        }
        #expect(try request("http://h/a").following("http://i/").url.host == "i")
        #expect(try request("http://h/a").following("https://i/").fields[.authorization] == nil)
    }
}

@Suite("An answer")
struct AnswerTests {
    @Test(
        "names a wait",
        arguments: [
            (["Retry-After": "7"], Duration.seconds(7)), (["Retry-After": "99999"], .seconds(99_999)),
            (["x-amz-retry-after": "1500"], .milliseconds(1_500)), (["Retry-After": "-1"], nil),
            (["Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"], .zero), ([:], nil),
        ]
    )
    func retryAfter(_ fields: [String: String], _ expected: Duration?) {
        var answer = WireResponse(status: .tooManyRequests)
        for (name, value) in fields { answer.fields[.named(name)] = value }
        #expect(answer.retryAfter == expected)
    }

    @Test("is collected from lines, and the last head counts")
    func head() {
        var head = AnswerHead()
        let lines = [
            "HTTP/1.1 100 Continue\r\n", "X-Early: 1\r\n", "\r\n", "HTTP/1.1 201 \r\n", "Location:  /a:b \r\n",
            "no field\r\n", "bad name: 1\r\n", "Content-Length: 12\r\n", "\r\n", "X-Trailer: 1\r\n",
        ]
        for line in lines {
            let isTaken = head.take(Array(line.utf8))
            #expect(isTaken)
        }
        #expect(head.isComplete)
        #expect(head.status == 201)
        #expect(head.contentLength == 12)
        #expect(head.fields.map(\.name.rawName) == ["Location", "Content-Length"])
        #expect(head.fields[.location] == "/a:b")
    }

    @Test("removes queries from libcurl's messages")
    func queries() {
        #expect(
            withoutQueries("bad URL https://h/p?X-Amz-Signature=abc in request")
                == "bad URL https://h/p?… in request"
        )
        #expect(withoutQueries("Could not resolve host: h") == "Could not resolve host: h")
    }
}
