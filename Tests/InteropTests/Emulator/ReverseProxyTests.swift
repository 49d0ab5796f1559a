import Content
import TestPrograms
import Testing

@Suite("A registry behind nginx", .timeLimit(.minutes(2)), .needs(.registry, .skopeo, .umoci, .nginx, .python))
struct ReverseProxyTests {
    @Test("redirects blobs to another origin, which gets no credentials")
    func redirected() async throws {
        try await withStage(.redirectsBlobs) { image, registry, proxy, other in
            let copied = try await run(
                .ecrReplicate,
                ["copy", "--log-level", "trace", "\(proxy.authority)/debian:12", "\(other.authority)/debian"]
            )
            #expect(copied.exitCode == 0, "\(copied.errors)")
            #expect(try await copied.lines == ["\(other.authority)/debian:12@\(Digest(of: image.manifest("multi")))"])
            let requests = try proxy.requests
            // Two configurations and two layers, which both images share.
            #expect(requests.count { $0.hasPrefix("307 GET /v2/debian/blobs/") } == 4, "\(requests)")
            #expect(requests.count { $0.hasPrefix("200 GET /bucket/v2/debian/blobs/") } == 4, "\(requests)")
            #expect(!copied.errors.contains("s3cret"))
        }
    }

    @Test("answers 429, and the copy waits for it as source and as destination", arguments: [true, false])
    func limited(isSource: Bool) async throws {
        try await withStage(.limitsRequests) { image, registry, proxy, other in
            let (source, destination) =
                isSource ? (proxy.authority, other.authority) : (registry.authority, proxy.authority)
            let copied = try await run(
                .ecrReplicate,
                ["copy", "\(source)/debian:12", "\(destination)/mirror/debian"]
            )
            #expect(copied.exitCode == 0, "\(copied.errors)")
            #expect(
                try await copied.lines == ["\(destination)/mirror/debian:12@\(Digest(of: image.manifest("multi")))"]
            )
            #expect(try proxy.requests.contains { $0.hasPrefix("429 ") }, "nothing was limited")
        }
    }

    /// Runs `body` with a registry behind nginx that has an image, and with another registry.
    private func withStage(
        _ habit: ReverseProxy.Habit,
        _ body: (DebianImage, RealRegistry, ReverseProxy, RealRegistry) async throws -> Void
    ) async throws {
        try await withScratchDirectory { directory in
            try makeDirectory("\(directory)/nginx")
            try await withTwoRegistries(in: directory) { registry, other in
                let image = try await DebianImage.make(in: directory)
                try await push(image, "multi", to: "\(registry.authority)/debian:12")
                try await withReverseProxy(habit, before: registry, in: "\(directory)/nginx") { proxy in
                    try await body(image, registry, proxy, other)
                }
            }
        }
    }
}
