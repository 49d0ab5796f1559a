import Content
import Foundation
import TestPrograms
import Testing

@testable import ECREmulator

/// The built command, and two repositories that hold the same: an index with attestations (`multi`), an image (`single`),
/// an SBOM of the index, and cosign's signature of the image.
struct VerifyScene: Sendable {
    let emulator: Emulator
    let folder: String
    let multi = SeedImage.twoPlatforms("multi", layersEach: [2_000])
    let single = SeedImage.oci("single", layers: [3_000, 4_000])

    static let build = "111122223333"
    static let production = "444455556666"
    static let (home, far) = ("us-east-1", "eu-west-1")

    var sbom: SeedImage { SeedImage.referrer(to: multi) }
    var signature: SeedImage { SeedImage.cosignSignature(of: single.digest) }
    var signatureTag: String { SeedImage.cosignTag(of: single.digest) }
    /// Every image of a side, with its tag.
    var all: [(SeedImage, String?)] { [(multi, "multi"), (single, "single"), (sbom, nil), (signature, signatureTag)] }

    var source: String { place(Self.build, Self.home, "team/app") }
    var destination: String { place(Self.production, Self.far, "prod/app") }

    func place(_ account: String, _ region: String, _ name: String) -> String {
        "\(emulator.registryHost(account: account, region: region))/\(name)"
    }

    /// Changes the destination's state without a request.
    func change(_ body: (inout EmulatedRepository) throws -> Void) throws {
        try emulator.change(Self.production, Self.far, "prod/app", body)
    }

    /// The identities of both accounts as profiles, with the build account's keys in the environment.
    var environment: [String: String] {
        let keys = Dictionary(
            uniqueKeysWithValues: emulator.environment(account: Self.build, region: Self.home).map {
                ($0.name, $0.value)
            }
        )
        return keys.merging(["HOME": folder, "AWS_CONFIG_FILE": "\(folder)/config"]) { $1 }
    }

    func run(_ arguments: String...) async throws -> Ended { try await run(arguments) }

    func run(_ arguments: [String]) async throws -> Ended {
        try await TestPrograms.run(.ecrReplicate, arguments, environment: environment)
    }

    /// Runs `verify` for every tag of the two repositories.
    func verify(_ more: String...) async throws -> Ended {
        try await run(["verify", "--all-tags", "--destination-profile", "production"] + more + [source, destination])
    }

    func json(_ ended: Ended) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(ended.outputBytes))
        return try #require(object as? [String: Any], "\(ended.errors)")
    }

    /// The number of requests by operation, without tokens.
    var counts: [String: Int] {
        let counted = emulator.requests.filter { $0.api != .sts && $0.operation != "GetAuthorizationToken" }
        return Dictionary(grouping: counted, by: \.operation).mapValues(\.count)
    }

    /// A rule file that copies `team/*` to `prod/*` of the other account.
    func rules(_ more: String) throws -> String {
        let text = """
            version: 1
            registries:
              build: { account: "\(Self.build)", region: \(Self.home), profile: build }
              production: { account: "\(Self.production)", region: \(Self.far), profile: production }
            rules:
              - name: all
                from: { registry: build, repository: "team/*" }
                to: { registry: production, repository: "prod/{name}" }
            \(more)
            """
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/rules.yaml"))
        return "\(folder)/rules.yaml"
    }
}

func withVerifyScene(
    _ configure: (inout EmulatorConfiguration) -> Void = { _ in },
    _ body: (VerifyScene) async throws -> Void
) async throws {
    var configuration = EmulatorConfiguration()
    configuration.enforcesPolicies = true
    configure(&configuration)
    try await withScratchDirectory { folder in
        try await withEmulator(configuration) { emulator in
            let scene = VerifyScene(emulator: emulator, folder: folder)
            let profiles = configuration.accounts.map { account in
                """
                [profile \(account.id == VerifyScene.build ? "build" : "production")]
                aws_access_key_id = \(account.accessKeyID)
                aws_secret_access_key = \(account.secretAccessKey)

                """
            }
            try Data(profiles.joined().utf8).write(to: URL(filePath: "\(folder)/config"))
            for (image, tag) in scene.all {
                try emulator.seed(
                    image,
                    tag: tag,
                    account: VerifyScene.build,
                    region: VerifyScene.home,
                    repository: "team/app"
                )
                try emulator.seed(
                    image,
                    tag: tag,
                    account: VerifyScene.production,
                    region: VerifyScene.far,
                    repository: "prod/app"
                )
            }
            try await body(scene)
        }
    }
}
