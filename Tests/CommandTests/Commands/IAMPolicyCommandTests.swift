import ECREmulator
import Foundation
import TestPrograms
import Testing

@testable import ecr_replicate

@Suite("iam-policy", .timeLimit(.minutes(1)))
struct IAMPolicyCommandTests {
    private static let source = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app"
    private static let destination = "444455556666.dkr.ecr.us-east-1.amazonaws.com/prod/app"

    private func run(_ arguments: String...) async throws -> Ended {
        // The command sends no requests: there is no network and no key.
        try await TestPrograms.run(.ecrReplicate, ["iam-policy"] + arguments, environment: ["HOME": "/nonexistent"])
    }

    private func json(_ ended: Ended) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(ended.outputBytes))
        return try #require(object as? [String: Any], "\(ended.errors)")
    }

    @Test("prints each policy under comments that say where to apply it")
    func text() async throws {
        let ended = try await run("--principal", "arn:aws:iam::111122223333:role/build", Self.source, Self.destination)
        #expect(ended.exitCode == 0 && ended.errors.isEmpty)
        #expect(
            ended.lines.filter { $0.hasPrefix("#") } == [
                "# source-identity: for role build in account 111122223333, who reads",
                "# this replaces a policy of that name",
                "#   aws iam put-role-policy --role-name build "
                    + "--policy-name ecr-replicate-source-111122223333-eu-west-1-team+app "
                    + "--policy-document file://source-identity.json",
                "# destination-identity: for role build in account 111122223333, who writes",
                "# this replaces a policy of that name",
                "#   aws iam put-role-policy --role-name build "
                    + "--policy-name ecr-replicate-destination-444455556666-us-east-1-prod+app "
                    + "--policy-document file://destination-identity.json",
                "# destination-repository: for each repository prod/app in account 444455556666, us-east-1;",
                "# if the repository has a policy, add the statement to it: this command would replace it",
                "#   aws ecr set-repository-policy --region us-east-1 --registry-id 444455556666 --repository-name prod/app "
                    + "--policy-text file://destination-repository.json",
            ]
        )
        let documents = ended.output.components(separatedBy: "\n\n").map { part in
            part.components(separatedBy: "\n").filter { !$0.hasPrefix("#") }.joined(separator: "\n")
        }
        #expect(documents.count == 3)
        for document in documents {
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(document.utf8)) }
        }
    }

    @Test("allows the key that signs the records of a file's promotions, and refuses it for other rules")
    func signingKey() async throws {
        let key = "arn:aws:kms:eu-west-1:444455556666:key/12345678-1234-1234-1234-123456789012"
        func policies(_ file: String) async throws -> Ended {
            try await run("-f", repositoryFile("config/examples/\(file)"), "--sign-record", "awskms:///\(key)")
        }
        let gated = try await policies("gates.yaml")
        #expect(gated.exitCode == 0, "\(gated.errors)")
        #expect(gated.output.contains("kms:Sign") && gated.output.contains(key), "\(gated.output)")
        #expect(gated.output.contains("ecr:DescribeImageScanFindings"))
        let other = try await policies("regions.yaml")
        #expect(other.exitCode == 64 && other.errors.contains("none of the rules has gates"), "\(other.errors)")
    }

    @Test("prints one policy alone, or an error if there is none")
    func only() async throws {
        let one = try await run("--only", "destination-repository", Self.source, Self.destination)
        #expect(try json(one)["Version"] as? String == "2012-10-17")
        let none = try await run("--only", "source-repository", Self.source, Self.destination)
        #expect(none.exitCode == 64 && none.output.isEmpty)
        #expect(none.errors.contains("this copy doesn't need the policy 'source-repository'"))
    }

    @Test("prints a document with one policy that fits the schema")
    func onlyInDocument() async throws {
        let one = try json(
            try await run("--only", "destination-repository", "--output", "json", Self.source, Self.destination)
        )
        let policies = try #require(one["policies"] as? [[String: Any]])
        #expect(policies.map { $0["names"] as? [String] } == [["destination-repository"]])
        #expect(one["command"] as? String == "iam-policy" && one["exitCode"] as? Int == 0)
        let none = try await run("--only", "source-trust", "--output", "json", Self.source, Self.destination)
        #expect(none.exitCode == 64)
        #expect(try json(none)["exitCode"] as? Int == 64)
    }

    @Test("prints the policies for assuming a role, under comments that say where to apply them")
    func roles() async throws {
        let arguments = [
            "iam-policy", "--principal", "arn:aws:iam::111122223333:role/build",
            "--destination-role-arn", "arn:aws:iam::444455556666:role/promoter", "--destination-external-id", "ex-1",
            Self.source, Self.destination,
        ]
        let ended = try await TestPrograms.run(.ecrReplicate, arguments, environment: ["HOME": "/nonexistent"])
        #expect(ended.exitCode == 0 && ended.errors.isEmpty)
        #expect(
            ended.lines.filter { $0.hasPrefix("#") }.prefix(5) == [
                "# destination-trust: for role promoter in account 444455556666, which says who may assume it",
                "# to create the role",
                "#   aws iam create-role --role-name promoter --assume-role-policy-document file://destination-trust.json",
                "# if the role exists, add the statement to its trust policy: this command would replace it",
                "#   aws iam update-assume-role-policy --role-name promoter --policy-document "
                    + "file://destination-trust.json",
            ]
        )
        #expect(
            ended.lines.filter { $0.hasPrefix("#") }.suffix(3) == [
                "# destination-caller: for role build in account 111122223333, who assumes role promoter in account "
                    + "444455556666",
                "# this replaces a policy of that name",
                "#   aws iam put-role-policy --role-name build --policy-name ecr-replicate-assume-444455556666-promoter "
                    + "--policy-document file://destination-caller.json",
            ]
        )
    }

    @Test("uses the profile that a flag names, and no other")
    func profile() async throws {
        let home = FileManager.default.temporaryDirectory.path + "/iam-policy-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: home) }
        try FileManager.default.createDirectory(atPath: home + "/.aws", withIntermediateDirectories: true)
        let config = """
            [default]
            role_arn = arn:aws:iam::111122223333:role/usual
            source_profile = person
            [profile person]
            sso_start_url = https://corp.awsapps.com/start
            sso_region = eu-west-1
            sso_account_id = 111122223333
            sso_role_name = Deploy
            [profile promoter]
            role_arn = arn:aws:iam::444455556666:role/promoter
            source_profile = person
            external_id = ex-1
            """
        try Data(config.utf8).write(to: URL(filePath: home + "/.aws/config"))
        func policies(_ arguments: String...) async throws -> [[String: Any]] {
            let ended = try await TestPrograms.run(
                .ecrReplicate,
                ["iam-policy", "--output", "json"] + arguments + [Self.source, Self.destination],
                environment: ["HOME": home, "AWS_CONFIG_FILE": "~/.aws/config", "AWS_PROFILE": "promoter"]
            )
            return try #require(try json(ended)["policies"] as? [[String: Any]], "\(ended.errors)")
        }
        let none = try await policies()
        #expect(none.map { $0["kind"] as? String } == ["identity", "identity", "repository"])
        let named = try await policies("--destination-profile", "promoter", "--source-profile", "person")
        let person =
            "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Deploy_????????????????"
        let promoter = "arn:aws:iam::444455556666:role/promoter"
        #expect(named.map { $0["holder"] as? String } == [promoter, person, promoter, person])
        let absent = try await run("--profile", "absent", Self.source, Self.destination)
        #expect(absent.exitCode == 64 && absent.errors.contains("there is no profile 'absent'"))
    }

    @Test("accepts copy's command line unchanged, and several destinations")
    func copysFlags() async throws {
        let ended = try await run(
            "--referrers",
            "none",
            "--jobs",
            "4",
            "--tag",
            "stable",
            "--if-exists",
            "fail",
            "--platform",
            "linux/arm64",
            "--only",
            "destination-identity",
            Self.source,
            Self.destination,
            "\(Self.destination)-too"
        )
        let statements = try #require(try json(ended)["Statement"] as? [[String: Any]])
        let prefix = "arn:aws:ecr:us-east-1:444455556666:repository/prod/app"
        #expect(statements.last?["Resource"] as? [String] == [prefix, "\(prefix)-too"])
    }

    @Test("accepts every flag of copy, and ignores flags that don't affect policies")
    func indifferentFlags() async throws {
        let flags = [
            "--progress", "none", "--region", "eu-west-1", "--log-level", "debug", "--ca-bundle", "/x",
            "--destination-endpoint-url", "https://x.test", "--source-registry-endpoint", "https://x.test", "--fips",
            "--source-dual-stack", "--dry-run",
        ]
        let arguments = [Self.source, Self.destination]
        let bare = try await TestPrograms.run(.ecrReplicate, ["iam-policy"] + arguments)
        let flagged = try await TestPrograms.run(.ecrReplicate, ["iam-policy"] + flags + arguments)
        #expect(bare.exitCode == 0 && flagged.exitCode == 0, "\(flagged.errors)")
        #expect(bare.output == flagged.output)
        let known = KnownOptions(of: EcrReplicate.self)
        for option in known["copy"] {
            #expect(known.complaint(about: ["iam-policy", option]) == nil)
        }
    }

    @Test("refuses principals that can't be in a policy, and names that are patterns")
    func impossible() async throws {
        for (arguments, words) in [
            (["--principal", "arn:aws-us-gov:iam::999900001111:role/build"], "but no repository is"),
            (["--destination-role-arn", "arn:aws:iam::444455556666:role/*"], "is not the ARN of a role"),
        ] {
            let all = ["iam-policy"] + arguments + [Self.source, Self.destination]
            let refused = try await TestPrograms.run(.ecrReplicate, all, environment: ["HOME": "/nonexistent"])
            #expect(refused.exitCode == 64 && refused.output.isEmpty)
            #expect(refused.errors.contains(words), "\(refused.errors)")
        }
    }

    @Test("refuses a permission set of the profile whose name is a pattern")
    func patternsInProfile() async throws {
        let home = FileManager.default.temporaryDirectory.path + "/iam-policy-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: home) }
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        let config = """
            [profile wildcard]
            sso_start_url = https://corp.awsapps.com/start
            sso_region = eu-west-1
            sso_account_id = 111122223333
            sso_role_name = *
            """
        try Data(config.utf8).write(to: URL(filePath: home + "/config"))
        let refused = try await TestPrograms.run(
            .ecrReplicate,
            ["iam-policy", "--profile", "wildcard", Self.source, Self.destination],
            environment: ["HOME": home, "AWS_CONFIG_FILE": home + "/config"]
        )
        #expect(refused.exitCode == 64 && refused.output.isEmpty)
        #expect(refused.errors.contains("name no permission set"), "\(refused.errors)")
    }

    @Test("refuses a key that isn't in a destination's region")
    func strayKey() async throws {
        let refused = try await run(
            "--kms-key",
            "arn:aws:kms:eu-west-1:444455556666:key/1",
            "--role-arn",
            "arn:aws:iam::444455556666:role/promoter",
            Self.source,
            Self.destination
        )
        #expect(refused.exitCode == 64)
        #expect(refused.errors.contains("the KMS key is not in a destination's region"))
    }

    @Test("suggests a role if a repository must be created in another account")
    func foreignCreation() async throws {
        let refused = try await run("--create-repository", "defaults", Self.source, Self.destination)
        #expect(refused.exitCode == 64 && refused.output.isEmpty)
        #expect(refused.errors.contains("name a role of account 444455556666 with --destination-role-arn"))
        let role = ["--destination-role-arn", "arn:aws:iam::444455556666:role/promoter"]
        let printed = try await run(
            "--create-repository",
            "defaults",
            role[0],
            role[1],
            "--only",
            "destination-identity",
            Self.source,
            Self.destination
        )
        #expect(printed.exitCode == 0 && printed.output.contains("ecr:CreateRepository"))
        // A role of a third account isn't enough, with any principal.
        let third = try await run(
            "--create-repository",
            "defaults",
            "--destination-role-arn",
            "arn:aws:iam::777788889999:role/promoter",
            Self.source,
            Self.destination
        )
        #expect(third.exitCode == 64 && third.errors.contains("role promoter in account 777788889999 can't create"))
    }

    @Test("prints one document with all policies")
    func document() async throws {
        let ended = try json(try await run("--output", "json", Self.source, Self.destination))
        #expect(ended["command"] as? String == "iam-policy" && ended["exitCode"] as? Int == 0)
        let policies = try #require(ended["policies"] as? [[String: Any]])
        #expect(
            policies.flatMap { $0["names"] as? [String] ?? [] } == [
                "source-identity", "destination-identity", "destination-repository",
            ]
        )
        let root = "arn:aws:iam::111122223333:root"
        #expect(policies.map { $0["holder"] as? String } == [root, root, nil])
        #expect(
            policies.last?["repositories"] as? [String] == ["arn:aws:ecr:us-east-1:444455556666:repository/prod/app"]
        )
        #expect(policies.allSatisfy { ($0["policy"] as? [String: Any])?["Statement"] != nil })
        #expect(policies.allSatisfy { ($0["commands"] as? [String])?.first?.hasPrefix("aws ") == true })
    }
}

@Suite("Several images with the same failure", .timeLimit(.minutes(1)))
struct RepeatedRemedyTests {
    @Test("get the remedy once")
    func once() async throws {
        try await withStage { stage in
            try stage.seed(.oci("other", layers: [10]), tag: "v2", in: Stage.home)
            try stage.emulator.createRepository(account: Stage.account, region: Stage.far, "team/app")
            stage.emulator.deny(action: "PutImage")
            let ended = try await stage.run(
                "copy",
                "--all-tags",
                "--referrers",
                "none",
                stage.source,
                stage.destination
            )
            #expect(ended.exitCode == 4)
            #expect(ended.errors.components(separatedBy: "not allowed to ecr:PutImage").count == 3, "\(ended.errors)")
            #expect(ended.errors.components(separatedBy: "\n  next: as above\n").count == 2)
            #expect(ended.errors.components(separatedBy: #"{"Effect":"Allow""#).count == 2)
        }
    }
}
