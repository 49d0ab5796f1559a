import Content
import ECREmulator
import Replicate
import Reporting
import TestClouds
import Testing

@testable import Doctor

@Suite("The doctor at a repository that is created like the source's", .timeLimit(.minutes(1)))
struct DoctorLikeSourceTests: DoctorScene {
    private static let key = "arn:aws:kms:eu-west-1:111122223333:key/1"

    /// A source with a KMS key of its own, and a destination without the repository.
    private func withSource(
        keys: [String: String] = [key: "alias/far"],
        _ body: (ScenarioCloud, Doctor, DestinationReference) async throws -> Void
    ) async throws {
        try await withPatient(createRepository: .likeSource, kmsKeys: keys) { cloud, doctor in
            var settings = EmulatedSettings()
            (settings.mutability, settings.encryption, settings.kmsKey) = ("IMMUTABLE", "KMS", Self.key)
            settings.repositoryPolicy =
                #"{"Statement":{"Effect":"Allow","Action":"ecr:BatchGetImage","Principal":"*"}}"#
            try cloud.emulator.setSettings(
                settings,
                account: ScenarioCloud.build,
                region: ScenarioCloud.home,
                repository: "team/app"
            )
            cloud.emulator.clearRequests()
            try await body(cloud, doctor, cloud.destination("nowhere"))
        }
    }

    @Test("tries every permission that can be tried, names the settings, and changes nothing")
    func permitted() async throws {
        try await withSource { cloud, doctor, place in
            let diagnosis = try await doctor.examine(cloud.image("v1"), place)
            let said = lines(diagnosis)
            for action in ["DescribeRepositories", "ListTagsForResource", "GetLifecyclePolicy", "GetRepositoryPolicy"] {
                #expect(said.contains("ok source ecr:\(action): allowed"), "\(said)")
            }
            #expect(
                said.contains(
                    "ok source settings: if the destination's repository is missing, it is created with immutable tags, "
                        + "KMS key alias/far, repository policy (1 statement)"
                ),
                "\(said)"
            )
            let start = try #require(said.firstIndex { $0.contains("destination ecr:CreateRepository") })
            #expect(
                said[start..<(start + 4)] == [
                    "skipped destination ecr:CreateRepository: can't be tried without creating it",
                    "ok destination ecr:TagResource: allowed", "ok destination ecr:PutLifecyclePolicy: allowed",
                    "skipped destination ecr:SetRepositoryPolicy: can't be tested without doing it: "
                        + "InvalidParameterException",
                ]
            )
            #expect(diagnosis.exitCode == 0)
            let remedy = try #require(diagnosis.findings.first { $0.check == "ecr:CreateRepository" }?.remedy)
            #expect(
                remedy.contains(
                    #""Action":["ecr:CreateRepository","ecr:TagResource","ecr:PutLifecyclePolicy","ecr:SetRepositoryPolicy"]"#
                )
            )
            #expect(
                remedy.contains("--create-repository like-source --kms-key \(Self.key)=alias/far --principal"),
                "\(remedy)"
            )
            #expect(
                cloud.emulator.repositories(account: ScenarioCloud.build, region: ScenarioCloud.far) == ["team/app"]
            )
        }
    }

    @Test(
        "names each permission that is missing",
        arguments: [
            ("ListTagsForResource", "source"), ("GetLifecyclePolicy", "source"), ("GetRepositoryPolicy", "source"),
            ("TagResource", "destination"), ("PutLifecyclePolicy", "destination"),
            ("SetRepositoryPolicy", "destination"),
        ]
    )
    func denied(_ action: String, _ side: String) async throws {
        try await withSource { cloud, doctor, place in
            cloud.emulator.deny(action: action, repository: side == "source" ? "team/app" : "nowhere")
            let diagnosis = try await doctor.examine(cloud.image("v1"), place)
            let failed = diagnosis.findings.filter { $0.status == .failed }
            #expect(failed.map { "\($0.side) \($0.check)" } == ["\(side) ecr:\(action)"], "\(lines(diagnosis))")
            #expect(diagnosis.exitCode == 4)
        }
    }

    @Test("reports a key that is not named, and a policy that is not copied")
    func settings() async throws {
        try await withSource(keys: [:]) { cloud, doctor, place in
            let diagnosis = try await doctor.examine(cloud.image("v1"), place)
            let failed = try #require(diagnosis.findings.first { $0.status == .failed })
            #expect(failed.check == "settings" && failed.text.contains("no key is named for it at the destination"))
            #expect(failed.remedy?.contains("--kms-key \(Self.key)=KEY") == true && diagnosis.exitCode == 1)
        }
        try await withSource { cloud, doctor, _ in
            let place = try cloud.destination("prod/app", account: ScenarioCloud.production)
            let diagnosis = try await doctor.examine(cloud.image("v1"), place)
            let warning = try #require(diagnosis.findings.first { $0.check == "settings" && $0.status == .warning })
            #expect(warning.text.contains("because it names everyone"))
            // The caller can't create a repository there, so nothing else is tried there either.
            #expect(cloud.counts["PutLifecyclePolicy"] == nil)
        }
    }

    @Test("asks for nothing more where the source is not in ECR, and nothing at a repository that exists")
    func elsewhere() async throws {
        try await withSource { cloud, doctor, _ in
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination())
            #expect(!lines(diagnosis).contains { $0.contains("destination ecr:TagResource") })
            #expect(diagnosis.exitCode == 0)
        }
        try await withSource { cloud, doctor, place in
            let image = try ImageReference(parsing: "oci:/nonexistent/app:v1")
            let diagnosis = try await doctor.examine(image, place)
            #expect(!lines(diagnosis).contains { $0.contains("TagResource") || $0.contains("source settings") })
        }
    }
}
