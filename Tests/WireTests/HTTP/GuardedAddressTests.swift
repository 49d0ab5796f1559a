import HTTPTypes
import TestPrograms
import Testing

@testable import Wire

@Suite("Addresses to which a registry may not redirect")
struct GuardedAddressTests {
    @Test(
        "are this machine's, link-local ones and those of key services, in every form",
        arguments: [
            "127.0.0.1", "127.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1",
            "0.0.0.0", "0", "169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.0.1", "2852039166",
            "0xa9fea9fe", "0251.0376.0251.0376", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]", "[fe80::1]", "[fe80::1%25eth0]", "[febf::1]", "[fd00:ec2::254]", "[fd00:ec2::23]",
            "localhost", "LOCALHOST", "localhost.", "a.localhost", "metadata.google.internal",
            "instance-data.ec2.internal.",
        ]
    )
    func guarded(_ host: String) {
        #expect(GuardedAddress.isGuarded(host: host))
    }

    @Test(
        "don't include any others",
        arguments: [
            "registry.example", "10.0.0.1", "192.168.1.1", "172.17.0.1", "8.8.8.8", "128.0.0.1", "126.255.255.255",
            "169.253.1.1", "169.255.1.1", "[2001:db8::1]", "[fd00::1]", "[fec0::1]", "[::ffff:10.0.0.1]",
            "[2002:0a00:1::]", "127.0.0.1.example", "localhost.example", "a127.0.0.1", "1.2.3.4.5",
        ]
    )
    func others(_ host: String) {
        #expect(!GuardedAddress.isGuarded(host: host))
    }

    @Test(
        "distinguish loopback from the rest",
        arguments: [
            ("127.0.0.1", true), ("::1", true), ("::ffff:127.0.0.1", true), ("169.254.1.1", false), ("10.0.0.1", false),
            ("::", false),
        ]
    )
    func loopback(_ address: String, _ isLoopback: Bool) {
        #expect(GuardedAddress.isLoopback(address) == isLoopback)
    }
}

@Suite("A redirect to this machine", .timeLimit(.minutes(1)))
struct RedirectGuardTests {
    /// A registry without any connection so far.
    private static let registry = "https://registry.example/v2/"

    private func request(_ text: String, namedBy registry: String) throws -> WireRequest {
        var request = WireRequest(.get, try HTTPURL(text))
        request.namedBy = try HTTPURL(registry)
        return request
    }

    @Test(
        "is refused before connecting, if its host shows it",
        arguments: ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"]
    )
    func literal(_ host: String) async throws {
        let server = try ScriptedServer { try $0.answer("200 OK", text: "secret") }
        defer { server.stop() }
        let plain = TransportConfiguration(plainHTTPAuthorities: ["\(host):\(server.port)"])
        try await withTransport(plain) { transport in
            let first = WireRequest(.get, try HTTPURL(Self.registry))
            var next = try request("http://\(host):\(server.port)/", namedBy: Self.registry)
            let error = await wireError { try await transport.send(next) }
            #expect(error?.reason == .badRedirect)
            #expect(error?.detail.contains("registry.example leads to \(host)") == true, "\(error as Any)")
            #expect(error?.retryAdvice == .never)
            // Also after several redirects.
            let following = try first.following("https://\(host):1/")
            #expect(following.namedBy == first.url)
            next.namedBy = try first.following("https://mirror.example/").following("https://\(host):1/").namedBy
            #expect(await wireError { try await transport.send(next) }?.reason == .badRedirect)
        }
        #expect(server.connectionCount == 0)
    }

    @Test("is refused by the connected address before a request is sent, on new and kept connections")
    func connected() async throws {
        let server = try ScriptedServer { connection in
            while true {
                _ = try connection.readHead()
                try connection.answer("200 OK", text: "own")
            }
        }
        defer { server.stop() }
        // The guard checks the address that a name resolves to; here it is that of the kept connection.
        let redirects = RedirectGuard()
        let next = try request("http://alias.example:\(server.port)/", namedBy: Self.registry)
        try redirects.permit(next)
        for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "fe80::1", "0.0.0.0"] {
            #expect(redirects.refusal(of: next, at: address)?.reason == .badRedirect)
        }
        #expect(redirects.refusal(of: next, at: "203.0.113.9") == nil)
        // A registry at loopback may redirect to loopback, until it moves to another address.
        let registry = try HTTPURL(Self.registry)
        redirects.note(registry, isLoopback: true)
        #expect(redirects.refusal(of: next, at: "127.0.0.1") == nil)
        redirects.note(registry, isLoopback: false)
        #expect(redirects.refusal(of: next, at: "127.0.0.1") != nil)
    }

    @Test("is followed if the registry is at loopback itself, also for a blob")
    func fromLoopback() async throws {
        let bytes = sampleBytes(100_000)
        let server = try ScriptedServer { connection in
            while true {
                let head = try connection.readHead()
                if head.method == "PUT" {
                    _ = try connection.read(head.contentLength)
                    try connection.answer("201 Created")
                } else {
                    try connection.answer("200 OK", [], bytes)
                }
            }
        }
        defer { server.stop() }
        try await withTransport { transport in
            // With another name of the same machine, the connection decides.
            let registry = "http://127.0.0.1:\(server.port)/v2/"
            _ = try await transport.send(WireRequest(.get, try HTTPURL(registry)))
            let next = try request("http://localhost:\(server.port)/", namedBy: registry)
            #expect(try await transport.send(next).status == .ok)
            var relay = try RelayRequest(bytes, from: server, to: server)
            relay.from?.namedBy = try HTTPURL("http://localhost:\(server.port)/")
            _ = try await transport.relayOne(relay)
        }
    }

    @Test("is refused at both ends of a blob")
    func relays() async throws {
        let bytes = sampleBytes(100)
        let server = try ScriptedServer { try $0.answer("200 OK", [], bytes) }
        defer { server.stop() }
        try await withTransport { transport in
            var relay = try RelayRequest(bytes, from: server, to: server)
            relay.from?.namedBy = try HTTPURL(Self.registry)
            let down = await wireError { try await transport.relayOne(relay) }
            #expect(down?.reason == .badRedirect && down?.end == .source)
            relay.from?.namedBy = nil
            relay.to?.namedBy = try HTTPURL(Self.registry)
            let up = await wireError { try await transport.relayOne(relay) }
            #expect(up?.reason == .badRedirect && up?.end == .destination)
        }
        #expect(server.connectionCount == 0)
    }

    @Test("is decided by the name behind a proxy, and a proxy at loopback doesn't make the registry local")
    func proxied() async throws {
        let proxy = try ScriptedServer { connection in
            while true {
                _ = try connection.readHead()
                try connection.answer("200 OK", text: "by the proxy")
            }
        }
        defer { proxy.stop() }
        let proxies = Proxies(https: "http://127.0.0.1:\(proxy.port)", http: "http://127.0.0.1:\(proxy.port)")
        let allowed: Set<String> = ["registry.example", "storage.example", "169.254.169.254"]
        try await withTransport(TransportConfiguration(proxies: proxies, plainHTTPAuthorities: allowed)) { transport in
            let registry = "http://registry.example/v2/"
            let first = try await transport.send(WireRequest(.get, try HTTPURL(registry)))
            #expect(first.status == .ok)
            let stored = try await transport.send(try request("http://storage.example/", namedBy: registry))
            #expect(stored.status == .ok)
            for target in ["http://169.254.169.254/latest/", "http://127.0.0.1:\(proxy.port)/"] {
                let error = await wireError { try await transport.send(try request(target, namedBy: registry)) }
                #expect(error?.reason == .badRedirect, "\(target)")
            }
        }
    }
}
