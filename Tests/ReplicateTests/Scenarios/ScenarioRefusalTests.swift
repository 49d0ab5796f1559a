import Content
import ECREmulator
import Replicate
import Reporting
import TestClouds
import Testing

/// Refused copies write nothing, and the error gives the reason and a remedy.
@Suite("Refusals and bad input", .timeLimit(.minutes(1)))
struct ScenarioRefusalTests {
    private let old = SeedImage.oci("old", layers: [100])
    private let new = SeedImage.oci("new", layers: [200])

    @Test("An immutable tag with another digest is refused before a byte moves, naming both digests")
    func immutable() async throws {
        try await withCloud { cloud in
            try cloud.seed(new, tag: "v1")
            try cloud.makeImmutableDestination()
            try cloud.seedDestination(old, tag: "v1")
            let error = try #require(try await cloud.copy().firstError)
            #expect(
                error.reason == .tagImmutable(tag: try Tag(parsing: "v1"), holds: old.digest, wanted: new.digest)
            )
            #expect(error.kind == .refused)
            #expect("\(error)".contains(old.digest.description) && "\(error)".contains(new.digest.description))
            #expect(cloud.counts["POST upload"] == nil && cloud.counts["PutImage"] == nil)
        }
    }

    @Test("Without permission to read immutability, PutImage's refusal is reported as such")
    func immutableUnasked() async throws {
        try await withCloud { cloud in
            try cloud.seed(new, tag: "v1")
            try cloud.makeImmutableDestination()
            try cloud.seedDestination(old, tag: "v1")
            cloud.emulator.deny(action: "DescribeRepositories")
            let error = try #require(try await cloud.copy().firstError)
            #expect(
                error.reason == .tagImmutable(tag: try Tag(parsing: "v1"), holds: old.digest, wanted: new.digest)
            )
            #expect(cloud.tag("v1") == old.digest)
        }
    }

    @Test("Copying to an immutable tag that holds the image succeeds without a write", arguments: [true, false])
    func again(refusesSameDigest: Bool) async throws {
        try await withCloud({ $0.immutableTagsRefuseSameDigest = refusesSameDigest }) { cloud in
            try cloud.seed(new, tag: "v1")
            try cloud.makeImmutableDestination()
            // The answer to the first PutImage is lost, so the second finds its own image under the immutable tag.
            cloud.emulator.inject(Fault(on: "PutImage", .loseAnswer))
            #expect(try await cloud.copy().receipt?.digest == new.digest)
            cloud.emulator.clearRequests()
            #expect(try await cloud.copy().receipt?.changedAnything == false)
            #expect(cloud.counts["PutImage"] == nil)
        }
    }

    @Test(
        "--if-exists fail refuses, skip leaves the tag alone, move moves it",
        arguments: CopyOptions.IfExists.allCases
    )
    func ifExists(mode: CopyOptions.IfExists) async throws {
        try await withCloud { cloud in
            try cloud.seed(new, tag: "v1")
            try cloud.seedDestination(old, tag: "v1")
            let results = try await cloud.copy(CopyOptions(ifExists: mode, referrers: .none))
            switch mode {
            case .fail:
                let error = try #require(results.firstError)
                #expect(error.reason == .tagHolds(tag: try Tag(parsing: "v1"), holds: old.digest, wanted: new.digest))
                #expect(ExitStatus.of(results) == 3)
            case .skip:
                #expect(results.receipt?.lines == [])
                #expect(ExitStatus.of(results) == 0)
                #expect(cloud.counts["POST upload"] == nil)
            case .move: #expect(results.receipt?.tags.first?.previous == old.digest)
            }
            #expect(cloud.tag("v1") == (mode == .move ? new.digest : old.digest))
        }
    }

    @Test("--if-current moves a tag only from that digest, and refuses a missing tag")
    func ifCurrent() async throws {
        try await withCloud { cloud in
            try cloud.seed(new, tag: "v1")
            try cloud.makeDestination()
            let options = CopyOptions(ifCurrent: old.digest, referrers: .none)
            let absent = try #require(try await cloud.copy(options).firstError)
            #expect(absent.reason == .tagMoved(tag: try Tag(parsing: "v1"), expected: old.digest, holds: nil))
            #expect(absent.kind == .refused)
            try cloud.seedDestination(old, tag: "v1")
            #expect(try await cloud.copy(options).receipt != nil)
            #expect(cloud.tag("v1") == new.digest)
            // The tag already holds the image, so nothing is refused.
            #expect(try await cloud.copy(options).receipt?.changedAnything == false)
        }
    }

    @Test("A missing repository, tag or permission and an archived image have distinct errors")
    func missing() async throws {
        try await withCloud { cloud in
            try cloud.seed(new, tag: "v1")
            let repository = try #require(try await cloud.copy().firstError)
            #expect(repository.reason == .repositoryMissing && repository.side == .destination)
            #expect(repository.remedy.contains("--create-repository"))
            try cloud.makeDestination()

            let tag = try Tag(parsing: "nope")
            let image = await #expect(throws: CopyError.self) {
                try await cloud.replicator.copy(
                    cloud.source().tagged(tag),
                    .one(.tag(tag)),
                    to: [cloud.destination()],
                    tags: [],
                    CopyOptions()
                )
            }
            #expect(image?.reason == .imageMissing && image?.side == .source)

            cloud.emulator.deny(action: "PutImage", repository: "team/app")
            let denied = try #require(try await cloud.copy().firstError)
            #expect(denied.kind == .notPermitted && denied.side == .destination)
            #expect(denied.cause.contains("ecr:PutImage"))
            cloud.emulator.clearDenials()

            try cloud.emulator.archive(
                new.digest,
                account: ScenarioCloud.build,
                region: ScenarioCloud.home,
                repository: "team/app"
            )
            let archived = await #expect(throws: CopyError.self) { try await cloud.copy() }
            #expect(archived?.reason == .archived && archived?.side == .source)
        }
    }

    @Test("--create-repository defaults creates a missing repository, and a dry run doesn't")
    func creates() async throws {
        try await withCloud { cloud in
            try cloud.seed(new, tag: "v1")
            let dry = CopyOptions(referrers: .none, createRepository: .defaults, isDryRun: true)
            guard case .planned(let plan)? = try await cloud.copy(dry).first else {
                Issue.record("no plan")
                return
            }
            #expect(plan.createsRepository && plan.blobs.count == 2)
            #expect(cloud.emulator.repositories(account: ScenarioCloud.build, region: ScenarioCloud.far).isEmpty)
            cloud.emulator.clearRequests()
            let options = CopyOptions(referrers: .none, createRepository: .defaults)
            #expect(try await cloud.copy(options).receipt?.digest == new.digest)
            #expect(cloud.counts["BatchCheckLayerAvailability"] == nil, "an empty repository gets no blob check")
            #expect(cloud.holds(new))
        }
    }

    @Test("A TAG@DIGEST whose tag has another digest is an error")
    func disagreement() async throws {
        try await withCloud { cloud in
            try cloud.seed(new, tag: "v1")
            try cloud.seed(old, tag: "v0")
            let id = ManifestID.both(try Tag(parsing: "v1"), old.digest)
            let error = await #expect(throws: CopyError.self) {
                try await cloud.replicator.copy(
                    cloud.source().tagged(id.tag, digest: id.digest),
                    .one(id),
                    to: [cloud.destination()],
                    tags: [],
                    CopyOptions()
                )
            }
            #expect(error?.reason == .tagMismatch)
        }
    }
}
