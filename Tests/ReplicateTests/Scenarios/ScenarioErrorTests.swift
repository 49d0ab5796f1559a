import Content
import ECREmulator
import Replicate
import Reporting
import TestClouds
import Testing

/// Failures that say little are asked about before anything is said of them.
@Suite("Failures that are looked into", .timeLimit(.minutes(1)))
struct ScenarioErrorTests {
    private let image = SeedImage.oci("new", layers: [100])
    private static let post = "POST upload"

    @Test("an upload that is closed twice is begun by the API, which says that it isn't allowed")
    func closedForPermission() async throws {
        try await withCloud({ $0.cutsRefusedUploads = true }) { cloud in
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            cloud.emulator.deny(action: "InitiateLayerUpload")
            let error = try #require(try await copy(cloud).firstError)
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

    @Test("an upload that is closed because the repository has gone is said to lack it")
    func closedForRepository() async throws {
        try await withCloud { cloud in
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            cloud.emulator.inject(Fault(on: Self.post, at: nil, .resetBefore))
            let gone = Fault.Kind.error(code: "RepositoryNotFoundException", message: "gone", status: 400)
            cloud.emulator.inject(Fault(on: "DescribeRepositories", at: nil, gone))
            let error = try #require(try await copy(cloud).firstError)
            #expect(error.reason == .repositoryMissing && error.side == .destination)
            #expect(error.remedy.contains("aws ecr create-repository --region us-east-1 --repository-name team/app"))
            #expect(cloud.counts["InitiateLayerUpload"] == nil)
        }
    }

    @Test("a layer's host that refuses a good address is named, with the endpoint policy to change")
    func layerHost() async throws {
        try await withCloud { cloud in
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            let denied = Fault.Kind.error(code: "AccessDenied", message: "Access Denied", status: 403)
            cloud.emulator.inject(Fault(on: "GET layer", at: nil, denied))
            let error = try #require(try await copy(cloud).firstError)
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

    @Test("a layer's host whose place something else takes is refused to us, by whoever that is")
    func blockedLayer() async throws {
        try await withCloud { cloud in
            try cloud.seed(image, tag: "v1")
            try cloud.makeDestination()
            cloud.emulator.inject(Fault(on: "GET layer", at: nil, .status(403)))
            let error = try #require(try await copy(cloud).firstError)
            #expect(error.side == .source && ExitStatus.of(error) == 4)
            #expect("\(error)".contains("answered 403, and in other words than S3's"), "\(error)")
            #expect(error.remedy.contains("a proxy or firewall, forbids it"))
        }
    }

    private func copy(_ cloud: ScenarioCloud) async throws -> [CopyResult] {
        try await cloud.replicator.copy(
            cloud.image("v1"),
            .one(.tag(Tag(parsing: "v1"))),
            to: [cloud.destination()],
            tags: [],
            CopyOptions(referrers: .none)
        )
    }
}
