import Content
import ECREmulator
import Replicate
import Reporting
import TestClouds
import Testing

/// Failures with too little detail are investigated before they are reported.
@Suite("Diagnosing unclear failures", .timeLimit(.minutes(1)))
struct ScenarioErrorTests {
    private let image = SeedImage.oci("new", layers: [100])
    private static let post = "POST upload"

    @Test("An upload closed twice is started with the API, whose denial is reported")
    func closedForPermission() async throws {
        try await withCloud({ $0.cutsRefusedUploads = true }) { cloud in
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            cloud.emulator.deny(action: "InitiateLayerUpload")
            let error = try #require(try await cloud.copy().firstError)
            guard case .denied("ecr:InitiateLayerUpload", let text) = error.reason else {
                Issue.record("\(error)")
                return
            }
            #expect(text.contains("is not authorized to perform: ecr:InitiateLayerUpload"))
            #expect(error.kind == .notPermitted && error.requestID != nil)
            #expect(error.remedy.contains("\"Action\":\"ecr:InitiateLayerUpload\""))
            #expect((cloud.counts["InitiateLayerUpload"] ?? 0) > 0)
        }
    }

    @Test("A closed upload to a deleted repository reports the missing repository")
    func closedForRepository() async throws {
        try await withCloud { cloud in
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            cloud.emulator.inject(Fault(on: Self.post, at: nil, .resetBefore))
            let gone = Fault.Kind.error(code: "RepositoryNotFoundException", message: "gone", status: 400)
            cloud.emulator.inject(Fault(on: "DescribeRepositories", at: nil, gone))
            let error = try #require(try await cloud.copy().firstError)
            #expect(error.reason == .repositoryMissing && error.side == .destination)
            #expect(error.remedy.contains("aws ecr create-repository --region us-east-1 --repository-name team/app"))
            #expect(cloud.counts["InitiateLayerUpload"] == nil)
        }
    }

    @Test("A denied layer download names the endpoint policy to change")
    func layerHost() async throws {
        try await withCloud { cloud in
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            let denied = Fault.Kind.error(code: "AccessDenied", message: "Access Denied", status: 403)
            cloud.emulator.inject(Fault(on: "GET layer", at: nil, denied))
            let error = try #require(try await cloud.copy().firstError)
            guard case .denied("s3:GetObject", _) = error.reason else {
                Issue.record("\(error)")
                return
            }
            #expect(error.side == .source && ExitStatus.of(error) == 4)
            #expect(
                error.remedy.hasSuffix(
                    #"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","#
                        + #""Resource":"arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*"}"#
                )
            )
        }
    }

    @Test("A 403 that is not from S3 suggests a proxy or firewall")
    func blockedLayer() async throws {
        try await withCloud { cloud in
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            cloud.emulator.inject(Fault(on: "GET layer", at: nil, .status(403)))
            let error = try #require(try await cloud.copy().firstError)
            #expect(error.side == .source && ExitStatus.of(error) == 4)
            #expect("\(error)".contains("answered 403, but not in S3's format"), "\(error)")
            #expect(error.remedy.contains("a proxy or firewall forbids it"))
        }
    }
}
