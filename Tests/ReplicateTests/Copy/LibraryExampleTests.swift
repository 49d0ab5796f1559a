import AWSIdentity
import Content
import ECREmulator
import Logging
import Platform
import Replicate
import TestPrograms
import Testing

@Suite("The library example", .timeLimit(.minutes(1)))
struct LibraryExampleTests {
    private static let source = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1"
    private static let production = "444455556666.dkr.ecr.eu-west-1.amazonaws.com/prod/app"
    private static let far = "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/app"

    private func withImage(_ body: (Emulator, SeedImage, AWSEnvironment) async throws -> Void) async throws {
        try await withEmulator { emulator in
            let image = SeedImage.twoPlatforms("app", layersEach: [1_000])
            try emulator.seed(image, tag: "v1", account: "111122223333", region: "eu-west-1", repository: "team/app")
            let variables = Dictionary(uniqueKeysWithValues: emulator.environment.map { ($0.name, $0.value) })
            try await body(emulator, image, AWSEnvironment(variables: variables, home: "/nonexistent"))
        }
    }

    @Test("The example copies an image to another account with a role of that account")
    func copies() async throws {
        try await withImage { emulator, image, environment in
            let held = try await copyImage(
                Self.source,
                to: Self.production,
                as: IdentityOptions(roleARN: "arn:aws:iam::444455556666:role/promoter"),
                environment: environment
            )
            #expect(held == ["\(Self.production):v1@\(image.digest)"])
            let there = emulator.tag("v1", account: "444455556666", region: "eu-west-1", repository: "prod/app")
            #expect(there == image.digest)
        }
    }

    @Test("The example plans a copy and returns the refusals")
    func plans() async throws {
        try await withImage { emulator, image, environment in
            try emulator.createRepository(account: "111122223333", region: "us-east-1", "team/app")
            let free = try await planImage(Self.source, to: Self.far, environment: environment)
            #expect(free.bytes > 2_000 && free.refusals.isEmpty)
            let other = SeedImage.oci("other", layers: [10])
            try emulator.seed(other, tag: "v1", account: "111122223333", region: "us-east-1", repository: "team/app")
            let refused = try await planImage(Self.source, to: Self.far, environment: environment)
            let tag = try Content.Tag(parsing: "v1")
            #expect(refused.refusals == [.tagHolds(tag: tag, holds: other.digest, wanted: image.digest)])
        }
    }

    @Test("The example logs each blob that arrives")
    func progress() async throws {
        try await withImage { _, image, environment in
            let lines = Lock<[String]>([])
            let logger = Logger(label: "example") { _ in MessageRecorder(lines: lines) }
            let results = try await copyLogging(Self.source, to: Self.far, environment: environment, logger: logger)
            #expect(results.first?.error == nil)
            let moved = lines.withLock { $0.filter { $0.hasPrefix("moved sha256:") } }
            #expect(moved.count == Set(image.blobs.map(\.digest)).count)
        }
    }

    @Test("The example uses a custom credential source")
    func vault() async throws {
        try await withImage { emulator, _, environment in
            var variables = environment.variables
            let id = variables.removeValue(forKey: "AWS_ACCESS_KEY_ID") ?? ""
            let secret = variables.removeValue(forKey: "AWS_SECRET_ACCESS_KEY") ?? ""
            let asked = Lock(0)
            let vault = Vault {
                asked.withLock { $0 += 1 }
                return (id, secret)
            }
            let results = try await copyWithVault(
                Self.source,
                to: Self.far,
                vault,
                environment: AWSEnvironment(variables: variables, home: "/nonexistent")
            )
            #expect(results.first?.error == nil, "\(results)")
            #expect(asked.withLock { $0 } > 0)
        }
    }

    @Test("docs/library.md shows the example")
    func isWhatThePageShows() throws {
        let example = try text("Tests/ReplicateTests/Copy/LibraryExample.swift")
        let page = try text("docs/library.md")
        #expect(page.contains("```swift\n\(example)```\n"), "copy LibraryExample.swift into docs/library.md")
    }

    private func text(_ path: String) throws -> String {
        String(decoding: try #require(try DurableFile.read(repositoryFile(path), limit: 1 << 20)), as: UTF8.self)
    }
}

/// Records the messages of a logger.
private struct MessageRecorder: LogHandler {
    let lines: Lock<[String]>
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.withLock { $0.append("\(event.message)") } }
}
