import Content
import ECREmulator
import Platform
import Replicate
import TestClouds
import Testing

@testable import Promotion

@Suite("Undo", .timeLimit(.minutes(1)))
struct UndoTests {
    private func refusal(_ body: () async throws -> [CopyResult]) async throws -> String {
        do {
            let results = try await body()
            return results.firstError.map { "\($0.reason.name): \($0.cause)" } ?? "done"
        } catch let error as CopyError {
            return "\(error.reason.name): \(error.cause)"
        }
    }

    @Test("restores the previous image, leaves a record, and the history has all three")
    func restores() async throws {
        try await withRecords { stage, v1, v2 in
            _ = try await stage.promote("v1")
            let second = try #require(try await stage.promote("v2", ifExists: .move).records.first)
            #expect(stage.tag() == v2.digest)
            stage.cloud.emulator.clearRequests()
            let undone = try await stage.undo()
            #expect(stage.tag() == v1.digest)
            #expect(
                undone.receipt?.tags == [
                    .init(tag: try Tag(parsing: "v1"), outcome: .moved, previous: v2.digest)
                ]
            )
            let history = try await stage.history()
            #expect(history.records.map(\.record.action) == [.undo, .promote, .promote])
            #expect(history.records.map(\.record.image.digest) == [v1.digest, v2.digest, v1.digest])
            #expect(history.records.first?.record.undoes == second)
            #expect(history.records.first?.record.tags == [.init(tag: "v1", outcome: .moved, before: v2.digest)])

            // What can be undone is a promotion; an undo only if its record is named.
            let again = try await refusal { try await stage.undo() }
            #expect(again.hasPrefix("undoRefused: can't undo: the last change of"), "\(again)")
            #expect(stage.tag() == v1.digest)
            let record = try #require(undone.records.first)
            _ = try await stage.undo(stage.image(tag: nil, digest: record))
            #expect(stage.tag() == v2.digest)
        }
    }

    @Test("of a record is done once: the second time nothing changes and nothing is recorded")
    func twice() async throws {
        try await withRecords { stage, v1, _ in
            _ = try await stage.promote("v1")
            let record = try #require(try await stage.promote("v2", ifExists: .move).records.first)
            let named = try stage.image(tag: nil, digest: record)
            #expect(try await stage.undo(named).records.count == 1)
            let again = try await stage.undo(named)
            #expect(again.receipt?.changedAnything == false && again.records.isEmpty)
            #expect(stage.tag() == v1.digest)
        }
    }

    @Test("is refused if the tag has moved meanwhile, was new, or nothing is known about it")
    func refusals() async throws {
        try await withRecords { stage, v1, v2 in
            let first = try #require(try await stage.promote("v1").records.first)
            let new = try await refusal { try await stage.undo() }
            #expect(new.contains("did not exist before, and undo deletes nothing"), "\(new)")
            let second = try #require(try await stage.promote("v2", ifExists: .move).records.first)
            try stage.cloud.emulator.seed(
                v1,
                tag: "v1",
                account: ScenarioCloud.production,
                region: ScenarioCloud.home,
                repository: "prod/app"
            )
            // The tag holds what it would get back, so this is done already.
            #expect(try await refusal { try await stage.undo(stage.image(tag: nil, digest: second)) } == "done")
            let other = SeedImage.oci("three", layers: [300])
            try stage.cloud.emulator.seed(
                other,
                tag: "v1",
                account: ScenarioCloud.production,
                region: ScenarioCloud.home,
                repository: "prod/app"
            )
            let moved = try await refusal { try await stage.undo(stage.image(tag: nil, digest: second)) }
            #expect(moved.hasPrefix("tagMoved: "), "\(moved)")
            let unknown = try await refusal { try await stage.undo() }
            #expect(unknown.contains("there is no record of how"), "\(unknown)")
            #expect(stage.tag() == other.digest)
            #expect(try await refusal { try await stage.undo(stage.image(tag: "nope")) }.hasPrefix("imageMissing"))
            let image = try await refusal { try await stage.undo(stage.image(tag: nil, digest: v2.digest)) }
            #expect(image.contains("is not a record of a promotion"), "\(image)")
            #expect(first != second)
        }
    }

    @Test("with keys takes only records that one of them has signed")
    func keys() async throws {
        try await withRecords { stage, v1, v2 in
            let key = try PrivateKey.generated(.ecdsa(.p256))
            let other = try PrivateKey.generated(.ed25519)
            let keys = [RecordKey(name: "k", key: key.publicKey)]
            _ = try await stage.promote("v1")
            _ = try await stage.promote("v2", stage.recorder(signedWith: other), ifExists: .move)
            let refused = try await refusal { try await stage.undo(keys: keys) }
            #expect(refused.contains("only 1 that no given key has signed"), "\(refused)")
            #expect(stage.tag() == v2.digest)
            let done = try await refusal {
                try await stage.undo(keys: [RecordKey(name: "o", key: other.publicKey)])
            }
            #expect(done == "done" && stage.tag() == v1.digest)
        }
    }
}
