import Content
import Foundation
import Testing

@testable import ECREmulator

@Suite("Scanning, signing and pull recording of a registry", .timeLimit(.minutes(1)))
struct RegistryWideTests {
    private static let profile = "arn:aws:signer:us-east-1:\(account):/signing-profiles/release"

    @Test("a scanning configuration is returned, also as it applies to each repository")
    func scanning() async throws {
        try await withClient { emulator, client in
            for name in ["prod/app", "prod/web", "other"] {
                try emulator.createRepository(account: account, region: region, name)
            }
            let none = try await client.call("GetRegistryScanningConfiguration")
            #expect(
                none.text == #"{"registryId":"\#(account)","scanningConfiguration":{"scanType":"BASIC","rules":[]}}"#
            )
            let rules =
                #"[{"scanFrequency":"SCAN_ON_PUSH","repositoryFilters":[{"filter":"prod","filterType":"WILDCARD"}]},"#
                + #"{"scanFrequency":"CONTINUOUS_SCAN","repositoryFilters":[{"filter":"*/web","filterType":"WILDCARD"}]}]"#
            let put = try await client.call(
                "PutRegistryScanningConfiguration",
                #"{"scanType":"ENHANCED","rules":\#(rules)}"#
            )
            #expect(put.text == #"{"registryScanningConfiguration":{"scanType":"ENHANCED","rules":\#(rules)}}"#)
            let told = try await client.call(
                "BatchGetRepositoryScanningConfiguration",
                #"{"repositoryNames":["prod/app","prod/web","other","none"]}"#
            )
            let frequencies = try (0..<3).map { try told.json("scanningConfigurations", "\($0)", "scanFrequency") }
            #expect(frequencies == ["SCAN_ON_PUSH", "CONTINUOUS_SCAN", "MANUAL"])
            #expect(try told.json("scanningConfigurations", "1", "appliedScanFilters", "0", "filter") == "*/web")
            #expect(try told.json("failures", "0", "failureCode") == "REPOSITORY_NOT_FOUND")
            let on = #"{"repositoryName":"other","imageScanningConfiguration":{"scanOnPush":true}}"#
            let changed = try await client.call("PutImageScanningConfiguration", on)
            #expect(try changed.json("imageScanningConfiguration", "scanOnPush") == "1")
            _ = try await client.call("PutRegistryScanningConfiguration", #"{"scanType":"BASIC"}"#)
            let basic = try await client.call(
                "BatchGetRepositoryScanningConfiguration",
                #"{"repositoryNames":["other"]}"#
            )
            #expect(try basic.json("scanningConfigurations", "0", "scanFrequency") == "SCAN_ON_PUSH")
        }
    }

    @Test(
        "a scanning configuration that the model doesn't allow is refused",
        arguments: [
            #""scanType":"DEEP""#, #""rules":[{"scanFrequency":"CONTINUOUS_SCAN","repositoryFilters":[]}]"#,
            #""scanType":"ENHANCED","rules":[{"scanFrequency":"OFTEN","repositoryFilters":[]}]"#,
            #""rules":[{"scanFrequency":"MANUAL","repositoryFilters":[{"filter":"A","filterType":"WILDCARD"}]}]"#,
            #""rules":[{"scanFrequency":"MANUAL","repositoryFilters":[{"filter":"a","filterType":"PREFIX"}]}]"#,
            #""rules":[{"scanFrequency":"MANUAL","repositoryFilters":[]},{"scanFrequency":"MANUAL","repositoryFilters":[]},{"scanFrequency":"MANUAL","repositoryFilters":[]}]"#,
        ]
    )
    func badScanning(members: String) async throws {
        try await withClient { _, client in
            let answer = try await client.call("PutRegistryScanningConfiguration", "{\(members)}")
            #expect(try answer.code == "InvalidParameterException", "\(answer.text)")
        }
    }

    @Test("a signing configuration is returned and deleted, and the signing status of an image follows from it")
    func signing() async throws {
        try await withClient { emulator, client in
            for operation in ["GetSigningConfiguration", "DeleteSigningConfiguration"] {
                #expect(try await client.call(operation).code == "SigningConfigurationNotFoundException")
            }
            let rules =
                #"{"rules":[{"signingProfileArn":"\#(Self.profile)","repositoryFilters":[{"filter":"team/*","filterType":"WILDCARD_MATCH"}]},"#
                + #"{"signingProfileArn":"\#(Self.profile)2"}]}"#
            let put = try await client.call("PutSigningConfiguration", #"{"signingConfiguration":\#(rules)}"#)
            #expect(put.text == #"{"signingConfiguration":\#(rules)}"#)
            let told = try await client.call("GetSigningConfiguration")
            #expect(told.text == #"{"registryId":"\#(account)","signingConfiguration":\#(rules)}"#)
            let bad = rules.replacing("/signing-profiles/", with: "/profiles/")
            let refused = try await client.call("PutSigningConfiguration", #"{"signingConfiguration":\#(bad)}"#)
            #expect(try refused.code == "InvalidParameterException")

            let image = SeedImage.oci("app", layers: [10])
            try emulator.seedApp(image, tag: "v1")
            let id = #"{"repositoryName":"team/app","imageId":{"imageTag":"v1"}}"#
            let before = try await client.call("DescribeImageSigningStatus", id)
            #expect(try before.json("signingStatuses", "0", "status") == "IN_PROGRESS")
            #expect(try before.json("signingStatuses", "1", "signingProfileArn") == "\(Self.profile)2")
            #expect(try before.json("imageId", "imageDigest") == "\(image.digest)")
            try emulator.seedApp(.referrer(to: image, artifactType: "application/vnd.cncf.notary.signature"))
            let after = try await client.call("DescribeImageSigningStatus", id)
            #expect(try after.json("signingStatuses", "0", "status") == "COMPLETE")
            let missing = try await client.call("DescribeImageSigningStatus", id.replacing("v1", with: "v2"))
            #expect(try missing.code == "ImageNotFoundException")
            #expect(try await client.call("DeleteSigningConfiguration").status == 200)
            #expect(try await client.call("DescribeImageSigningStatus", id).json("signingStatuses", "0") == nil)
        }
    }

    @Test("the replication status covers each destination")
    func replication() async throws {
        try await withClient { emulator, client in
            let image = SeedImage.oci("app", layers: [10])
            try emulator.seedApp(image, tag: "v1")
            let rules =
                #"{"rules":[{"destinations":[{"region":"eu-west-1","registryId":"\#(account)"},{"region":"us-east-1","registryId":"\#(otherAccount)"}],"#
                + #""repositoryFilters":[{"filter":"team","filterType":"PREFIX_MATCH"}],"deleteReplication":{"enabled":true}}]}"#
            let put = try await client.call("PutReplicationConfiguration", #"{"replicationConfiguration":\#(rules)}"#)
            #expect(put.text == #"{"replicationConfiguration":\#(rules)}"#)
            let id = #"{"repositoryName":"team/app","imageId":{"imageDigest":"\#(image.digest)"}}"#
            try emulator.seed(image, account: account, region: "eu-west-1", repository: "team/app")
            let status = try await client.call("DescribeImageReplicationStatus", id)
            #expect(try status.json("replicationStatuses", "0", "status") == "COMPLETE")
            #expect(try status.json("replicationStatuses", "1", "status") == "IN_PROGRESS")
            #expect(try status.json("replicationStatuses", "1", "registryId") == otherAccount)
            for (good, bad) in [("eu-west-1", "EU"), (account, "1"), ("PREFIX_MATCH", "SUFFIX"), ("\"team\"", "\"t\"")]
            {
                let refused = try await client.call(
                    "PutReplicationConfiguration",
                    #"{"replicationConfiguration":\#(rules.replacing(good, with: bad))}"#
                )
                #expect(try refused.code == "InvalidParameterException", "\(bad): \(refused.text)")
            }
        }
    }

    @Test("a pull is recorded once a day, and not for excluded principals")
    func pulls() async throws {
        let clock = HandClock()
        var configuration = EmulatorConfiguration()
        configuration.now = { clock.now }
        try await withClient(configuration) { emulator, client in
            try emulator.seedApp(.oci("app", layers: [10]), tag: "v1")
            let byTag = #"{"repositoryName":"team/app","imageIds":[{"imageTag":"v1"}]}"#
            func recorded() async throws -> Double? {
                try await client.call("DescribeImages", #"{"repositoryName":"team/app"}"#)
                    .json("imageDetails", "0", "lastRecordedPullTime").flatMap { Double($0) }
            }
            func register(_ operation: String, _ arn: String) async throws -> String? {
                try await client.call(operation, #"{"principalArn":"\#(arn)"}"#).code
            }
            let user = "arn:aws:iam::\(account):user/emulator"
            #expect(try await register("RegisterPullTimeUpdateExclusion", user) == nil)
            #expect(try await register("RegisterPullTimeUpdateExclusion", user) == "ExclusionAlreadyExistsException")
            #expect(
                try await register("RegisterPullTimeUpdateExclusion", "arn:aws:iam::\(account):root")
                    == "InvalidParameterException"
            )
            #expect(
                try await client.call("ListPullTimeUpdateExclusions").text
                    == #"{"pullTimeUpdateExclusions":["\#(user)"]}"#
            )
            #expect(try await client.call("BatchGetImage", byTag).status == 200)
            #expect(try await client.registry("GET", "/v2/team/app/manifests/v1").status == 200)
            #expect(try await recorded() == nil)
            #expect(try await register("DeregisterPullTimeUpdateExclusion", user) == nil)
            #expect(try await register("DeregisterPullTimeUpdateExclusion", user) == "ExclusionNotFoundException")
            #expect(try await client.registry("HEAD", "/v2/team/app/manifests/v1").status == 200)
            #expect(try await recorded() == nil, "a HEAD is no pull")
            #expect(try await client.registry("GET", "/v2/team/app/manifests/v1").status == 200)
            let first = clock.now.timeIntervalSince1970
            #expect(try await recorded() == first)
            clock.advance(3_600)
            try await expectSame(client, byTag, recorded, first)
            clock.advance(86_400)
            #expect(try await client.call("BatchGetImage", byTag).status == 200)
            #expect(try await recorded() == clock.now.timeIntervalSince1970)
        }
    }

    private func expectSame(
        _ client: PlainClient,
        _ byTag: String,
        _ recorded: () async throws -> Double?,
        _ first: Double
    ) async throws {
        #expect(try await client.call("BatchGetImage", byTag).status == 200)
        #expect(try await recorded() == first)
    }

    @Test(
        "an exclusion names users, or roles with or without their path",
        arguments: [
            ("arn:aws:iam::\(account):role/ops/pull", true), ("arn:aws:iam::\(account):role/pull", true),
            ("arn:aws:iam::\(account):role/pul", false), ("arn:aws:iam::\(otherAccount):role/pull", false),
            ("arn:aws:iam::\(account):user/pull", false),
        ]
    )
    func sessions(arn: String, isNamed: Bool) {
        let session = Principal(account: account, arn: "arn:aws:sts::\(account):assumed-role/pull/s1", userID: "")
        #expect(session.isExcluded(by: arn) == isNamed)
    }
}
