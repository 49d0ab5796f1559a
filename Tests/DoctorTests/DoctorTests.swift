import Content
import ECRAPI
import ECREmulator
import FoundationEssentials
import IAMPolicies
import Platform
import Replicate
import Reporting
import TestClouds
import Testing
import Wire

@testable import Doctor

@Suite("The doctor", .timeLimit(.minutes(1)))
struct DoctorTests: DoctorScene {
    @Test("tries every permission that a copy needs")
    func complete() async throws {
        let conditional: Set<Permission.Occasion> = [
            .creating, .creatingLikeSource, .creatingWithKey, .planning, .listingRepositories, .pruning,
            .readingScans, .readingAge, .readingTagSettings, .readingContent, .verifyingWithKey, .signingRecords,
        ]
        let needed = Permission.all.filter { !$0.isOptional && !conditional.contains($0.occasion) }
        try await withPatient { cloud, doctor in
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination())
            let tried = Set(diagnosis.findings.map { "\($0.side) \($0.check)" })
            for permission in needed { #expect(tried.contains("\(permission.side) \(permission.action)")) }
            #expect(needed.count >= 9)
        }
    }

    @Test("passes all checks and leaves nothing behind")
    func well() async throws {
        try await withPatient { cloud, doctor in
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination())
            let api = "http://127.0.0.1:\(cloud.emulator.port)"
            let me = "arn:aws:iam::111122223333:user/emulator, account 111122223333, with …3333 from environment"
            #expect(
                lines(diagnosis) == [
                    "ok source endpoint: \(api)", "ok source clock: agrees with that of \(api)",
                    "ok source identity: \(me)",
                    "ok source repository: exists; tags may move",
                    "ok source ecr:BatchGetImage: allowed; the image exists",
                    "ok source referrers: allowed", "ok source ecr:GetDownloadUrlForLayer: allowed",
                    "ok source layers: can be downloaded from localhost", "ok source ecr:DescribeImages: allowed",
                    "ok source replication: ECR's replication doesn't copy this repository there",
                    "ok destination endpoint: \(api)", "ok destination clock: agrees with that of \(api)",
                    "ok destination identity: \(me)", "ok destination repository: exists; tags may move",
                    "ok destination ecr:BatchGetImage: allowed",
                    "ok destination ecr:BatchCheckLayerAvailability: allowed",
                    "ok destination ecr:GetAuthorizationToken: allowed",
                    "ok destination ecr:InitiateLayerUpload: allowed", "ok destination ecr:UploadLayerPart: allowed",
                    "ok destination ecr:CompleteLayerUpload: allowed", "ok destination ecr:PutImage: allowed",
                    "ok destination lifecycle: no policy: images are kept",
                    "ok destination pull-through: no rule covers the repository",
                    "ok destination mounting: off: layers are uploaded to each repository",
                ]
            )
            #expect(diagnosis.exitCode == 0 && diagnosis.text.hasSuffix("\nall checks passed\n"))
            #expect(cloud.openUploads() == 0)
            let there = cloud.emulator.manifests(
                account: ScenarioCloud.build,
                region: ScenarioCloud.far,
                repository: "team/app"
            )
            #expect(there.isEmpty)
            // What it says must be true: the copy works.
            let results = try await cloud.replicator.copy(
                cloud.image("v1"),
                .one(.tag(Tag(parsing: "v1"))),
                to: [cloud.destination()],
                tags: [],
                CopyOptions()
            )
            #expect(ExitStatus.of(results) == 0)
        }
    }

    @Test("doesn't try the permissions for layers if only a tag is set")
    func retag() async throws {
        try await withPatient { cloud, doctor in
            for action in ["GetDownloadUrlForLayer", "BatchCheckLayerAvailability", "InitiateLayerUpload"] {
                cloud.emulator.deny(action: action)
            }
            let place = try DestinationReference(parsing: "\(cloud.source()):v2")
            let diagnosis = try await doctor.examine(cloud.image("v1"), place)
            #expect(diagnosis.exitCode == 0, "\(diagnosis.text)")
            #expect(diagnosis.findings.contains { $0.check == "ecr:PutImage" && $0.status == .ok })
        }
    }

    @Test(
        "names each permission that is missing, and ends with 4",
        arguments: [
            ("BatchGetImage", "source"), ("ListImageReferrers", "source"), ("GetDownloadUrlForLayer", "source"),
            ("BatchGetImage", "destination"), ("BatchCheckLayerAvailability", "destination"),
            ("InitiateLayerUpload", "destination"), ("UploadLayerPart", "destination"),
            ("CompleteLayerUpload", "destination"), ("PutImage", "destination"),
        ]
    )
    func denied(_ action: String, _ side: String) async throws {
        try await withPatient { cloud, doctor in
            try cloud.makeDestination("other")
            cloud.emulator.deny(action: action, repository: side == "source" ? "team/app" : "other")
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination("other"))
            let failed = diagnosis.findings.filter { $0.status == .failed }
            let check = action == "ListImageReferrers" ? "referrers" : "ecr:\(action)"
            #expect(failed.map { "\($0.side) \($0.check)" } == ["\(side) \(check)"])
            #expect(failed.first?.text.contains("not allowed to ecr:\(action)") == true)
            #expect(failed.first?.remedy != nil && failed.first?.requestID != nil)
            #expect(diagnosis.exitCode == 4)
            // A caller who may not upload can't close the upload either; it expires.
            #expect(cloud.openUploads("other") == (action == "UploadLayerPart" ? 1 : 0))
        }
    }

    @Test(
        "doesn't fail for a permission that a copy doesn't need",
        arguments: [
            "DescribeRepositories", "DescribeImages", "GetLifecyclePolicy", "GetAccountSetting", "DescribeRegistry",
        ]
    )
    func optional(_ action: String) async throws {
        try await withPatient { cloud, doctor in
            cloud.emulator.deny(action: action)
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination())
            let skipped = diagnosis.findings.filter { $0.status == .skipped }
            #expect(!skipped.isEmpty && skipped.allSatisfy { $0.text.contains("not needed") })
            #expect(skipped.allSatisfy { "\($0.check) \($0.text)".contains("ecr:\(action)") })
            #expect(diagnosis.exitCode == 0)
        }
    }

    @Test("says what is missing, and makes no further checks of it")
    func absent() async throws {
        try await withPatient { cloud, doctor in
            let diagnosis = try await doctor.examine(cloud.image("v9"), cloud.destination("nowhere"))
            let failed = diagnosis.findings.filter { $0.status == .failed }
            #expect(
                failed.map { "\($0.side) \($0.check): \($0.text)" } == [
                    "source ecr:BatchGetImage: the image does not exist",
                    "destination repository: the repository does not exist",
                ]
            )
            #expect(diagnosis.exitCode == 1)
            #expect(cloud.counts["POST upload"] == nil && cloud.counts["PutImage"] == nil)
            let bare = try await doctor.examine(cloud.source(), nil)
            #expect(lines(bare).contains("skipped source image: name a tag or a digest to check its layers"))
            #expect(bare.exitCode == 0 && bare.destination == nil)
        }
    }

    @Test("uploads nothing to a registry that may create a repository on push")
    func wouldBeCreated() async throws {
        try await withPatient { cloud, doctor in
            cloud.emulator.deny(action: "DescribeRepositories")
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination("nowhere"))
            let failed = diagnosis.findings.filter { $0.status == .failed }
            #expect(failed.allSatisfy { $0.text.hasPrefix("the repository does not exist") } && !failed.isEmpty)
            #expect(cloud.counts["POST upload"] == nil && cloud.counts["PutImage"] == nil)
        }
    }

    @Test("continues if the settings can't be read, and doesn't fail for what a copy doesn't need")
    func troubled() async throws {
        try await withPatient { cloud, doctor in
            for operation in ["GetAccountSetting", "GetLifecyclePolicy", "DescribeRegistry"] {
                cloud.emulator.inject(
                    Fault(on: operation, at: nil, .error(code: "InvalidParameterException", message: "no", status: 400))
                )
            }
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination())
            #expect(diagnosis.exitCode == 0)
            let skipped = diagnosis.findings.filter { $0.status == .skipped }.map(\.check)
            #expect(skipped == ["replication", "lifecycle", "mounting"])
        }
    }

    @Test("skips a permission if the server checks the parameters first")
    func inconclusive() async throws {
        try await withPatient { cloud, doctor in
            cloud.emulator.inject(
                Fault(on: "PutImage", at: nil, .error(code: "InvalidParameterException", message: "no", status: 400))
            )
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination())
            #expect(
                lines(diagnosis).contains(
                    "skipped destination ecr:PutImage: can't be tested without doing it: InvalidParameterException"
                )
            )
        }
    }

    @Test("opens no upload without a token")
    func noToken() async throws {
        try await withPatient { cloud, doctor in
            cloud.emulator.deny(action: "GetAuthorizationToken")
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination())
            let failed = diagnosis.findings.filter { $0.status == .failed }
            #expect(failed.map { "\($0.side) \($0.check)" } == ["destination ecr:GetAuthorizationToken"])
            #expect(diagnosis.exitCode == 4 && cloud.counts["POST upload"] == nil)
        }
    }

    @Test("asks only the owner of a repository about its settings")
    func crossAccount() async throws {
        try await withPatient { cloud, doctor in
            try cloud.makeDestination("prod/app", account: ScenarioCloud.production)
            let place = try cloud.destination("prod/app", account: ScenarioCloud.production)
            let diagnosis = try await doctor.examine(cloud.image("v1"), place)
            #expect(
                lines(diagnosis).contains(
                    "ok destination identity: arn:aws:iam::111122223333:user/emulator, account 111122223333, with "
                        + "…3333 from environment; the repository is 444455556666's, whose policy must allow it too"
                )
            )
            #expect(!diagnosis.findings.contains { $0.check == "mounting" })
            #expect(cloud.counts["GetAccountSetting"] == nil)
        }
    }

    @Test("advises one statement for all missing permissions in another account's policy")
    func oneStatement() async throws {
        let enforcing: (inout EmulatorConfiguration) -> Void = { $0.enforcesPolicies = true }
        try await withPatient(enforcing) { cloud, doctor in
            try cloud.makeDestination("prod/app", account: ScenarioCloud.production)
            let place = try cloud.destination("prod/app", account: ScenarioCloud.production)
            let diagnosis = try await doctor.examine(cloud.image("v1"), place)
            #expect(diagnosis.exitCode == 4)
            let actions = [
                "BatchGetImage", "BatchCheckLayerAvailability", "InitiateLayerUpload", "UploadLayerPart",
                "CompleteLayerUpload", "PutImage",
            ].map { "ecr:\($0)" }
            #expect(diagnosis.findings.filter { $0.status == .failed }.map(\.check) == actions)
            let me = "arn:aws:iam::111122223333:user/emulator"
            let list = actions.map { "\"\($0)\"" }.joined(separator: ",")
            let advice = """
                           next: add this to the policy of repository prod/app in account 444455556666, us-east-1, if the repository exists:
                               {"Effect":"Allow","Principal":{"AWS":"\(me)"},"Action":[\(list)]}
                               to print every policy that the copy needs: ecr-replicate iam-policy --principal \(me) \(try cloud.source()) \(place)
                """
            #expect(diagnosis.text.contains(advice), "\(diagnosis.text)")
            #expect(diagnosis.text.split(separator: "next: ").count == 2)
            #expect(diagnosis.text.split(separator: "not allowed, as above").count == 6)

            // What it says is enough, is enough.
            let policy = """
                {"Version":"2012-10-17","Statement":[\
                {"Effect":"Allow","Principal":{"AWS":"\(me)"},"Action":[\(list)]}]}
                """
            try cloud.emulator.setRepositoryPolicy(
                policy,
                account: ScenarioCloud.production,
                region: ScenarioCloud.far,
                repository: "prod/app"
            )
            #expect(try await doctor.examine(cloud.image("v1"), place).exitCode == 0)
            let results = try await cloud.replicator.copy(
                cloud.image("v1"),
                .one(.tag(Tag(parsing: "v1"))),
                to: [place],
                tags: [],
                CopyOptions()
            )
            #expect(ExitStatus.of(results) == 0)
        }
    }
}
