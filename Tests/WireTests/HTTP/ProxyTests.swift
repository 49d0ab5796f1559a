import Content
import HTTPTypes
import Platform
import TestPrograms
import Testing

@testable import Wire

@Suite("Through a proxy", .timeLimit(.minutes(1)))
struct ProxyTests {
    /// A proxy that records its requests, and answers each with one status.
    private final class Asked: Sendable {
        private let heads = Lock<[String]>([])
        let status: String
        init(_ status: String) { self.status = status }
        var lines: [String] { heads.withLock { $0 } }

        var script: ScriptedServer.Script {
            { connection in
                let head = try connection.readHead()
                self.heads.withLock { $0.append(head.line) }
                try connection.answer(self.status)
            }
        }
    }

    private func transport(_ proxy: ScriptedServer, exceptions: String = "", user: String = "")
        -> TransportConfiguration
    {
        TransportConfiguration(
            proxies: Proxies(
                https: "http://\(user)127.0.0.1:\(proxy.port)",
                http: "http://\(user)127.0.0.1:\(proxy.port)",
                exceptions: exceptions
            ),
            plainHTTPAuthorities: ["plain.example", "169.254.169.254"],
            connectTimeout: .milliseconds(200)
        )
    }

    @Test("https requests use a tunnel, plain http requests send the whole address")
    func asked() async throws {
        let asked = Asked("503 No")
        try await withServer(asked.script) { proxy in
            try await withTransport(transport(proxy)) { transport in
                let error = await wireError {
                    try await transport.send(WireRequest(.get, try HTTPURL("https://api.ecr.example/x")))
                }
                #expect(error?.reason == .proxyRefused)
                let plain = try await transport.send(WireRequest(.get, try HTTPURL("http://plain.example/y?z")))
                #expect(plain.status.code == 503)
            }
        }
        #expect(asked.lines == ["CONNECT api.ecr.example:443 HTTP/1.1", "GET http://plain.example/y?z HTTP/1.1"])
    }

    @Test("blobs are relayed through it too")
    func blobs() async throws {
        let asked = Asked("502 No")
        try await withServer(asked.script) { proxy in
            try await withServer(Received().script) { destination in
                try await withTransport(transport(proxy)) { transport in
                    let relay = RelayRequest(
                        source: .request(WireRequest(.get, try HTTPURL("https://blobs.example/layer"))),
                        sinks: [.request(WireRequest(.put, try HTTPURL(destination.url())))],
                        digest: Digest(of: []),
                        size: 0
                    )
                    let error = await wireError { try await transport.relayOne(relay) }
                    #expect(error?.reason == .proxyRefused)
                    #expect(error?.end == .source)
                }
            }
        }
        #expect(asked.lines == ["CONNECT blobs.example:443 HTTP/1.1"])
    }

    @Test(
        "an error names the proxy without its password",
        arguments: [
            (
                "407 Proxy Authentication Required",
                "answered 407: it requires another user and password than HTTPS_PROXY has", RetryAdvice.never
            ),
            ("403 Forbidden", "answered 403", .never), ("502 Bad Gateway", "answered 502", .backOff),
        ]
    )
    func refused(_ status: String, _ words: String, _ advice: RetryAdvice) async throws {
        let asked = Asked(status)
        try await withServer(asked.script) { proxy in
            try await withTransport(transport(proxy, user: "tester:s3cret@")) { transport in
                let error = await wireError {
                    try await transport.send(WireRequest(.get, try HTTPURL("https://api.ecr.example/")))
                }
                #expect(error?.detail == "the proxy 127.0.0.1:\(proxy.port) \(words)")
                #expect(error?.retryAdvice == advice)
            }
        }
    }

    @Test("an error says that the proxy requires a login and none was given")
    func withoutUser() async throws {
        let asked = Asked("407 Proxy Authentication Required")
        try await withServer(asked.script) { proxy in
            try await withTransport(transport(proxy)) { transport in
                let error = await wireError {
                    try await transport.send(WireRequest(.get, try HTTPURL("https://api.ecr.example/")))
                }
                let words = "answered 407: it requires a user and password, and HTTPS_PROXY has none"
                #expect(error?.detail == "the proxy 127.0.0.1:\(proxy.port) \(words)")
            }
        }
    }

    @Test("messages and blobs pass through a tunnel, with TLS between this client and the server")
    func tunnelled() async throws {
        let asked = Lock<[String]>([])
        let received = Received()
        try await withTLSServer { server in
            let proxyScript: ScriptedServer.Script = { connection in
                let line = try connection.readHead().line
                asked.withLock { $0.append(line) }
                try connection.send("HTTP/1.1 200 Connection established\r\nProxy-Agent: test\r\n\r\n")
                try connection.tunnel(to: server.port)
            }
            try await withServer(proxyScript) { proxy in
                try await withServer(received.script) { destination in
                    var configuration = transport(proxy)
                    configuration.caBundle = server.certificate
                    try await withTransport(configuration) { transport in
                        let get = WireRequest(
                            .get,
                            try HTTPURL("https://\(Certificate.tunnelled)/blob"),
                            largestAnswer: 4 << 20
                        )
                        let answer = try await transport.send(get)
                        #expect(answer.body == server.bytes)
                        #expect(
                            answer.fields.contains { $0.name.canonicalName == "proxy-agent" } == false,
                            "the proxy's head is no part of it"
                        )
                        let request = RelayRequest(
                            source: .request(get),
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
        #expect(asked.withLock { $0 } == Array(repeating: "CONNECT \(Certificate.tunnelled):443 HTTP/1.1", count: 2))
    }

    @Test("an error says that the proxy can't be reached, can't be resolved or has an invalid address")
    func absent() async throws {
        let unknown = unresolvableName()
        for (proxy, reason, words) in [
            ("http://u:s3cret@127.0.0.1:1", WireError.Reason.unreachable, "the proxy 127.0.0.1:1 can't be reached"),
            ("http://u:s3cret@\(unknown):1", .unresolvable, "the host of the proxy \(unknown):1 can't be resolved"),
            ("u:s3cret@what is this", .badURL, "the proxy's address is not valid: see HTTPS_PROXY"),
            ("http://u:s3cret@127.0.0.1:port", .badURL, "the proxy's address is not valid: see HTTPS_PROXY"),
        ] {
            let configuration = TransportConfiguration(proxies: Proxies(https: proxy))
            try await withTransport(configuration) { transport in
                let error = await wireError {
                    try await transport.send(WireRequest(.get, try HTTPURL("https://api.ecr.example/")))
                }
                #expect(error?.reason == reason, "\(proxy)")
                #expect(error?.detail.hasPrefix(words) == true, "\(error.map { "\($0)" } ?? "nothing")")
                #expect(error.map { "\($0)" }?.contains("s3cret") == false)
            }
        }
    }

    @Test(
        "exceptions are reached directly",
        arguments: ["example", ".example", "*", "other.org, API.ECR.example", "10.0.0.0/8,ecr.example"]
    )
    func exceptions(_ list: String) async throws {
        let asked = Asked("503 No")
        try await withServer(asked.script) { proxy in
            try await withTransport(transport(proxy, exceptions: list)) { transport in
                _ = await wireError {
                    try await transport.send(WireRequest(.get, try HTTPURL("https://api.ecr.example/x")))
                }
            }
        }
        #expect(asked.lines == [])
    }

    @Test("blocks of addresses can be exceptions")
    func blocks() async throws {
        let asked = Asked("503 No")
        try await withServer(asked.script) { proxy in
            try await withTransport(transport(proxy, exceptions: "192.0.2.0/24")) { transport in
                for host in ["192.0.2.7", "198.51.100.7"] {
                    _ = await wireError { try await transport.send(WireRequest(.get, try HTTPURL("https://\(host)/"))) }
                }
            }
        }
        #expect(asked.lines == ["CONNECT 198.51.100.7:443 HTTP/1.1"])
    }

    /// An entry, an address, and whether the entry matches it, as in Go's `http/httpproxy`.
    static let rules: [(String, String, Bool)] = [
        ("example.com", "https://example.com/", true), ("example.com", "https://a.b.example.com/", true),
        ("example.com", "https://badexample.com/", false), (".example.com", "https://a.example.com/", true),
        (".example.com", "https://example.com/", false), ("*.example.com", "https://a.b.example.com/", true),
        ("*.example.com", "https://example.com/", false), ("*example.com", "https://a.example.com/", false),
        ("example.com:443", "https://example.com/", true), ("example.com:443", "https://example.com:8443/", false),
        ("example.com:8443", "https://a.example.com:8443/", true), ("example.com:80", "http://example.com/", true),
        ("*.example.com:443", "https://a.example.com/", true), ("example.com:", "https://example.com:5/", true),
        ("EXAMPLE.com", "https://a.Example.COM/", true), ("a.com, example.com ,b.com", "https://example.com/", true),
        ("a.com example.com", "https://example.com/", true), (",,", "https://example.com/", false),
        ("*", "https://example.com/", true), ("a.com,*", "https://example.com/", true),
        ("**", "https://example.com/", false),
        ("10.1.2.3", "https://10.1.2.3/", true), ("10.1.2.3", "https://10.1.2.33/", false),
        ("10.1.2.3:5000", "https://10.1.2.3:5000/", true), ("10.1.2.3:5000", "https://10.1.2.3/", false),
        ("10.0.0.0/8", "https://10.200.0.1/", true), ("10.0.0.0/8", "https://11.0.0.1/", false),
        ("172.16.0.0/12", "https://172.31.255.1/", true), ("172.16.0.0/12", "https://172.32.0.1/", false),
        ("0.0.0.0/0", "https://8.8.8.8/", true), ("0.0.0.0/0", "https://example.com/", false),
        ("10.0.0.0/33", "https://10.0.0.0/", false), ("10.0.0.0/8", "https://10.example.com/", false),
        ("fd00::1", "https://[fd00::1]/", true), ("[fd00::1]:5000", "https://[fd00:0::1]:5000/", true),
        ("[fd00::1]:5000", "https://[fd00::1]/", false), ("[fd00::1]", "https://[fd00::1]/", true),
        ("fd00::/8", "https://[fdff::1]/", true), ("::ffff:10.1.2.3", "https://10.1.2.3/", true),
        (".amazonaws.com", "https://111122223333.dkr.ecr.eu-west-1.amazonaws.com/v2/", true),
    ]

    @Test("exceptions are matched by Go's rules", arguments: rules)
    func exception(_ entry: String, _ address: String, _ isExcepted: Bool) throws {
        let proxies = Proxies(https: "p:1", http: "p:1", exceptions: entry)
        #expect((proxies.proxy(for: WireRequest(.get, try HTTPURL(address))) == nil) == isExcepted)
    }

    @Test("requests to this machine and to metadata services, and those that ask for it, never use a proxy")
    func never() throws {
        let proxies = Proxies(https: "p:1", http: "p:2")
        for host in [
            "127.0.0.1:9", "[::1]", "a.localhost", "169.254.169.254", "169.254.170.2", "169.254.170.23",
            "[fd00:ec2::254]", "[FD00:EC2::23]",
        ] {
            for scheme in ["http", "https"] {
                #expect(
                    proxies.proxy(for: WireRequest(.get, try HTTPURL("\(scheme)://\(host)/latest"))) == nil,
                    "\(host)"
                )
            }
        }
        var request = WireRequest(.get, try HTTPURL("https://ecs.example/v2/credentials"))
        #expect(proxies.proxy(for: request) == "p:1")
        request.bypassesProxy = true
        #expect(proxies.proxy(for: request) == nil)
        #expect(try request.following("https://elsewhere.example/").bypassesProxy == false)
        #expect(try request.following("/other").bypassesProxy)
        #expect(proxies.proxy(for: WireRequest(.get, try HTTPURL("http://plain.example/"))) == "p:2")
    }

    @Test("requests that must not use a proxy don't, even if one is configured")
    func metadata() async throws {
        let asked = Asked("503 No")
        let reached = Asked("200 OK")
        try await withServer(asked.script) { proxy in
            try await withServer(reached.script) { server in
                try await withTransport(transport(proxy)) { transport in
                    let answer = try await transport.send(WireRequest(.get, try HTTPURL(server.url("/latest"))))
                    #expect(answer.status == .ok)
                    _ = await wireError {
                        var request = WireRequest(.get, try HTTPURL("http://169.254.169.254/latest"))
                        request.deadline = .milliseconds(300)
                        return try await transport.send(request)
                    }
                    var request = WireRequest(.get, try HTTPURL("https://\(unresolvableName())/"))
                    request.bypassesProxy = true
                    let error = await wireError { [request] in try await transport.send(request) }
                    #expect(error?.reason == .unresolvable)
                }
            }
        }
        #expect(asked.lines == [])
        #expect(reached.lines == ["GET /latest HTTP/1.1"])
    }

    @Test("the environment is read by libcurl's rules")
    func environment() {
        func read(_ variables: [String: String]) -> Proxies { Proxies(environment: variables) }
        #expect(read([:]) == Proxies())
        #expect(read(["HTTPS_PROXY": "big", "https_proxy": "small"]).https == "small")
        #expect(read(["HTTPS_PROXY": "big", "https_proxy": ""]).https == "big")
        #expect(read(["HTTP_PROXY": "big"]).http == nil, "a web server's clients may set it")
        #expect(read(["http_proxy": "small"]) == Proxies(http: "small"))
        #expect(read(["ALL_PROXY": "all"]) == Proxies(https: "all", http: "all"))
        #expect(read(["all_proxy": "a", "ALL_PROXY": "b", "HTTPS_PROXY": "c"]) == Proxies(https: "c", http: "a"))
        #expect(read(["NO_PROXY": "big", "no_proxy": "small"]).exceptions == "small")
        #expect(read(["NO_PROXY": "*"]).exceptions == "*")
        let pasted = read(["HTTPS_PROXY": "\"http://h:1\"", "http_proxy": " h:2\r\n", "NO_PROXY": "'a.com,b.com'"])
        #expect(pasted == Proxies(https: "http://h:1", http: "h:2", exceptions: "a.com,b.com"))
        #expect(read(["HTTPS_PROXY": "''", "ALL_PROXY": "all"]).https == "all")
    }

    @Test("an address is shown without user and password, with any characters in them")
    func presentable() {
        for proxy in ["http://u:p@h:1/", "u:p@h:1", "socks5h://u:p/@x@h:1", "h:1", "https://h:1/path"] {
            #expect(Proxies.presentable(proxy) == "h:1")
        }
    }
}
