import Content
import ECREmulator
import Foundation
import Platform
import Replicate
import TestClouds
import Testing

@testable import Promotion

@Suite("Records of promotions, on the emulator", .timeLimit(.minutes(1)))
struct RecordScenarioTests {
    @Test("a record costs what the budget says, once; the second run costs a list and a read")
    func budget() async throws {
        try await withRecords { stage, image, _ in
            let (cloud, blobs) = (stage.cloud, image.blobs.count)
            let results = try await stage.promote()
            #expect(results.records.count == 1)
            #expect(stage.tag() == image.digest)
            // The image: a read at each side, one question about blobs, 4 requests for each; its root untagged and then
            // with its tag, which is read again before. The record: the list, one question, POST and PUT for the layer
            // and for the empty config, one manifest.
            #expect(
                cloud.counts == [
                    "BatchGetImage": 2 + 1, "BatchCheckLayerAvailability": 1 + 1, "GetDownloadUrlForLayer": blobs,
                    "GET layer": blobs, "POST upload": blobs + 2, "PUT blob": blobs + 2, "PutImage": 2 + 1,
                    "ListImageReferrers": 1,
                ]
            )

            cloud.emulator.clearRequests()
            let again = try await stage.promote()
            #expect(again.receipt?.changedAnything == false && again.records.isEmpty)
            #expect(cloud.counts == ["BatchGetImage": 2 + 1, "ListImageReferrers": 1])
        }
    }

    @Test("the tag is set after the record")
    func order() async throws {
        try await withRecords { stage, image, _ in
            let digest = try #require(try await stage.promote().records.first)
            let puts = stage.cloud.events.withLock { events in
                events.compactMap { event -> (Digest, String?)? in
                    if case .manifestPut(let digest, let tag, _) = event { (digest, tag?.value) } else { nil }
                }
            }
            #expect(puts.map(\.0) == [image.digest, digest, image.digest])
            #expect(puts.map(\.1) == [nil, nil, "v1"])
        }
    }

    @Test("an image that is there already is recorded, and a new policy is recorded again")
    func kept() async throws {
        try await withRecords { stage, image, _ in
            var unrecorded = CopyOptions(ifExists: .fail, referrers: .none)
            unrecorded.tagsAfterReferrers = true
            _ = try await stage.cloud.replicator.copy(
                stage.cloud.image("v1"),
                .one(.tag(Tag(parsing: "v1"))),
                to: [stage.production()],
                tags: [],
                unrecorded
            )
            #expect(try await stage.history().records.isEmpty)
            #expect(try await stage.promote().records.count == 1)
            #expect(try await stage.promote().records.isEmpty)
            let policy = PromotionRecord.Policy(name: "rules.yaml#releases", digest: Digest(of: Array("p".utf8)))
            let gated = stage.recorder(policy: policy, gates: [passedScan])
            #expect(try await stage.promote("v1", gated).records.count == 1)
            #expect(try await stage.promote("v1", gated).records.isEmpty)
            let records = try await stage.history().records
            #expect(
                records.map(\.record.tags) == [
                    [.init(tag: "v1", outcome: .kept, before: image.digest)],
                    [.init(tag: "v1", outcome: .kept, before: image.digest)],
                ]
            )
            #expect(records.map(\.record.policy) == [policy, nil])
            #expect(records.map(\.predicateType) == [RecordFormat.summaryType, RecordFormat.predicateType])
        }
    }

    @Test("an unsigned record doesn't stand for a signed one, and a signed one stands for an unsigned one")
    func signingLater() async throws {
        try await withRecords { stage, _, _ in
            let key = try PrivateKey.generated(.ecdsa(.p256))
            #expect(try await stage.promote().records.count == 1)
            #expect(try await stage.promote("v1", stage.recorder(signedWith: key)).records.count == 1)
            #expect(try await stage.promote("v1", stage.recorder(signedWith: key)).records.isEmpty)
            #expect(try await stage.promote().records.isEmpty)
            let history = try await stage.history([RecordKey(name: "k", key: key.publicKey)])
            #expect(history.records.map(\.signature) == [.verified(key: "k"), .unsigned])
            #expect(history.exitCode(hasKeys: true) == 2)
        }
    }

    @Test("a decision whose tag was not set is recorded again, and the new record says so")
    func repeated() async throws {
        try await withRecords { stage, image, _ in
            // The root's first manifest, the record, and then the tag, which is refused as if the run had been killed.
            stage.cloud.emulator.inject(Fault(on: "PutImage", at: 3...3, .refuse))
            #expect(try await stage.promote().firstError?.reason.name == "denied")
            let first = try #require(
                try await stage.history(of: stage.image(tag: nil, digest: image.digest)).records.first
            )
            let second = try #require(try await stage.promote().records.first)
            let history = try await stage.history()
            #expect(history.records.map(\.digest) == [second, first.digest])
            #expect(history.records.map(\.record.repeats) == [first.digest, nil])
        }
    }

    @Test("a record that came with the image from another repository doesn't stand for one of this repository")
    func copied() async throws {
        try await withRecords { stage, image, _ in
            // Staging is in the same registry as production.
            try stage.cloud.makeDestination(
                "staging/app",
                account: ScenarioCloud.production,
                region: ScenarioCloud.home
            )
            #expect(try await stage.promote(to: stage.production("staging/app")).records.count == 1)
            var options = CopyOptions(ifExists: .fail, tagsAfterReferrers: true)
            options.additions = stage.recorder()
            let staging = try stage.production("staging/app")
            let place = staging.repository(for: try stage.cloud.image("v1"))
            let results = try await stage.cloud.replicator.copy(
                place,
                .one(.tag(Tag(parsing: "v1"))),
                to: [stage.production()],
                tags: [],
                options
            )
            #expect(results.receipt?.referrers == 1 && results.records.count == 1)
            let history = try await stage.history()
            #expect(
                history.records.map(\.record.to.repository) == [
                    "\(try stage.image(tag: nil))", "\(place.bare)",
                ]
            )
            #expect(history.records.allSatisfy { $0.record.image.digest == image.digest })
        }
    }

    @Test("with --upload api a record goes in parts, like every layer")
    func inParts() async throws {
        try await withRecords(uploads: UploadOptions(mode: .api)) { stage, image, _ in
            let promoted = try await stage.promote()
            #expect(promoted.records.count == 1)
            #expect(stage.tag() == image.digest)
            #expect(stage.cloud.counts["POST upload"] == nil)
            let history = try await stage.history()
            #expect(history.records.count == 1)
        }
    }

    @Test("if the record can't be made, no tag is set")
    func failing() async throws {
        try await withRecords { stage, image, _ in
            struct Refusing: RecordSigning {
                let name = "broken"
                let publicKey: PublicKey
                func sign(_ message: [UInt8]) async throws -> [UInt8] {
                    throw RecordSignerError("it is broken", remedy: "try another key")
                }
            }
            var recorder = stage.recorder()
            recorder.signer = Refusing(publicKey: try PrivateKey.generated(.ed25519).publicKey)
            let error = try #require(try await stage.promote("v1", recorder).firstError)
            #expect(error.cause.contains("it is broken"))
            #expect(stage.tag() == nil)
            // The image is there, and the next run continues.
            #expect(try await stage.promote().records.count == 1)
            #expect(stage.tag() == image.digest)
        }
    }

    @Test("a tag that moved while the record was written is refused")
    func movedMeanwhile() async throws {
        try await withRecords { stage, _, other in
            struct Meddling: ReferrerMaking {
                let recorder: Recorder
                let move: @Sendable () throws -> Void
                func referrers(for tagging: Tagging) async throws -> [AddedReferrer] {
                    try move()
                    return try await recorder.referrers(for: tagging)
                }
            }
            var options = CopyOptions(ifExists: .fail, referrers: .none, tagsAfterReferrers: true)
            let emulator = stage.cloud.emulator
            options.additions = Meddling(recorder: stage.recorder()) {
                _ = try emulator.seed(
                    other,
                    tag: "v1",
                    account: ScenarioCloud.production,
                    region: ScenarioCloud.home,
                    repository: "prod/app"
                )
            }
            let results = try await stage.cloud.replicator.copy(
                stage.cloud.image("v1"),
                .one(.tag(Tag(parsing: "v1"))),
                to: [stage.production()],
                tags: [],
                options
            )
            guard case .tagHolds = results.firstError?.reason else {
                Issue.record("\(results)")
                return
            }
            #expect(stage.tag() == other.digest)
        }
    }

    @Test("concurrent promotions leave both histories whole")
    func concurrent() async throws {
        try await withRecords { stage, v1, v2 in
            async let first = stage.promote("v1", ifExists: .move)
            async let second = stage.promote("v2", ifExists: .move)
            let (one, two) = try await (first, second)
            #expect(one.records.count == 1 && two.records.count == 1)
            let winner = try #require(stage.tag())
            for (image, records) in [(v1, one.records), (v2, two.records)] {
                let history = try await stage.history(of: stage.image(tag: nil, digest: image.digest))
                #expect(history.records.map(\.digest) == records)
                #expect(history.unusable.isEmpty)
            }
            #expect([v1.digest, v2.digest].contains(winner))
        }
    }
}
