import Content
import ECREmulator
import Replicate
import Reporting
import TestClouds
import Testing

/// What must not happen doesn't, and the error says why and what to do.
@Suite("Refusals and bad input", .timeLimit(.minutes(1)))
struct ScenarioRefusalTests {
    private let old = SeedImage.oci("old", layers: [100])
    private let new = SeedImage.oci("new", layers: [200])

    @Test("an immutable tag with another digest is refused before a byte moves, with both digests")
    func immutable() async throws {
        try await withCloud { cloud in
            try cloud.seed(new, tag: "v1")
            try cloud.emulator.createRepository(
                account: ScenarioCloud.build,
                region: ScenarioCloud.far,
                "team/app",
                mutability: "IMMUTABLE"
            )
            try cloud.emulator.seed(
                old,
                tag: "v1",
                account: ScenarioCloud.build,
                region: ScenarioCloud.far,
                repository: "team/app"
            )
            let error = try #require(try await copy(cloud).firstError)
            #expect(
                error.reason == .tagImmutable(tag: try Tag(parsing: "v1"), holds: old.digest, wanted: new.digest)
            )
            #expect(error.kind == .refused)
            #expect("\(error)".contains(old.digest.description) && "\(error)".contains(new.digest.description))
            #expect(cloud.counts["POST upload"] == nil && cloud.counts["PutImage"] == nil)
        }
    }

    @Test("where immutability can't be asked, PutImage decides, and its word is understood")
    func immutableUnasked() async throws {
        try await withCloud { cloud in
            try cloud.seed(new, tag: "v1")
            try cloud.emulator.createRepository(
                account: ScenarioCloud.build,
                region: ScenarioCloud.far,
                "team/app",
                mutability: "IMMUTABLE"
            )
            try cloud.emulator.seed(
                old,
                tag: "v1",
                account: ScenarioCloud.build,
                region: ScenarioCloud.far,
                repository: "team/app"
            )
            cloud.emulator.deny(action: "DescribeRepositories")
            let error = try #require(try await copy(cloud).firstError)
            #expect(
                error.reason == .tagImmutable(tag: try Tag(parsing: "v1"), holds: old.digest, wanted: new.digest)
            )
            #expect(cloud.tag("v1") == old.digest)
        }
    }

    @Test("the same tag and digest again is success without a write, immutable or not", arguments: [true, false])
    func again(refusesSameDigest: Bool) async throws {
        try await withCloud({ $0.immutableTagsRefuseSameDigest = refusesSameDigest }) { cloud in
            try cloud.seed(new, tag: "v1")
            try cloud.emulator.createRepository(
                account: ScenarioCloud.build,
                region: ScenarioCloud.far,
                "team/app",
                mutability: "IMMUTABLE"
            )
            // The answer to the first PutImage is lost: the second meets its own image under an immutable tag.
            cloud.emulator.inject(Fault(on: "PutImage", .loseAnswer))
            #expect(try await copy(cloud).receipt?.digest == new.digest)
            cloud.emulator.clearRequests()
            #expect(try await copy(cloud).receipt?.changedAnything == false)
            #expect(cloud.counts["PutImage"] == nil)
        }
    }

    @Test("--if-exists fail refuses, skip leaves alone, move moves", arguments: CopyOptions.IfExists.allCases)
    func ifExists(mode: CopyOptions.IfExists) async throws {
        try await withCloud { cloud in
            try cloud.seed(new, tag: "v1")
            try cloud.emulator.seed(
                old,
                tag: "v1",
                account: ScenarioCloud.build,
                region: ScenarioCloud.far,
                repository: "team/app"
            )
            let results = try await copy(cloud, CopyOptions(ifExists: mode, referrers: .none))
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

    @Test("--if-current moves from that digest only, and refuses an absent tag")
    func ifCurrent() async throws {
        try await withCloud { cloud in
            try cloud.seed(new, tag: "v1")
            try cloud.makeDestination()
            let options = CopyOptions(ifCurrent: old.digest, referrers: .none)
            let absent = try #require(try await copy(cloud, options).firstError)
            #expect(absent.reason == .tagMoved(tag: try Tag(parsing: "v1"), expected: old.digest, holds: nil))
            #expect(absent.kind == .refused)
            try cloud.emulator.seed(
                old,
                tag: "v1",
                account: ScenarioCloud.build,
                region: ScenarioCloud.far,
                repository: "team/app"
            )
            #expect(try await copy(cloud, options).receipt != nil)
            #expect(cloud.tag("v1") == new.digest)
            // It holds the image already: that is what was wanted.
            #expect(try await copy(cloud, options).receipt?.changedAnything == false)
        }
    }

    @Test("a missing repository, tag, permission and an archived image each get their own error")
    func missing() async throws {
        try await withCloud { cloud in
            try cloud.seed(new, tag: "v1")
            let repository = try #require(try await copy(cloud).firstError)
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
            let denied = try #require(try await copy(cloud).firstError)
            #expect(denied.kind == .notPermitted && denied.side == .destination)
            #expect(denied.cause.contains("ecr:PutImage"))
            cloud.emulator.clearDenials()

            try cloud.emulator.archive(
                new.digest,
                account: ScenarioCloud.build,
                region: ScenarioCloud.home,
                repository: "team/app"
            )
            let archived = await #expect(throws: CopyError.self) { try await copy(cloud) }
            #expect(archived?.reason == .archived && archived?.side == .source)
        }
    }

    @Test("--create-repository defaults creates what is missing, and a dry run doesn't")
    func creates() async throws {
        try await withCloud { cloud in
            try cloud.seed(new, tag: "v1")
            let dry = CopyOptions(referrers: .none, createRepository: .defaults, isDryRun: true)
            guard case .planned(let plan)? = try await copy(cloud, dry).first else {
                Issue.record("no plan")
                return
            }
            #expect(plan.createsRepository && plan.blobs.count == 2)
            #expect(cloud.emulator.repositories(account: ScenarioCloud.build, region: ScenarioCloud.far).isEmpty)
            cloud.emulator.clearRequests()
            let options = CopyOptions(referrers: .none, createRepository: .defaults)
            #expect(try await copy(cloud, options).receipt?.digest == new.digest)
            #expect(cloud.counts["BatchCheckLayerAvailability"] == nil, "an empty repository isn't asked")
            #expect(cloud.holds(new))
        }
    }

    @Test("TAG@DIGEST that no longer agree is an error")
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

    private func copy(
        _ cloud: ScenarioCloud,
        _ options: CopyOptions = CopyOptions(referrers: .none)
    ) async throws -> [CopyResult] {
        try await cloud.replicator.copy(
            cloud.image("v1"),
            .one(.tag(Tag(parsing: "v1"))),
            to: [cloud.destination()],
            tags: [],
            options
        )
    }
}
