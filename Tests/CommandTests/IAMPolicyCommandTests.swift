import ECREmulator
import Foundation
import TestPrograms
import Testing

@Suite("iam-policy", .timeLimit(.minutes(1)))
struct IAMPolicyCommandTests {
    private static let source = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app"
    private static let destination = "444455556666.dkr.ecr.us-east-1.amazonaws.com/prod/app"

    private func run(_ arguments: String...) async throws -> Ended {
        // Nobody is asked: there is neither a network nor a key.
        try await TestPrograms.run(.ecrReplicate, ["iam-policy"] + arguments, environment: ["HOME": "/nonexistent"])
    }

    private func json(_ ended: Ended) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(ended.outputBytes))
        return try #require(object as? [String: Any], "\(ended.errors)")
    }

    @Test("prints each policy under comments that say where it belongs")
    func text() async throws {
        let ended = try await run("--role-arn", "arn:aws:iam::111122223333:role/build", Self.source, Self.destination)
        #expect(ended.exitCode == 0 && ended.errors.isEmpty)
        #expect(
            ended.lines.filter { $0.hasPrefix("#") } == [
                "# source-identity: for role build in account 111122223333, who reads",
                "# this would replace a policy of that name",
                "#   aws iam put-role-policy --role-name build "
                    + "--policy-name ecr-replicate-source-111122223333-eu-west-1-team+app "
                    + "--policy-document file://source-identity.json",
                "# destination-identity: for role build in account 111122223333, who writes",
                "# this would replace a policy of that name",
                "#   aws iam put-role-policy --role-name build "
                    + "--policy-name ecr-replicate-destination-444455556666-us-east-1-prod+app "
                    + "--policy-document file://destination-identity.json",
                "# destination-repository: for each repository prod/app in account 444455556666, us-east-1;",
                "# add the statement to a policy that is there already, which this would replace",
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

    @Test("prints one policy alone, or says that there is none")
    func only() async throws {
        let one = try await run("--only", "destination-repository", Self.source, Self.destination)
        #expect(try json(one)["Version"] as? String == "2012-10-17")
        let none = try await run("--only", "source-repository", Self.source, Self.destination)
        #expect(none.exitCode == 64 && none.output.isEmpty)
        #expect(none.errors.contains("this copy needs no source-repository policy"))
    }

    @Test("points to a role where a repository is to be created in another account")
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
    }

    @Test("prints one document with all of them")
    func document() async throws {
        let ended = try json(try await run("--output", "json", Self.source, Self.destination))
        let destination = try #require(ended["destination"] as? [String: Any])
        #expect(ended["command"] as? String == "iam-policy" && ended["exitCode"] as? Int == 0)
        #expect(destination["caller"] as? String == "arn:aws:iam::111122223333:root")
        #expect(destination["resource"] as? String == "arn:aws:ecr:us-east-1:444455556666:repository/prod/app")
        #expect(destination["repositoryPolicy"] != nil)
        #expect((ended["source"] as? [String: Any])?["repositoryPolicy"] == nil)
    }
}

@Suite("Several images that fail for one reason", .timeLimit(.minutes(1)))
struct RepeatedRemedyTests {
    @Test("hear once what to do")
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
