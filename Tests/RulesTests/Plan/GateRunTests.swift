import Content
import ECREmulator
import Foundation
import Platform
import Promotion
import Replicate
import TestClouds
import TestPrograms
import Testing

@testable import Rules

/// Rules with gates: what passes is copied, and what doesn't is refused with the reason.
@Suite("Gates under rules", .timeLimit(.minutes(2)))
struct GateRunTests {
    private func scan(_ digest: Digest, _ counts: [String: Int], _ scene: RuleScene) throws {
        try scene.emulator.setScan(
            of: digest,
            counts: counts,
            account: ScenarioCloud.build,
            region: ScenarioCloud.home,
            repository: "team/app"
        )
    }

    private let rules = RuleScene.rules("gates: { maxSeverity: LOW }\nifExists: move")

    /// The requests that change the destination.
    private func writes(_ scene: RuleScene) -> Int {
        let counts = scene.cloud.counts
        return counts.filter { $0.key == "PutImage" || $0.key.hasPrefix("POST") || $0.key.hasPrefix("PUT") }.values
            .reduce(0, +)
    }

    @Test("plan and sync refuse what a gate denies, by name and with the reason, and copy the rest")
    func denied() async throws {
        try await withScene { scene in
            let (good, bad) = (SeedImage.oci("good", layers: [100]), SeedImage.oci("bad", layers: [200]))
            try scene.seed(good, "good")
            try scene.seed(bad, "bad")
            try scene.cloud.makeDestination()
            try scan(good.digest, ["LOW": 1], scene)
            try scan(bad.digest, ["HIGH": 1], scene)
            let plan = try await scene.run(rules, .plan)
            #expect(plan.actions == ["team/app:good": .add, "team/app:bad": .refuse], "\(plan.text)")
            #expect(plan.problems.first?.text.contains("scan failed: 1 HIGH above LOW") == true, "\(plan.problems)")
            #expect(plan.totals.planExitStatus == 2)
            let done = try await scene.run(rules, .carryOut)
            #expect(done.actions == ["team/app:good": .add, "team/app:bad": .refuse], "\(done.text)")
            #expect(done.totals.exitStatus == 1, "one is refused and one is done")
            #expect(scene.tags() == ["good": good.digest])
            #expect(!scene.manifests().contains(bad.digest))
            #expect(try await scene.run(rules, .carryOut).totals.exitStatus == 1, "one is refused, and one is in sync")
        }
    }

    @Test("nothing is written of an image that a gate denies, and what is in sync is not asked about")
    func nothingWritten() async throws {
        try await withScene { scene in
            let image = SeedImage.oci("app", layers: [100])
            try scene.seed(image, "v1")
            try scene.cloud.makeDestination()
            let (refused, counts) = try await scene.counted(rules, .carryOut)
            #expect(refused.totals.exitStatus == 3 && counts["DescribeImageScanFindings"] == 1)
            #expect(writes(scene) == 0)
            try scan(image.digest, [:], scene)
            #expect(try await scene.run(rules, .carryOut).totals.exitStatus == 0)
            #expect(try await scene.counted(rules, .carryOut).counts["DescribeImageScanFindings"] == nil)
        }
    }

    @Test("a rule whose gates are not set up copies nothing, in any way")
    func closed() async throws {
        try await withScene { scene in
            let image = SeedImage.oci("app", layers: [100])
            try scene.seed(image, "v1")
            try scene.cloud.makeDestination()
            try scan(image.digest, [:], scene)
            for mode in [RuleRun.Mode.plan, .carryOut, .verify(VerifyOptions(isDeep: false, repairs: true))] {
                let outcomes = try await scene.run(rules, mode, settingUpGates: false)
                #expect(outcomes.problems.map(\.reason).contains("gateDenied"), "\(mode): \(outcomes.text)")
                #expect(writes(scene) == 0)
            }
            #expect(scene.tags().isEmpty)
        }
    }

    @Test("verify --repair brings nothing that a gate denies")
    func repair() async throws {
        try await withScene { scene in
            let image = SeedImage.oci("app", layers: [100])
            try scene.seed(image, "v1")
            try scene.cloud.makeDestination()
            try scan(image.digest, ["CRITICAL": 1], scene)
            let repair = RuleRun.Mode.verify(VerifyOptions(isDeep: false, repairs: true))
            _ = try await scene.run(rules, repair)
            #expect(scene.tags().isEmpty && writes(scene) == 0)
            try scan(image.digest, [:], scene)
            _ = try await scene.run(rules, repair)
            #expect(scene.tags() == ["v1": image.digest])
        }
    }

    @Test("a quick plan says that it evaluates no gates")
    func quick() async throws {
        try await withScene { scene in
            try scene.seed(SeedImage.oci("app", layers: [100]), "v1")
            try scene.cloud.makeDestination()
            let (plan, counts) = try await scene.counted(rules, .compare)
            #expect(plan.text.contains("plan --quick evaluates no gates"), "\(plan.text)")
            #expect(counts["DescribeImageScanFindings"] == nil)
        }
    }
}
