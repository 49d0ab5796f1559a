import Content
import ECREmulator
import TestPrograms

/// The built command, and an emulator with the image `team/app:v1` and an empty destination.
struct Stage: Sendable {
    let emulator: Emulator
    let image: SeedImage

    static let account = "111122223333"
    static let (home, far) = ("us-east-1", "eu-west-1")

    /// The source repository, `team/app`.
    var source: String { "\(emulator.registryHost(account: Self.account, region: Self.home))/team/app" }
    /// The repository `team/app` in another region.
    var destination: String { "\(emulator.registryHost(account: Self.account, region: Self.far))/team/app" }

    var environment: [String: String] {
        Dictionary(uniqueKeysWithValues: emulator.environment.map { ($0.name, $0.value) })
    }

    func run(_ arguments: String..., with more: [String: String] = [:]) async throws -> Ended {
        try await TestPrograms.run(
            .ecrReplicate,
            arguments,
            environment: environment.merging(more) { _, new in new }
        )
    }

    @discardableResult
    func seed(_ image: SeedImage, tag: String, in region: String = far) throws -> Digest {
        try emulator.seed(image, tag: tag, account: Self.account, region: region, repository: "team/app")
    }

    func tags(in region: String = far) -> [String: Digest] {
        emulator.tags(account: Self.account, region: region, repository: "team/app")
    }
}

func withStage<Result>(
    _ configuration: EmulatorConfiguration = EmulatorConfiguration(),
    _ body: (Stage) async throws -> Result
) async throws -> Result {
    let image = SeedImage.oci("app", layers: [3_000, 70_000])
    return try await withEmulator(configuration) { emulator in
        let stage = Stage(emulator: emulator, image: image)
        try stage.seed(image, tag: "v1", in: Stage.home)
        try emulator.createRepository(account: Stage.account, region: Stage.far, "team/app")
        return try await body(stage)
    }
}
