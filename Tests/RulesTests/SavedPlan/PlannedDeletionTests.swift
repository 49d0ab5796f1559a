import Content
import ECREmulator
import Platform
import Replicate
import TestClouds
import Testing

@testable import Rules

/// What happens between a plan that deletes and its execution, and what may then be deleted.
struct DeletionChange: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var change: @Sendable (PlanStage) throws -> Void
    /// What is reported for deletions, if it differs from an undisturbed execution.
    var reports: [String: String]
    /// The tags of the destination that are left, besides v1.
    var left: Set<String>

    init(
        _ name: String,
        reports: [String: String] = [:],
        left: Set<String> = [],
        _ change: @escaping @Sendable (PlanStage) throws -> Void
    ) {
        (testDescription, self.reports, self.left, self.change) = (name, reports, left, change)
    }
}

/// Deletions of a saved plan (docs/rules.md#saved-plans).
@Suite("Deletions of a saved plan", .timeLimit(.minutes(2)))
struct PlannedDeletionTests {
    private static let image = SeedImage.oci("app", layers: [900])
    private static let old = SeedImage.oci("old", layers: [500])
    private static let other = SeedImage.oci("other", layers: [600])
    private static let keys = ["referrers: all", "prune: { enabled: true, maxDelete: 9 }"]

    /// `v1` at both sides; at the destination also `alias` of it, and `v0`, which the source does not have.
    private static func seed(_ stage: PlanStage) {
        stage.seed(image, "v1")
        for tag in ["v1", "alias"] { stage.seed(image, tag, in: ScenarioCloud.far) }
        stage.seed(old, "v0", in: ScenarioCloud.far)
    }

    private static let changes = [
        DeletionChange("nothing") { _ in },
        DeletionChange("the tag was moved", reports: ["v0": "stalePlan"], left: ["v0"]) {
            $0.seed(other, "v0", in: ScenarioCloud.far)
        },
        DeletionChange("the tag is gone already", reports: ["v0": "keep"]) {
            try $0.remove("v0", in: ScenarioCloud.far)
        },
        DeletionChange("the image has got another tag", left: ["mine"]) {
            $0.seed(old, "mine", in: ScenarioCloud.far)
        },
        DeletionChange("there is a new tag", left: ["new"]) { $0.seed(other, "new", in: ScenarioCloud.far) },
        DeletionChange("the image would lose its last tag", reports: ["alias": "stalePlan"], left: ["alias"]) {
            // It keeps only the tag that the plan deletes.
            try $0.remove("v1", in: ScenarioCloud.far)
        },
        DeletionChange("the image was archived", reports: ["v0": "stalePlan"], left: ["v0"]) {
            try $0.emulator.archive(
                old.digest,
                account: ScenarioCloud.build,
                region: ScenarioCloud.far,
                repository: "team/app"
            )
        },
        DeletionChange("the source has got the tag", left: []) { $0.seed(old, "v0") },
        DeletionChange(
            "the destination's repository was deleted",
            reports: ["alias": "stalePlan", "v0": "stalePlan"]
        ) { try $0.deleteRepository(in: ScenarioCloud.far) },
    ]

    @Test("are carried out if the tags hold what the plan has seen, and are refused otherwise", arguments: changes)
    func changed(_ change: DeletionChange) async throws {
        try await withPlanStage { stage in
            Self.seed(stage)
            let plan = try await stage.save(stage.rules(Self.keys))
            #expect(plan.actions == ["team/app:v1": .keep, "team/app:alias": .delete, "team/app:v0": .delete])
            try change.change(stage)

            let done = try await stage.carryOut()

            var reports = ["v1": "keep", "alias": "delete", "v0": "delete"]
            reports.merge(change.reports) { $1 }
            #expect(done.reported == Dictionary(uniqueKeysWithValues: reports.map { ("team/app:\($0)", $1) }))
            #expect(done.problems == [] && done.puts.isEmpty)
            let isGone = change.testDescription.contains("repository was deleted")
            let v1 = isGone || change.reports["alias"] != nil ? [] : ["v1"]
            #expect(Set(stage.destinationTags.keys) == Set((change.left + v1).map { "team/app:\($0)" }))
            let stale = change.reports.values.contains("stalePlan")
            #expect(done.totals.exitStatus == (stale ? 1 : 0))

            let again = try await stage.carryOut()

            #expect(again.changed.isEmpty && again.counts["BatchDeleteImage"] == nil)
            for (tag, report) in reports where report == "delete" {
                #expect(again.reported["team/app:\(tag)"] == "keep")
            }
        }
    }

    @Test("cost a listing of each side and a call for each hundred; without an image to delete, the destination's only")
    func requests() async throws {
        try await withPlanStage { stage in
            Self.seed(stage)
            try await stage.save(stage.rules(Self.keys))
            #expect(try await stage.carryOut().counts == ["DescribeImages": 2, "BatchDeleteImage": 1])
            #expect(try await stage.carryOut().counts == ["DescribeImages": 2])

            stage.seed(Self.image, "alias", in: ScenarioCloud.far)
            try await stage.save(stage.rules(Self.keys))
            #expect(try await stage.carryOut().counts == ["DescribeImages": 1, "BatchDeleteImage": 1])
        }
    }

    @Test("a plan without deletions deletes nothing, whatever is left over")
    func none() async throws {
        try await withPlanStage { stage in
            stage.seed(Self.image, "v1")
            stage.seed(Self.image, "v1", in: ScenarioCloud.far)
            try await stage.save(stage.rules(Self.keys))
            stage.seed(Self.old, "v0", in: ScenarioCloud.far)
            let done = try await stage.carryOut()
            #expect(stage.emulator.requests.isEmpty && done.reported == ["team/app:v1": "keep"])
        }
    }

    @Test("more than maxDelete are refused by the plan, so that its execution deletes nothing")
    func maxDelete() async throws {
        try await withPlanStage { stage in
            Self.seed(stage)
            stage.seed(Self.other, "v2")
            let plan = try await stage.save(stage.rules(["prune: { enabled: true, maxDelete: 1 }"]))
            #expect(plan.problems.map(\.reason) == ["maxDelete"])
            let done = try await stage.carryOut()
            #expect(done.counts["BatchDeleteImage"] == nil && done.changed == ["team/app:v2": Self.other.digest])
            #expect(done.problems.map(\.reason) == ["maxDelete"] && done.totals.exitStatus == 3)
        }
    }

    @Test("are not begun unless everything was copied to the repository, by whichever rule")
    func notCopied() async throws {
        try await withPlanStage { stage in
            Self.seed(stage)
            stage.seed(Self.other, "w1", "team/web")
            let file = try stage.rules(
                Self.keys,
                from: "[team/app, team/web]",
                to: "{ registry: far, repository: team/app }"
            )
            let plan = try await stage.save(file)
            #expect(plan.actions["team/app:w1"] == .add && plan.actions["team/app:v0"] == .delete, "\(plan.text)")
            stage.seed(Self.old, "w1", "team/web")
            let stale = try await stage.carryOut()
            #expect(stale.changed.isEmpty && stale.counts["BatchDeleteImage"] == nil)
            #expect(
                stale.reported == [
                    "team/app:v1": "keep", "team/app:w1": "stalePlan", "team/app:alias": "notDeleted",
                    "team/app:v0": "notDeleted",
                ]
            )
            stage.seed(Self.other, "w1", "team/web")
            let done = try await stage.carryOut()
            #expect(done.totals.exitStatus == 0 && done.reported["team/app:v0"] == "delete")
            #expect(Set(stage.destinationTags.keys) == ["team/app:v1", "team/app:w1"])
            // Both rules' repositories are reported in the plan's order.
            #expect(done.outcomes.map(\.source.repository.value) == ["team/app", "team/web"])
        }
    }

    @Test("an image's children and referrers go after it, and stay with it if it has got a tag")
    func needed() async throws {
        try await withPlanStage { stage in
            Self.seed(stage)
            let index = SeedImage.twoPlatforms("index", layersEach: [100])
            let sbom = SeedImage.referrer(to: index)
            stage.seed(index, "multi", in: ScenarioCloud.far)
            stage.seed(sbom, nil, in: ScenarioCloud.far)
            func manifests() -> Set<Digest> {
                stage.emulator.manifests(
                    account: ScenarioCloud.build,
                    region: ScenarioCloud.far,
                    repository: "team/app"
                )
            }
            try await stage.save(stage.rules(Self.keys))
            stage.seed(index, "mine", in: ScenarioCloud.far)
            let kept = try await stage.carryOut()
            #expect(manifests() == Set(index.manifests.map(\.digest)).union([sbom.digest, Self.image.digest]))
            #expect(kept.reported["team/app:multi"] == "delete")
            #expect(kept.totals.refused == index.manifests.count, "its children and the SBOM: \(kept.outcomes.text)")

            try stage.remove("mine", in: ScenarioCloud.far)
            stage.seed(index, "multi", in: ScenarioCloud.far)
            let done = try await stage.carryOut()
            #expect(manifests() == [Self.image.digest] && done.totals.exitStatus == 0, "\(done.outcomes.text)")
            let counts = done.counts
            #expect(counts["DescribeImages"] == 2 && counts["BatchGetImage"] == 1, "\(counts)")
        }
    }

    @Test("each is announced before it happens, with the command that restores it")
    func announced() async throws {
        try await withPlanStage { stage in
            Self.seed(stage)
            stage.seed(Self.other, "x", in: ScenarioCloud.far)
            stage.seed(Self.other, "x")
            try await stage.save(stage.rules(Self.keys + ["tags: { exclude: x }"]))
            let lines = Lock<[String]>([])
            let plan = try SavedPlan(reading: stage.path, variables: PlanStage.variables)
            let run = stage.cloud.replicator.replicator.run()
            try await SavedPlanRun(plan, in: run) { line in
                if stage.destinationTags["team/app:x"] != nil { lines.withLock { $0.append(line) } }
            }.outcomes { _ in }
            let said = lines.withLock { $0 }
            #expect(said.first?.hasPrefix("pruning ") == true && said.count == 7, "\(said)")
            #expect(said.count { $0.contains("to restore it: ecr-replicate retag ") } == 1)
            #expect(said.count { $0.contains("to restore it: ecr-replicate copy ") } == 1)
            #expect(said.count { $0.contains("cannot be restored") } == 1)
            #expect(Set(stage.destinationTags.keys) == ["team/app:v1"])
        }
    }

    @Test("a signal leaves the rest for the next execution")
    func interrupted() async throws {
        try await withPlanStage { stage in
            Self.seed(stage)
            try await stage.save(stage.rules(Self.keys))
            let drain = Drain()
            drain.begin()
            let none = try await stage.carryOut(drain: drain)
            #expect(none.outcomes.isEmpty && none.changed.isEmpty)
            stage.seed(Self.other, "v2")
            try await stage.save(stage.rules(Self.keys))
            let draining = Drain()
            let stopped = try await stage.carryOut(drain: draining) { event in
                if case .finished = event { draining.begin() }
            }
            #expect(stopped.counts["BatchDeleteImage"] == nil && stopped.totals.stopped == 2)
            #expect(try await stage.carryOut().totals.exitStatus == 0)
            #expect(Set(stage.destinationTags.keys) == ["team/app:v1", "team/app:v2"])
        }
    }
}
