import AWSIdentity
import ECREmulator
import Platform
import TestPrograms
import Testing

@Suite("The library example", .timeLimit(.minutes(1)))
struct LibraryExampleTests {
    @Test("copies an image to another account, by a role there")
    func copies() async throws {
        try await withEmulator { emulator in
            let image = SeedImage.twoPlatforms("app", layersEach: [1_000])
            try emulator.seed(image, tag: "v1", account: "111122223333", region: "eu-west-1", repository: "team/app")
            let variables = Dictionary(uniqueKeysWithValues: emulator.environment.map { ($0.name, $0.value) })
            let held = try await copyImage(
                "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1",
                to: "444455556666.dkr.ecr.eu-west-1.amazonaws.com/prod/app",
                as: IdentityOptions(roleARN: "arn:aws:iam::444455556666:role/promoter"),
                environment: AWSEnvironment(variables: variables, home: "/nonexistent")
            )
            #expect(held == ["444455556666.dkr.ecr.eu-west-1.amazonaws.com/prod/app:v1@\(image.digest)"])
            let there = emulator.tag("v1", account: "444455556666", region: "eu-west-1", repository: "prod/app")
            #expect(there == image.digest)
        }
    }

    @Test("is what docs/library.md shows")
    func isWhatThePageShows() throws {
        let example = try text("Tests/ReplicateTests/Copy/LibraryExample.swift")
        let page = try text("docs/library.md")
        #expect(page.contains("```swift\n\(example)```\n"), "copy LibraryExample.swift into docs/library.md")
    }

    private func text(_ path: String) throws -> String {
        String(decoding: try #require(try DurableFile.read(repositoryFile(path), limit: 1 << 20)), as: UTF8.self)
    }
}
