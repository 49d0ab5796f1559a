import Content
import ECREmulator
import TestPrograms
import Testing

@Suite("The common recipe", .timeLimit(.minutes(1)), .needs(.docker, .aws))
struct ClassicRecipeTests {
    /// The recipe `docker manifest inspect IMAGE > FILE`, then `aws ecr put-image --image-manifest file://FILE`.
    @Test("changes the digest, and retag keeps it", arguments: ["OCI", "docker"])
    func recipe(vocabulary: String) async throws {
        let image: SeedImage = vocabulary == "OCI" ? .oci("app", layers: [5_000]) : .docker("app", layers: [5_000])
        try await withScratchDirectory { directory in
            try await withEmulator { emulator in
                let (account, region, repository) = (Cloud.build, Cloud.home, "team/app")
                try emulator.seed(image, tag: "v1", account: account, region: region, repository: repository)
                let registry = emulator.loopback(account: account, region: region)
                let password = try await emulator.answer("get-login-password", account: account, region: region)
                let environment = ["DOCKER_CONFIG": directory]
                let login = try await run(
                    .docker,
                    ["login", "--username", "AWS", "--password", password, registry],
                    environment: environment
                )
                #expect(login.exitCode == 0, "\(login.errors)")

                let inspected = try await run(
                    .docker,
                    ["manifest", "inspect", "--insecure", "\(registry)/\(repository):v1"],
                    environment: environment
                )
                #expect(inspected.exitCode == 0, "\(inspected.errors)")
                try write(inspected.output, to: "\(directory)/manifest.json")
                let byRecipe = try await emulator.answer(
                    "put-image",
                    "--repository-name",
                    repository,
                    "--image-tag",
                    "recipe",
                    "--image-manifest-media-type",
                    image.mediaType,
                    "--image-manifest",
                    "file://\(directory)/manifest.json",
                    "--query",
                    "image.imageId.imageDigest"
                )
                let host = emulator.registryHost(account: account, region: region)
                let ours = try await run(
                    .ecrReplicate,
                    ["retag", "\(host)/\(repository):v1", "ours"],
                    environment: emulator.variables()
                )

                print("the image          \(image.digest)")
                print("the classic recipe \(byRecipe)")
                print("ecr-replicate      \(ours.output.split(separator: "@").last ?? "")", terminator: "")
                #expect(ours.lines == ["\(host)/\(repository):ours@\(image.digest)"], "\(ours.errors)")
                let tags = emulator.tags(account: account, region: region, repository: repository)
                #expect(tags["ours"] == image.digest)
                #expect(tags["recipe"]?.description == byRecipe)
                #expect(byRecipe != image.digest.description)
            }
        }
    }
}
