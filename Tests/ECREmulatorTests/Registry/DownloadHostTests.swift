import Content
import FlyingSocks
import Foundation
import Testing

@testable import ECREmulator

@Suite("Downloads come from another host", .timeLimit(.minutes(1)))
struct DownloadHostTests {
    private let image = SeedImage.oci("app", layers: [1_000])

    @Test("for each name of the registry's host, and the layer can be read there")
    func registry() async throws {
        try await withClient { emulator, client in
            try emulator.seedApp(image, tag: "v1")
            let port = emulator.port
            let names = [
                "127.0.0.1:\(port)", "localhost:\(port)", "LocalHost", "\(account).dkr.ecr.\(region).localhost:\(port)",
                "\(account).dkr.ecr.\(region).amazonaws.com", "host.docker.internal:\(port)",
            ]
            for name in names {
                let moved = try await client.registry(
                    "GET",
                    "/v2/team/app/blobs/\(image.blobs[1].digest)",
                    [("Host", name)]
                )
                #expect(moved.status == 307)
                try await check(moved.headers["location"], askedAt: name, client)
            }
        }
    }

    @Test("for the API's presigned URLs too")
    func api() async throws {
        try await withClient { emulator, client in
            try emulator.seedApp(image, tag: "v1")
            for name in ["127.0.0.1:\(emulator.port)", "localhost:\(emulator.port)", "api.ecr.\(region).amazonaws.com"]
            {
                var client = client
                client.host = name
                let answer = try await client.call(
                    "GetDownloadUrlForLayer",
                    #"{"repositoryName":"team/app","layerDigest":"\#(image.blobs[1].digest)"}"#
                )
                try await check(answer.json("downloadUrl"), askedAt: name, client)
            }
        }
    }

    @Test("also over IPv6 if this machine has it, because some clients resolve `localhost` to `::1`")
    func sixth() async throws {
        try await withClient { emulator, client in
            try emulator.seedApp(image, tag: "v1")
            let moved = try await client.registry("GET", "/v2/team/app/blobs/\(image.blobs[1].digest)")
            let url = try #require(URLComponents(string: moved.headers["location"] ?? ""))
            let socket: AsyncSocket
            do {
                socket = try await AsyncSocket.connected(to: .inet6(ip6: "::1", port: UInt16(url.port ?? 0)))
            } catch {
                // This machine doesn't have IPv6.
                #expect((try? Socket(domain: AF_INET6, type: .stream).bind(to: .inet6(ip6: "::1", port: 0))) == nil)
                return
            }
            defer { try? socket.close() }
            let head =
                "GET \(url.path)?\(url.percentEncodedQuery ?? "") HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            try await socket.write(Data(head.utf8))
            var bytes: [UInt8] = []
            do { while true { bytes += try await socket.read(atMost: 4_096) } } catch is SocketError {}
            #expect(bytes.starts(with: Array("HTTP/1.1 200 OK\r\n".utf8)))
            #expect(bytes.suffix(1_000).elementsEqual(SeedLayerTests.bytes(of: image.blobs[1])))
        }
    }

    /// Checks that the download host differs, resolves to this machine, and refuses credentials beside the signature.
    private func check(_ location: String?, askedAt name: String, _ client: PlainClient) async throws {
        let url = try #require(location)
        let host = try #require(URLComponents(string: url)?.host)
        #expect(["localhost", "127.0.0.1"].contains(host))
        let asked = name.prefix { $0 != ":" }.lowercased()
        #expect(host != asked)
        #expect(!host.hasSuffix(".\(asked)"), "Go keeps credentials for a name below the first one, too")
        #expect(try await client.follow(url).body.count == 1_000)
        let both = try await client.follow(url, [("Authorization", "Basic QVdTOng=")])
        #expect(both.status == 400)
        #expect(both.element("Code") == "InvalidArgument")
        #expect(both.element("Message").hasPrefix("Only one auth mechanism allowed"))
    }
}
