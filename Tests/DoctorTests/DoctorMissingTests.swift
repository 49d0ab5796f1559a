import Content
import ECRAPI
import ECREmulator
import Replicate
import Reporting
import TestClouds
import Testing

@testable import Doctor

@Suite("The doctor at a missing repository", .timeLimit(.minutes(1)))
struct DoctorMissingTests: DoctorScene {
    /// The destination's, but for who is calling.
    private func destinationLines(_ diagnosis: Diagnosis) -> [String] {
        lines(diagnosis).filter { $0.contains(" destination ") }.filter { !$0.contains(" identity: ") }
    }

    private func base(_ cloud: ScenarioCloud) -> String {
        "http://\(cloud.emulator.registryHost(account: ScenarioCloud.build, region: ScenarioCloud.far))"
    }

    @Test("makes every check that doesn't need the repository, and says how to create it")
    func missing() async throws {
        try await withPatient { cloud, doctor in
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination("nowhere"))
            #expect(
                destinationLines(diagnosis).dropFirst(2) == [
                    "failed destination repository: the repository does not exist",
                    "ok destination ecr:GetAuthorizationToken: allowed",
                    "ok destination registry: \(base(cloud)) answers and accepts the token",
                    "ok destination pull-through: no rule covers the repository",
                    "ok destination mounting: off: layers are uploaded to each repository",
                ]
            )
            let remedy = try #require(diagnosis.findings.first { $0.status == .failed }?.remedy)
            #expect(remedy.contains("aws ecr create-repository --region us-east-1 --repository-name nowhere"))
            #expect(remedy.contains("pass --create-repository defaults"))
            #expect(diagnosis.exitCode == 1)
            #expect(cloud.counts["POST upload"] == nil && cloud.counts["PutImage"] == nil)
        }
    }

    @Test("reports a missing repository and a denied token together")
    func noToken() async throws {
        try await withPatient { cloud, doctor in
            cloud.emulator.deny(action: "GetAuthorizationToken")
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination("nowhere"))
            let failed = diagnosis.findings.filter { $0.status == .failed }.map(\.check)
            #expect(failed == ["repository", "ecr:GetAuthorizationToken"])
            #expect(!diagnosis.findings.contains { $0.check == "registry" })
        }
    }

    @Test("reports a registry host that is unreachable or refuses the token")
    func registry() async throws {
        let nowhere = SideOptions(registryEndpoint: "http://127.0.0.1:1")
        try await withPatient(destination: nowhere) { cloud, doctor in
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination("nowhere"))
            let failed = try #require(diagnosis.findings.last { $0.status == .failed })
            #expect(failed.check == "registry" && failed.text.hasPrefix("no answer: "), "\(failed)")
        }
        try await withPatient { cloud, doctor in
            cloud.emulator.inject(Fault(on: "GET base", at: nil, .refuse))
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination("nowhere"))
            let failed = try #require(diagnosis.findings.last { $0.status == .failed })
            #expect(failed.check == "registry" && failed.text == "HTTP 403: \(base(cloud)) does not accept the token")
        }
    }

    @Test("accepts a repository that a copy creates, creates nothing, and lists the permissions for creating it")
    func creating() async throws {
        try await withPatient(createRepository: .defaults) { cloud, doctor in
            let place = try cloud.destination("nowhere")
            let diagnosis = try await doctor.examine(cloud.image("v1"), place)
            let later = "can't be tried before the repository exists"
            #expect(
                destinationLines(diagnosis).dropFirst(2) == [
                    "ok destination repository: the repository does not exist, and a copy creates it",
                    "ok destination ecr:BatchGetImage: allowed",
                    "skipped destination ecr:CreateRepository: can't be tried without creating it",
                    "ok destination ecr:BatchCheckLayerAvailability: allowed",
                    "ok destination ecr:GetAuthorizationToken: allowed",
                    "ok destination registry: \(base(cloud)) answers and accepts the token",
                    "skipped destination ecr:InitiateLayerUpload: \(later)",
                    "skipped destination ecr:UploadLayerPart: \(later)",
                    "skipped destination ecr:CompleteLayerUpload: \(later)",
                    "skipped destination ecr:PutImage: \(later)",
                    "ok destination pull-through: no rule covers the repository",
                    "ok destination mounting: off: layers are uploaded to each repository",
                ]
            )
            #expect(diagnosis.exitCode == 0 && diagnosis.text.hasSuffix("\n5 skipped\n"))
            let advice = """
                           next: check that an identity policy of user emulator in account 111122223333 has this:
                               {"Effect":"Allow","Action":"ecr:CreateRepository",\
                "Resource":"arn:aws:ecr:us-east-1:111122223333:repository/nowhere"}
                               to print every policy that the copy needs: ecr-replicate iam-policy --create-repository defaults \
                --principal arn:aws:iam::111122223333:user/emulator \(try cloud.source()) \(place)
                """
            #expect(diagnosis.text.contains(advice), "\(diagnosis.text)")
            let writing = ["CreateRepository", "POST upload", "InitiateLayerUpload", "UploadLayerPart", "PutImage"]
            for operation in writing { #expect(cloud.counts[operation] == nil, "\(operation)") }
            // What it says must be true: the copy works.
            let results = try await cloud.replicator.copy(
                cloud.image("v1"),
                .one(.tag(Tag(parsing: "v1"))),
                to: [place],
                tags: [],
                CopyOptions(createRepository: .defaults)
            )
            #expect(ExitStatus.of(results) == 0)
        }
    }

    @Test(
        "names a permission that is missing before the repository exists",
        arguments: ["BatchGetImage", "BatchCheckLayerAvailability"]
    )
    func denied(_ action: String) async throws {
        try await withPatient(createRepository: .defaults) { cloud, doctor in
            cloud.emulator.deny(action: action, repository: "nowhere")
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination("nowhere"))
            #expect(diagnosis.findings.filter { $0.status == .failed }.map(\.check) == ["ecr:\(action)"])
            #expect(diagnosis.exitCode == 4)
        }
    }

    @Test("learns from a read that the repository is missing, if describing it is denied")
    func unknown() async throws {
        try await withPatient(createRepository: .defaults) { cloud, doctor in
            cloud.emulator.deny(action: "DescribeRepositories")
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination("nowhere"))
            let said = lines(diagnosis)
            let read = "ok destination ecr:BatchGetImage: allowed; the repository does not exist, and a copy creates it"
            #expect(said.contains(read), "\(said)")
            #expect(said.contains("skipped destination ecr:CreateRepository: can't be tried without creating it"))
            #expect(said.count { $0.contains("destination ecr:BatchGetImage") } == 1)
            #expect(diagnosis.exitCode == 0 && cloud.counts["POST upload"] == nil)
        }
    }

    @Test("warns a caller that would create the repository in another account")
    func foreign() async throws {
        try await withPatient(createRepository: .defaults) { cloud, doctor in
            let place = try cloud.destination("prod/app", account: ScenarioCloud.production)
            let diagnosis = try await doctor.examine(cloud.image("v1"), place)
            let found = try #require(diagnosis.findings.first { $0.check == "ecr:CreateRepository" })
            #expect(found.status == .warning && diagnosis.summary == "1 warning, 4 skipped")
            #expect(found.text.hasPrefix("the repository's account 444455556666 is not the caller's (111122223333)"))
            #expect(found.remedy?.contains("--destination-role-arn") == true)
            #expect(found.remedy?.hasSuffix("--region us-east-1 --repository-name prod/app") == true)
        }
    }

    @Test("doesn't take a denial from another account for a sign that the repository exists", arguments: [false, true])
    func unseen(_ creates: Bool) async throws {
        let enforcing: (inout EmulatorConfiguration) -> Void = { $0.enforcesPolicies = true }
        try await withPatient(enforcing, createRepository: creates ? .defaults : .never) { cloud, doctor in
            let place = try cloud.destination("prod/nope", account: ScenarioCloud.production)
            let diagnosis = try await doctor.examine(cloud.image("v1"), place)
            let remedies = diagnosis.findings.filter { $0.status == .failed }.compactMap(\.remedy)
            #expect(!remedies.isEmpty)
            let policy =
                "add this to the policy of repository prod/nope in account 444455556666, us-east-1, if the repository "
                + "exists:\n"
            for remedy in remedies {
                guard creates else {
                    #expect(remedy.hasPrefix(policy) && remedy.contains("iam-policy"), "\(remedy)")
                    continue
                }
                #expect(
                    remedy.hasPrefix("name a role of account 444455556666 with --destination-role-arn"),
                    "\(remedy)"
                )
                #expect(remedy.contains("\n  or \(policy)") && !remedy.contains("iam-policy"), "\(remedy)")
            }
        }
    }

    @Test("changes nothing about an existing repository")
    func there() async throws {
        try await withPatient(createRepository: .defaults) { cloud, doctor in
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination())
            let usual = try await Doctor(cloud.replicator).examine(cloud.image("v1"), cloud.destination())
            #expect(lines(diagnosis) == lines(usual) && diagnosis.exitCode == 0)
        }
    }

    @Test("names the template by which a push creates the repository, and pushes nothing")
    func template() async throws {
        try await withPatient { cloud, doctor in
            try await cloud.add(template: "ROOT", for: ["CREATE_ON_PUSH"], tags: "IMMUTABLE")
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination("nowhere"))
            #expect(
                destinationLines(diagnosis).contains(
                    "ok destination repository: does not exist; ECR creates the repository on push, by the creation "
                        + "template 'ROOT'; its tags are immutable"
                )
            )
            #expect(
                destinationLines(diagnosis).contains(
                    "skipped destination ecr:PutImage: can't be tried before the repository exists"
                )
            )
            #expect(diagnosis.exitCode == 0, "\(lines(diagnosis))")
            #expect(cloud.counts["POST upload"] == nil && cloud.counts["PutImage"] == nil)
            #expect(
                cloud.emulator.repositories(account: ScenarioCloud.build, region: ScenarioCloud.far) == ["team/app"]
            )
        }
    }

    @Test("names the pull-through cache rule that covers the source, and the pull that brings the image")
    func rule() async throws {
        try await withPatient { cloud, doctor in
            let missing = try cloud.image("v3", "public/docker/library/alpine")
            let repository = try await cloud.replicator.opener.probe(missing, side: .source, SideOptions())
            _ = try await #require(repository.ecr).api.send(
                CreateRule(ecrRepositoryPrefix: "public", upstreamRegistryUrl: "public.ecr.aws")
            )
            let diagnosis = try await doctor.examine(missing, nil)
            let failed = try #require(diagnosis.findings.first { $0.status == .failed })
            #expect(failed.check == "repository" && failed.text == "the repository does not exist")
            #expect(failed.remedy?.contains("the pull-through cache rule 'public' (upstream public.ecr.aws)") == true)
            #expect(failed.remedy?.contains("docker pull \(missing)") == true, "\(failed.remedy ?? "")")
            #expect(diagnosis.exitCode == 1)
        }
    }
}

private struct CreateRule: ECROperation {
    static let name = "CreatePullThroughCacheRule"
    struct Response: Decodable, Sendable {}
    var ecrRepositoryPrefix: String
    var upstreamRegistryUrl: String
}
