import AWSIdentity
import Content
import ECREmulator
import Foundation
import Platform
import Replicate
import TestClouds

@testable import Promotion

/// A cloud with promotions from `team/app` to `prod/app` of the production account.
struct RecordStage: Sendable {
    let cloud: ScenarioCloud

    static let promoter = "arn:aws:sts::444455556666:assumed-role/promoter/ci"
    /// 2026-01-15, 12:00 UTC.
    static let noon = Date(timeIntervalSince1970: 1_768_478_400)

    /// Minutes after noon, one more with each record.
    let minutes = Lock(0)

    func recorder(
        signedWith key: PrivateKey? = nil,
        policy: PromotionRecord.Policy? = nil,
        gates: [GateDecision]? = nil
    ) -> Recorder {
        var recorder = Recorder(toolVersion: "0.1.0") {
            let minute = minutes.withLock { minutes in
                minutes += 1
                return minutes
            }
            return Self.noon.addingTimeInterval(60 * Double(minute))
        }
        recorder.caller = { _ in Self.promoter }
        recorder.reason = "CHG-1"
        recorder.policy = policy
        if let gates { recorder.gates = { _ in gates } }
        recorder.signer = key.map { FileSigner($0, name: "promoter.pem") }
        return recorder
    }

    /// Promotes `team/app:TAG` to `prod/app:v1`, as the command does.
    func promote(
        _ tag: String = "v1",
        _ recorder: Recorder? = nil,
        ifExists: CopyOptions.IfExists = .fail,
        referrers: CopyOptions.Referrers = .none,
        to destination: DestinationReference? = nil
    ) async throws -> [CopyResult] {
        var options = CopyOptions(ifExists: ifExists, referrers: referrers, tagsAfterReferrers: true)
        options.additions = recorder ?? self.recorder()
        return try await cloud.replicator.copy(
            cloud.image(tag),
            .one(.tag(Tag(parsing: tag))),
            to: [destination ?? production()],
            tags: [],
            options
        )
    }

    func production(_ name: String = "prod/app", tag: String? = "v1") throws -> DestinationReference {
        try cloud.destination(name, account: ScenarioCloud.production, region: ScenarioCloud.home, tag: tag)
    }

    func image(tag: String? = "v1", digest: Digest? = nil) throws -> ImageReference {
        let place = try production(tag: nil)
        return ImageReference(
            registry: place.registry,
            repository: try RepositoryName(parsing: "prod/app"),
            tag: try tag.map { try Content.Tag(parsing: $0) },
            digest: digest
        )
    }

    func tag(_ tag: String = "v1") -> Digest? {
        cloud.tag(tag, "prod/app", account: ScenarioCloud.production, region: ScenarioCloud.home)
    }

    func repository() async throws -> OpenedRepository {
        try await cloud.replicator.run.repository(of: image(), .destination, cloud.replicator.destination)
    }

    func history(_ keys: [RecordKey] = [], of reference: ImageReference? = nil) async throws -> History {
        try await HistoryReader(repository(), keys: keys).history(of: reference ?? image())
    }

    func undo(
        _ reference: ImageReference? = nil,
        keys: [RecordKey] = [],
        _ recorder: Recorder? = nil
    ) async throws -> [CopyResult] {
        let repository = try await repository()
        let undo = try await UndoPlanner(repository, keys: keys).plan(reference ?? image())
        return try await cloud.replicator.run.copy(
            undo.request(
                in: repository.reference,
                cloud.replicator.destination,
                recorder: recorder ?? self.recorder(),
                isDryRun: false
            )
        )
    }

    /// The bytes of a blob in `prod/app`.
    func manifest(_ digest: Digest) throws -> Manifest? {
        let bytes = cloud.emulator.manifest(
            digest,
            account: ScenarioCloud.production,
            region: ScenarioCloud.home,
            repository: "prod/app"
        )
        return try bytes.map { try Manifest(bytes: $0, mediaType: .ociManifest) }
    }
}

/// Runs `body` with two images in `team/app` (`v1`, `v2`) and an empty `prod/app` in production.
func withRecords(
    uploads: UploadOptions = UploadOptions(),
    _ body: (RecordStage, _ v1: SeedImage, _ v2: SeedImage) async throws -> Void
) async throws {
    try await withCloud(uploads: uploads) { cloud in
        let v1 = SeedImage.oci("one", layers: [1_000])
        let v2 = SeedImage.oci("two", layers: [2_000])
        try cloud.seed(v1, tag: "v1")
        try cloud.seed(v2, tag: "v2")
        try cloud.makeDestination("prod/app", account: ScenarioCloud.production, region: ScenarioCloud.home)
        try await body(RecordStage(cloud: cloud), v1, v2)
    }
}

extension [CopyResult] {
    /// The manifests of the records that were put.
    var records: [Digest] { receipt?.addedReferrers ?? [] }
}

let passedScan = GateDecision(
    "scan",
    .passed,
    "no finding above MEDIUM",
    evidence: [.init("scanned 2026-01-15T11:00:00Z", digest: Digest(of: Array("evidence".utf8)))]
)
