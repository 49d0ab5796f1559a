import Content
import ECREmulator
import Replicate
import TestClouds

extension ScenarioCloud {
    /// Copies the source's `team/app:v1`, by default to the destination's `team/app`.
    func copy(
        _ options: CopyOptions = CopyOptions(referrers: .none),
        to destinations: [DestinationReference]? = nil,
        tags: [Tag] = []
    ) async throws -> [CopyResult] {
        try await replicator.copy(
            image("v1"),
            .one(.tag(Tag(parsing: "v1"))),
            to: destinations ?? [destination()],
            tags: tags,
            options
        )
    }

    /// Stores an image in the destination's `team/app`, as an earlier copy would have.
    func seedDestination(_ image: SeedImage, tag: String?) throws {
        try emulator.seed(image, tag: tag, account: Self.build, region: Self.far, repository: "team/app")
    }

    /// Creates the destination's `team/app` with immutable tags.
    func makeImmutableDestination() throws {
        try emulator.createRepository(account: Self.build, region: Self.far, "team/app", mutability: "IMMUTABLE")
    }

    /// Turns blob mounting on in the source's registry.
    func enableMounting() {
        emulator.setSetting("BLOB_MOUNTING", "ENABLED", account: Self.build, region: Self.home)
    }
}
