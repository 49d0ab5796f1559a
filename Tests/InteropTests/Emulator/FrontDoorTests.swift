import Content
import TestPrograms
import Testing

@Suite("Through a real nginx", .timeLimit(.minutes(2)), .needs(.registry, .skopeo, .umoci, .nginx, .python))
struct FrontDoorTests {
    @Test("blobs that are redirected are fetched where they are, without our credentials")
    func redirected() async throws {
        try await withStage(.redirectsBlobs) { image, registry, door, other in
            let copied = try await run(
                .ecrReplicate,
                ["copy", "--log-level", "trace", "\(door.authority)/debian:12", "\(other.authority)/debian"]
            )
            #expect(copied.exitCode == 0, "\(copied.errors)")
            #expect(try await copied.lines == ["\(other.authority)/debian:12@\(Digest(of: image.manifest("multi")))"])
            let requests = try door.requests
            // Two configurations and two layers, that both images share.
            #expect(requests.count { $0.hasPrefix("307 GET /v2/debian/blobs/") } == 4, "\(requests)")
            #expect(requests.count { $0.hasPrefix("200 GET /bucket/v2/debian/blobs/") } == 4, "\(requests)")
            #expect(!copied.errors.contains("s3cret"))
        }
    }

    @Test("a registry that answers 429 is waited for, as source and as destination", arguments: [true, false])
    func limited(isSource: Bool) async throws {
        try await withStage(.limitsRequests) { image, registry, door, other in
            let (source, destination) =
                isSource ? (door.authority, other.authority) : (registry.authority, door.authority)
            let copied = try await run(
                .ecrReplicate,
                ["copy", "\(source)/debian:12", "\(destination)/mirror/debian"]
            )
            #expect(copied.exitCode == 0, "\(copied.errors)")
            #expect(
                try await copied.lines == ["\(destination)/mirror/debian:12@\(Digest(of: image.manifest("multi")))"]
            )
            #expect(try door.requests.contains { $0.hasPrefix("429 ") }, "nothing was limited")
        }
    }

    /// A registry with an image in it behind nginx, and another one.
    private func withStage(
        _ habit: FrontDoor.Habit,
        _ body: (DebianImage, RealRegistry, FrontDoor, RealRegistry) async throws -> Void
    ) async throws {
        try await withScratchDirectory { directory in
            try makeDirectory("\(directory)/nginx")
            try await withTwoRegistries(in: directory) { registry, other in
                let image = try await DebianImage.make(in: directory)
                try await push(image, "multi", to: "\(registry.authority)/debian:12")
                try await withFrontDoor(habit, before: registry, in: "\(directory)/nginx") { door in
                    try await body(image, registry, door, other)
                }
            }
        }
    }
}
