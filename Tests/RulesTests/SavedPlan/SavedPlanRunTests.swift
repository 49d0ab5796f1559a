import Content
import ECREmulator
import Foundation
import Platform
import Replicate
import TestClouds
import Testing

@testable import Rules

@Suite("Carrying out a saved plan", .timeLimit(.minutes(2)))
struct SavedPlanRunTests {
    private let image = SeedImage.oci("app", layers: [900, 1_100])

    @Test("a plan of nothing to do sends nothing")
    func nothing() async throws {
        try await withPlanStage { stage in
            stage.seed(image, "v1")
            stage.seed(image, "v1", in: ScenarioCloud.far)
            try await stage.save(stage.rules())
            let done = try await stage.carryOut()
            #expect(stage.emulator.requests.isEmpty)
            #expect(done.reported == ["team/app:v1": "keep"])
            #expect(done.totals.exitStatus == 0)
        }
    }

    @Test("both sides are read with one request each, and the source's with its manifest")
    func budget() async throws {
        try await withPlanStage { stage in
            stage.seed(image, "v1")
            stage.seed(.oci("old", layers: [900]), "v1", in: ScenarioCloud.far)
            try await stage.save(stage.rules())
            let none = try await stage.carryOut()
            // The third BatchGetImage is the guard's, right before the tag is moved.
            #expect(
                none.counts == [
                    "BatchGetImage": 3, "DescribeRepositories": 1, "BatchCheckLayerAvailability": 1, "PutImage": 1,
                    "GetDownloadUrlForLayer": 3, "GET layer": 3, "POST upload": 3, "PUT blob": 3,
                ]
            )
        }
        try await withPlanStage { stage in
            stage.seed(image, "v1")
            stage.seed(.oci("old", layers: [900]), "v9", in: ScenarioCloud.far)
            try await stage.save(stage.rules(["referrers: all"]))
            let all = try await stage.carryOut()
            #expect(all.counts["DescribeImages"] == 2)
            #expect(all.counts["ListImageReferrers"] == nil)
            #expect(all.puts == ["team/app": 1])
        }
    }

    @Test("a signature that is missing is brought, and its image's tag stays")
    func referrers() async throws {
        try await withPlanStage { stage in
            let signature = SeedImage.referrer(to: image)
            stage.seed(image, "v1")
            stage.seed(image, "v1", in: ScenarioCloud.far)
            stage.seed(signature, nil)
            try await stage.save(stage.rules(["referrers: all"]))

            let done = try await stage.carryOut()
            #expect(done.puts == ["team/app": 1])
            #expect(done.changed.isEmpty)
            #expect(stage.cloud.holds(signature))
            let again = try await stage.carryOut()
            #expect(again.puts.isEmpty && again.reported == ["team/app:v1": "keep"])

            // Another plan of the same change, whose tag is then moved away.
            try stage.emulator.deleteRepository(account: ScenarioCloud.build, region: ScenarioCloud.far, "team/app")
            stage.seed(image, "v1", in: ScenarioCloud.far)
            try await stage.save(stage.rules(["referrers: all"]))
            stage.seed(.oci("other", layers: [900]), "v1", in: ScenarioCloud.far)
            let stale = try await stage.carryOut()
            #expect(stale.puts.isEmpty && stale.reported == ["team/app:v1": "stalePlan"])
        }
    }

    @Test("the selected platforms are copied from the index that the plan has seen")
    func platforms() async throws {
        try await withPlanStage { stage in
            let index = SeedImage.twoPlatforms("two", layersEach: [900], isAttested: false)
            stage.seed(index, "v1")
            stage.seed(image, "v9", in: ScenarioCloud.far)
            try await stage.save(stage.rules(["referrers: none", "platforms: linux/arm64"]))
            #expect(try stage.text().contains("\"sourceDigest\":\"\(index.digest)\""))
            let child = index.manifests[1].digest

            let done = try await stage.carryOut()
            #expect(done.changed == ["team/app:v1": child])
            #expect(try await stage.carryOut().puts.isEmpty)
        }
    }

    @Test("images without a tag are copied by their digest", arguments: ["untagged: true", "digests"])
    func untagged(_ selection: String) async throws {
        try await withPlanStage { stage in
            stage.seed(image, nil)
            stage.seed(.oci("old", layers: [900]), "v9", in: ScenarioCloud.far)
            let tags = selection == "digests" ? "digests: [\"\(image.digest)\"]" : selection
            try await stage.save(stage.rules(["referrers: none", "tags: { \(tags) }"]))

            let done = try await stage.carryOut()
            #expect(done.puts == ["team/app": 1])
            #expect(stage.cloud.holds(image))
            #expect(try await stage.carryOut().puts.isEmpty)
        }
    }

    @Test("a missing repository is created if the plan says so, or if another one has created it")
    func creation() async throws {
        try await withPlanStage { stage in
            for name in ["team/a", "team/b"] { stage.seed(image, "v1", name) }
            try await stage.save(stage.rules(["referrers: none", "createRepository: defaults"]))
            try stage.cloud.makeDestination("team/b")

            let done = try await stage.carryOut()
            #expect(done.counts["CreateRepository"] == 1)
            #expect(done.puts == ["team/a": 1, "team/b": 1])
            #expect(done.outcomes.map(\.creates) == [true, false])
        }
    }

    @Test("an interrupted execution goes on when the plan is carried out again")
    func interrupted() async throws {
        try await withPlanStage { stage in
            let names = (10..<26).map { "team/app-\($0)" }
            for name in names {
                stage.seed(.oci(name, layers: [900]), "v1", name)
                try stage.cloud.makeDestination(name)
            }
            try await stage.save(stage.rules())
            let drain = Drain()
            let first = try await stage.carryOut(drain: drain) { event in
                if case .manifestPut = event { drain.begin() }
            }
            let begun = first.changed.count
            #expect((1..<names.count).contains(begun))
            #expect(first.totals.exitStatus == 1 || first.totals.stopped == 0)

            let second = try await stage.carryOut()
            #expect(second.changed.count == names.count - begun)
            #expect(second.puts.values.reduce(0, +) == names.count - begun)
            #expect(second.outcomes.map { $0.source.repository.value } == names)
            #expect(second.totals.exitStatus == 0)
        }
    }

    @Test("what the plan could not decide is reported again, and keeps nothing else from being done")
    func problems() async throws {
        try await withPlanStage { stage in
            stage.seed(image, "v1", "team/a")
            stage.seed(image, "v1", "team/b")
            try stage.cloud.makeDestination("team/b")
            try await stage.save(stage.rules())

            let done = try await stage.carryOut()
            #expect(done.problems.map(\.reason) == ["repositoryMissing"])
            #expect(done.puts == ["team/b": 1])
            #expect(done.totals.exitStatus == 1)
        }
    }

    @Test("tags that were refused or skipped are left alone", arguments: ["fail", "skip"])
    func refused(_ ifExists: String) async throws {
        try await withPlanStage { stage in
            stage.seed(image, "v1")
            stage.seed(.oci("old", layers: [900]), "v1", in: ScenarioCloud.far)
            try await stage.save(stage.rules(["referrers: none", "ifExists: \(ifExists)"]))
            let done = try await stage.carryOut()
            #expect(stage.emulator.requests.isEmpty)
            #expect(done.reported == ["team/app:v1": ifExists == "fail" ? "tagHolds" : "skip"])
            #expect(done.totals.exitStatus == (ifExists == "fail" ? 3 : 0))
        }
    }
}
