import Content
import ECREmulator
import Replicate
import TestClouds
import Testing

@testable import Rules

/// The requests of plan and sync, as counted by the server (docs/architecture.md#request-budgets).
@Suite("Requests of rules", .timeLimit(.minutes(2)))
struct RuleBudgetTests {
    @Test(
        "of a no-op over 10 repositories of 100 tags are two each, and the list of repositories",
        arguments: [
            RuleRun.Mode.compare, .plan, .carryOut,
        ]
    )
    func tenRepositories(mode: RuleRun.Mode) async throws {
        try await withScene { scene in
            let names = (0..<10).map { "team/app\($0)" }
            for region in [ScenarioCloud.home, ScenarioCloud.far] {
                try scene.emulator.seedMany(100, in: names, account: ScenarioCloud.build, region: region)
            }
            let (outcomes, counts) = try await scene.counted(RuleScene.rules(), mode)
            #expect(counts == ["DescribeRepositories": 1, "DescribeImages": 20])
            #expect(outcomes.count == 10 && outcomes.totals.tags == [.keep: 1_000])
            #expect(outcomes.totals.planExitStatus == 0 && outcomes.totals.exitStatus == 0)
            #expect(scene.emulator.requests.count == scene.cloud.total, "no token is needed")
        }
    }

    @Test("of a no-op are a page for each thousand images at each side", arguments: [1_000, 10_000])
    func manyTags(count: Int) async throws {
        try await withScene { scene in
            for region in [ScenarioCloud.home, ScenarioCloud.far] {
                try scene.emulator.seedMany(count, in: ["team/app"], account: ScenarioCloud.build, region: region)
            }
            for referrers in ["all", "none"] {
                let rules = RuleScene.rules("referrers: \(referrers)", from: "team/app")
                let (outcomes, counts) = try await scene.counted(rules, .carryOut)
                #expect(counts == ["DescribeImages": 2 * count / 1_000], "a fixed list needs no DescribeRepositories")
                #expect(outcomes.totals.tags == [.keep: count])
            }
        }
    }

    @Test("of one changed tag of 1,000 are those of that image alone")
    func oneOfThousand() async throws {
        try await withScene { scene in
            try scene.emulator.seedMany(
                1_000,
                in: ["team/app"],
                account: ScenarioCloud.build,
                region: ScenarioCloud.home
            )
            try scene.emulator.seedMany(
                1_000,
                in: ["team/app"],
                account: ScenarioCloud.build,
                region: ScenarioCloud.far
            )
            let image = SeedImage.oci("changed", layers: [1_000])
            try scene.seed(image, "v7")
            let rules = RuleScene.rules("referrers: none", from: "team/app")

            let quick = try await scene.counted(rules, .compare)
            #expect(quick.counts == ["DescribeImages": 2])
            #expect(quick.outcomes.totals.tags == [.move: 1, .keep: 999])

            let planned = try await scene.counted(rules, .plan)
            #expect(
                planned.counts == [
                    "DescribeImages": 2, "BatchGetImage": 1, "DescribeRepositories": 1,
                    "BatchCheckLayerAvailability": 1,
                ]
            )
            #expect(planned.outcomes.totals.tags == [.move: 1, .keep: 999])
            #expect(planned.outcomes.totals.work.bytes == image.byteCount)

            let done = try await scene.counted(rules, .carryOut)
            #expect(
                done.counts == [
                    "DescribeImages": 2, "BatchGetImage": 1, "DescribeRepositories": 1,
                    "BatchCheckLayerAvailability": 1,
                    "GetDownloadUrlForLayer": 2, "GET layer": 2, "POST upload": 2, "PUT blob": 2, "PutImage": 1,
                ]
            )
            // What the plan foresees is what the copy costs, without what planning itself asks.
            #expect(planned.outcomes.totals.work.requests == 4 * 2 + 1)
            #expect(scene.tags()["v7"] == image.digest)
            #expect(try await scene.counted(rules, .carryOut).counts == ["DescribeImages": 2])
        }
    }

    @Test("of many differing images are a hundred manifests or layers each, over all images")
    func differing() async throws {
        try await withScene { scene in
            try scene.emulator.seedMany(250, in: ["team/app"], account: ScenarioCloud.build, region: ScenarioCloud.home)
            try scene.emulator.createRepository(account: ScenarioCloud.build, region: ScenarioCloud.far, "team/app")
            let rules = RuleScene.rules("referrers: none", from: "team/app")
            let (outcomes, counts) = try await scene.counted(rules, .plan)
            #expect(outcomes.totals.tags == [.add: 250])
            // 200 images at once and 50, a hundred a call; all have the same two blobs.
            #expect(counts == ["DescribeImages": 2, "BatchGetImage": 3, "BatchCheckLayerAvailability": 1])
        }
    }

    @Test("of many signed indexes are a hundred manifests or layers each, over all images")
    func manySigned() async throws {
        try await withScene { scene in
            var blobs: Set<Digest> = []
            for number in 0..<60 {
                let image = SeedImage.twoPlatforms("app\(number)", layersEach: [50 + Int64(number)])
                let sbom = SeedImage.referrer(to: image)
                let signature = SeedImage.cosignSignature(of: image.digest)
                try scene.seed(image, "v\(number)")
                try scene.seed(sbom, nil)
                try scene.seed(signature, SeedImage.cosignTag(of: image.digest))
                for image in [image, sbom, signature] { blobs.formUnion(image.blobs.map(\.digest)) }
            }
            try scene.emulator.createRepository(account: ScenarioCloud.build, region: ScenarioCloud.far, "team/app")
            let planned = try await scene.counted(RuleScene.rules(from: "team/app"), .plan)
            #expect(planned.outcomes.totals.tags == [.add: 60], "\(planned.outcomes.text)")
            let questions = [
                "DescribeImages": 2,
                // 60 indexes, their 240 children, and 60 SBOMs and 60 signatures.
                "BatchGetImage": 1 + 3 + 2,
                "BatchCheckLayerAvailability": (blobs.count + 99) / 100,
            ]
            #expect(planned.counts == questions)

            let done = try await scene.counted(RuleScene.rules(from: "team/app"), .carryOut)
            #expect(done.counts.filter { questions[$0.key] != nil } == questions)
            #expect(done.counts["PutImage"] == 60 * 7)
            #expect(
                try await scene.counted(RuleScene.rules(from: "team/app"), .carryOut).counts == ["DescribeImages": 2]
            )
        }
    }

    @Test("find signatures by their subjects in the listing, without ListImageReferrers")
    func referrers() async throws {
        try await withScene { scene in
            let image = SeedImage.oci("app", layers: [1_000])
            let sbom = SeedImage.referrer(to: image)
            let nested = SeedImage.referrer(to: sbom, content: "signature of the SBOM")
            let signature = SeedImage.cosignSignature(of: image.digest)
            try scene.seedBoth(image, "v1")
            try scene.seed(sbom, nil)
            try scene.seed(nested, nil)
            try scene.seed(signature, SeedImage.cosignTag(of: image.digest))

            // Tagged images only: the signature's tag goes with its image, which stays as it is.
            let none = try await scene.counted(RuleScene.rules("referrers: none", from: "team/app"), .carryOut)
            #expect(none.counts == ["DescribeImages": 2] && none.outcomes.totals.tags == [.keep: 1])

            let planned = try await scene.counted(RuleScene.rules(from: "team/app"), .plan)
            #expect(planned.counts["ListImageReferrers"] == nil && planned.counts["DescribeImages"] == 2)
            #expect(planned.outcomes.totals.work.referrers == 2)
            #expect(planned.outcomes.totals.planExitStatus == 2, "\(planned.outcomes.text)")

            let done = try await scene.counted(RuleScene.rules(from: "team/app"), .carryOut)
            #expect(done.counts["ListImageReferrers"] == nil)
            #expect(scene.manifests() == [image.digest, sbom.digest, nested.digest, signature.digest])
            #expect(scene.tags()[SeedImage.cosignTag(of: image.digest)] == signature.digest)
            let again = try await scene.counted(RuleScene.rules(from: "team/app"), .carryOut)
            #expect(again.counts == ["DescribeImages": 2] && again.outcomes.totals.tags == [.keep: 1])
        }
    }

    @Test("of a referrer to a child of an index look at the indexes, and end in two requests")
    func referrerOfChild() async throws {
        try await withScene { scene in
            let image = SeedImage.twoPlatforms("app", layersEach: [500])
            let child = SeedImage.oci("app-amd64", layers: [500])
            try #require(image.manifests.map(\.digest).contains(child.digest))
            let sbom = SeedImage.referrer(to: child)
            try scene.seedBoth(image, "v1")
            try scene.seed(sbom, nil)
            let done = try await scene.counted(RuleScene.rules(from: "team/app"), .carryOut)
            #expect(scene.manifests().contains(sbom.digest), "\(done.outcomes.text)")
            let again = try await scene.counted(RuleScene.rules(from: "team/app"), .carryOut)
            #expect(again.counts == ["DescribeImages": 2], "\(again.outcomes.text)")
        }
    }

    @Test("are shared by two rules for one destination, which list their own source each")
    func twoRules() async throws {
        try await withScene { scene in
            try scene.seedBoth(SeedImage.oci("one", layers: [100]), "v1")
            try scene.seedBoth(SeedImage.oci("two", layers: [100]), "w1")
            let rules = """
                  - { name: a, from: { registry: build, repository: team/app }, to: { registry: far }, tags: { match: "v*" } }
                  - { name: b, from: { registry: build, repository: team/app }, to: { registry: far }, tags: { match: "w*" } }
                """
            let (outcomes, counts) = try await scene.counted(rules, .carryOut)
            #expect(counts == ["DescribeImages": 4])
            #expect(outcomes.map(\.rule) == ["a", "b"] && outcomes.totals.tags == [.keep: 2])
        }
    }
}
