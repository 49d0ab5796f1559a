import Content
import ECREmulator
import TestPrograms
import Testing

@Suite("The AWS CLI with the emulator", .timeLimit(.minutes(1)), .needs(.aws))
struct AWSCLITests {
    @Test("creates repositories, and reports those that exist or are missing")
    func repositories() async throws {
        try await withEmulator { emulator in
            let uri = try await emulator.answer(
                "create-repository",
                "--repository-name",
                "team/cli",
                "--query",
                "repository.[repositoryName,registryId,imageTagMutability]"
            )
            #expect(uri == "team/cli \(Cloud.build) MUTABLE")
            let again = try await emulator.refusal("create-repository", "--repository-name", "team/cli")
            #expect(again == "RepositoryAlreadyExistsException")
            for number in 1...4 {
                try emulator.createRepository(account: Cloud.build, region: Cloud.home, "team/more\(number)")
            }

            let names = try await emulator.answer(
                "describe-repositories",
                "--page-size",
                "2",
                "--query",
                "repositories[].repositoryName"
            )
            #expect(names == "team/cli team/more1 team/more2 team/more3 team/more4")
            #expect(emulator.count("DescribeRepositories") == 3)
            let missing = try await emulator.refusal("describe-repositories", "--repository-names", "team/none")
            #expect(missing == "RepositoryNotFoundException")
        }
    }

    @Test("puts an image from a file, and reads it back by tag and by digest")
    func images() async throws {
        try await withScratchDirectory { directory in
            try await withEmulator { emulator in
                let image = SeedImage.oci("by hand", layers: [1_000])
                try emulator.createRepository(account: Cloud.build, region: Cloud.home, "team/cli")
                try write(String(decoding: image.bytes, as: UTF8.self), to: "\(directory)/manifest.json")
                let put = [
                    "put-image", "--repository-name", "team/cli", "--image-tag", "v1", "--image-manifest-media-type",
                    image.mediaType, "--image-manifest", "file://\(directory)/manifest.json", "--query",
                    "image.imageId.imageDigest",
                ]
                let early = try await emulator.aws(put)
                #expect(early.errors.contains("(LayersNotFoundException)"), "\(early.errors)")
                try emulator.seed(
                    image,
                    account: Cloud.build,
                    region: Cloud.home,
                    repository: "team/cli"
                )

                let stored = try await emulator.aws(put)

                #expect(stored.lines == ["\(image.digest)"], "\(stored.errors)")
                #expect(
                    emulator.tag("v1", account: Cloud.build, region: Cloud.home, repository: "team/cli") == image.digest
                )
                let twice = try await emulator.aws(put)
                #expect(twice.errors.contains("(ImageAlreadyExistsException)"), "\(twice.errors)")
                let read = try await emulator.answer(
                    "batch-get-image",
                    "--repository-name",
                    "team/cli",
                    "--image-ids",
                    "imageTag=v1",
                    "imageTag=v2",
                    "--query",
                    "[images[].imageId.imageDigest,images[].imageManifestMediaType,failures[].failureCode]"
                )
                #expect(read == "\(image.digest) \(image.mediaType) ImageNotFound")
                let missing = try await emulator.refusal(
                    "describe-images",
                    "--repository-name",
                    "team/cli",
                    "--image-ids",
                    "imageTag=v2"
                )
                #expect(missing == "ImageNotFoundException")
            }
        }
    }

    @Test("pages through images, and stops and continues as requested")
    func paging() async throws {
        try await withEmulator { emulator in
            for number in 1...5 {
                try emulator.seed(
                    .oci("image \(number)", layers: [100]),
                    tag: "v\(number)",
                    account: Cloud.build,
                    region: Cloud.home,
                    repository: "team/cli"
                )
            }
            let all = try await emulator.answer(
                "describe-images",
                "--repository-name",
                "team/cli",
                "--page-size",
                "2",
                "--query",
                "sort(imageDetails[].imageTags[])"
            )
            // With text output the CLI applies --query page by page.
            #expect(all.split(separator: " ").sorted() == ["v1", "v2", "v3", "v4", "v5"])
            #expect(emulator.count("DescribeImages") == 3)

            let command = ["list-images", "--repository-name", "team/cli", "--filter", "tagStatus=TAGGED"]
            let first = try await emulator.aws(command + ["--max-items", "3"])
            let rows = first.lines.filter { $0.hasPrefix("IMAGEIDS") }
            #expect(rows.count == 3, "\(first.output)\(first.errors)")
            let token = try #require(first.lines.first { $0.hasPrefix("NEXTTOKEN") }?.split(separator: "\t").last)
            let rest = try await emulator.aws(command + ["--starting-token", "\(token)"])
            #expect(rest.lines.filter { $0.hasPrefix("IMAGEIDS") }.count == 2, "\(rest.output)\(rest.errors)")
            #expect(Set(rows + rest.lines).count == 5)
        }
    }

    @Test("a key with the wrong secret is refused")
    func signature() async throws {
        try await withEmulator { emulator in
            var variables = emulator.variables()
            variables["AWS_SECRET_ACCESS_KEY"] = "not-the-secret"
            let refused = try await run(.aws, ["ecr", "get-authorization-token"], environment: variables)
            #expect(refused.output.isEmpty)
            #expect(refused.errors.contains("(InvalidSignatureException)"), "\(refused.errors)")
        }
    }
}
