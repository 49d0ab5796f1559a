import ECREmulator
import Foundation
import TestPrograms
import Testing

@Suite("--create-repository like-source", .timeLimit(.minutes(1)))
struct LikeSourceCommandTests {
    private static let key = "arn:aws:kms:us-east-1:111122223333:key/1"
    private static let policy =
        #"{"Statement":{"Effect":"Allow","Action":"ecr:BatchGetImage","Principal":{"AWS":"arn:aws:iam::111122223333:root"}}}"#

    /// A stage whose source has a KMS key of its own, and the place of a repository that is missing.
    private func withSource(_ body: (Stage, _ place: String) async throws -> Void) async throws {
        try await withStage { stage in
            var settings = EmulatedSettings()
            (settings.mutability, settings.exclusions) = ("IMMUTABLE_WITH_EXCLUSION", ["dev-*"])
            (settings.encryption, settings.kmsKey) = ("KMS", Self.key)
            settings.repositoryPolicy = Self.policy
            try stage.emulator.setSettings(
                settings,
                account: Stage.account,
                region: Stage.home,
                repository: "team/app"
            )
            try await body(stage, stage.destination.replacing("team/app", with: "team/new"))
        }
    }

    private func made(_ stage: Stage) -> EmulatedSettings? {
        stage.emulator.settings(account: Stage.account, region: Stage.far, repository: "team/new")
    }

    @Test("creates the repository, and a second run changes nothing", arguments: ["copy", "promote"])
    func creates(_ command: String) async throws {
        try await withSource { stage, place in
            let arguments = [
                command, "--create-repository", "like-source", "--kms-key", "\(Self.key)=alias/far",
                "\(stage.source):v1", place,
            ]
            let ended = try await run(.ecrReplicate, arguments, environment: stage.environment)
            #expect(ended.exitCode == 0, "\(ended.errors)")
            let settings = try #require(made(stage))
            #expect(settings.kmsKey == "alias/far" && settings.exclusions == ["dev-*"])
            #expect(settings.repositoryPolicy == Self.policy)
            let again = try await run(.ecrReplicate, arguments, environment: stage.environment)
            #expect(again.exitCode == 0 && made(stage) == settings)
            #expect(again.errors.contains("nothing to do"))
        }
    }

    @Test("with --dry-run prints the settings, as text and as JSON, and creates nothing")
    func dryRun() async throws {
        try await withSource { stage, place in
            let arguments = ["copy", "--dry-run", "--create-repository", "like-source", "--kms-key", "1=alias/far"]
            let places = ["\(stage.source):v1", place]
            let text = try await run(.ecrReplicate, arguments + places, environment: stage.environment)
            #expect(
                text.lines.contains(
                    "  create  \(place)  like the source: immutable tags (except dev-*), KMS key alias/far, repository "
                        + "policy (1 statement)"
                ),
                "\(text.output)"
            )
            let json = try await run(
                .ecrReplicate,
                arguments + ["--output", "json"] + places,
                environment: stage.environment
            )
            let document = try #require(
                try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
            )
            let plan = ((document["results"] as? [[String: Any]])?.first)?["plan"] as? [String: Any]
            #expect(
                plan?["creationSettings"] as? [String] == [
                    "immutable tags (except dev-*)", "KMS key alias/far", "repository policy (1 statement)",
                ]
            )
            #expect(text.exitCode == 0 && json.exitCode == 0 && made(stage) == nil)
        }
    }

    @Test("without the key for a key of the source fails before anything is created")
    func unmapped() async throws {
        try await withSource { stage, place in
            let ended = try await stage.run("copy", "--create-repository", "like-source", "\(stage.source):v1", place)
            #expect(ended.exitCode == 1 && ended.output.isEmpty && made(stage) == nil)
            #expect(ended.errors.contains("is encrypted with the KMS key '\(Self.key)', and no key is named for it"))
            #expect(ended.errors.contains("--kms-key \(Self.key)=KEY"))
        }
    }

    @Test("chooses the key by the destination's region")
    func regions() async throws {
        try await withSource { stage, place in
            let third = "\(stage.emulator.registryHost(account: Stage.account, region: "ap-south-1"))/team/new"
            let keys = ["ap-south-1", Stage.far].map { "arn:aws:kms:\($0):111122223333:key/2" }
            let ended = try await run(
                .ecrReplicate,
                ["copy", "--create-repository", "like-source"] + keys.flatMap { ["--kms-key", "\(Self.key)=\($0)"] }
                    + ["\(stage.source):v1", place, third],
                environment: stage.environment
            )
            #expect(ended.exitCode == 0, "\(ended.errors)")
            #expect(made(stage)?.kmsKey == keys[1])
            let other = stage.emulator.settings(account: Stage.account, region: "ap-south-1", repository: "team/new")
            #expect(other?.kmsKey == keys[0])
        }
    }

    @Test("says what is missing if a policy may not be set, and exits with 0")
    func noted() async throws {
        try await withSource { stage, place in
            stage.emulator.deny(action: "SetRepositoryPolicy")
            let ended = try await stage.run(
                "copy",
                "--create-repository",
                "like-source",
                "--kms-key",
                "1=alias/far",
                "\(stage.source):v1",
                place
            )
            #expect(ended.exitCode == 0, "\(ended.errors)")
            #expect(
                ended.errors.contains("note: \(place) was created without its repository policy"),
                "\(ended.errors)"
            )
        }
    }

    @Test(
        "refuses keys that make no sense",
        arguments: [
            (["--kms-key", "alias/a=alias/b"], "--kms-key is for repositories that are created like the source's"),
            (["--create-repository", "like-source", "--kms-key", "alias/a"], "'alias/a' is not SOURCE=KEY"),
            (["--create-repository", "like-source", "--kms-key", "alias/a=b c"], "'alias/a=b c' is not SOURCE=KEY"),
        ]
    )
    func usage(options: [String], text: String) async throws {
        for command in ["copy", "doctor"] {
            let ended = try await run(.ecrReplicate, [command] + options + ["team/app:v1", "x/y"], environment: [:])
            #expect(ended.exitCode == 64 && ended.errors.contains(text), "\(ended.errors)")
        }
    }

    @Test("of iam-policy takes the same flags, and lists the actions of each side")
    func policies() async throws {
        let arguments = ["iam-policy", "--create-repository", "like-source", "--kms-key", "\(Self.key)=alias/far"]
        let places = [
            "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/app", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/",
        ]
        let source = try await run(
            .ecrReplicate,
            arguments + ["--only", "source-identity"] + places,
            environment: [:]
        )
        for action in ["DescribeRepositories", "ListTagsForResource", "GetLifecyclePolicy", "GetRepositoryPolicy"] {
            #expect(source.output.contains("\"ecr:\(action)\""))
        }
        let destination = try await run(
            .ecrReplicate,
            arguments + ["--only", "destination-identity"] + places,
            environment: [:]
        )
        for action in ["CreateRepository", "TagResource", "PutLifecyclePolicy", "SetRepositoryPolicy"] {
            #expect(destination.output.contains("\"ecr:\(action)\""))
        }
        #expect(destination.output.contains("\"kms:ResourceAliases\": \"alias/far\""), "\(destination.output)")
    }

    @Test("of doctor says which settings the repository would get")
    func doctor() async throws {
        try await withSource { stage, place in
            let ended = try await stage.run(
                "doctor",
                "--create-repository",
                "like-source",
                "--kms-key",
                "1=alias/far",
                "\(stage.source):v1",
                place
            )
            #expect(ended.exitCode == 0, "\(ended.output)")
            #expect(ended.output.contains("it is created with immutable tags (except dev-*), KMS key alias/far"))
        }
    }
}
