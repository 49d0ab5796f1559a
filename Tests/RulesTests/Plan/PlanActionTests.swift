import Content
import ECREmulator
import Foundation
import Platform
import Replicate
import TestClouds
import Testing

@testable import Rules

/// What plan says, and sync does, about each image.
@Suite("Plan and sync", .timeLimit(.minutes(2)))
struct PlanActionTests {
    /// Checks that a plan changes nothing, and that the sync after it does what the plan said.
    private func planThenSync(_ scene: RuleScene, _ rules: String) async throws -> (
        plan: [RepositoryOutcome], done: [RepositoryOutcome]
    ) {
        let before = scene.tags()
        let plan = try await scene.run(rules, .plan)
        #expect(scene.tags() == before, "a plan changes nothing")
        let done = try await scene.run(rules, .carryOut)
        #expect(done.actions == plan.actions, "\(plan.text)\n\(done.text)")
        return (plan, done)
    }

    @Test("adds, moves, keeps; a second sync writes nothing")
    func changes() async throws {
        try await withScene { scene in
            let (new, old) = (SeedImage.oci("new", layers: [1_000]), SeedImage.oci("old", layers: [500]))
            try scene.seed(new, "added")
            try scene.seed(new, "moved")
            try scene.seed(old, "moved", in: ScenarioCloud.far)
            try scene.seedBoth(old, "kept")
            let rules = RuleScene.rules()
            let (plan, done) = try await planThenSync(scene, rules)
            #expect(
                plan.actions == ["team/app:added": .add, "team/app:moved": .move, "team/app:kept": .keep],
                "\(plan.text)"
            )
            let moved = plan.flatMap(\.images).flatMap(\.tags).first { $0.action == .move }
            #expect(moved?.before == old.digest)
            #expect(plan.totals.planExitStatus == 2 && done.totals.exitStatus == 0)
            #expect(scene.tags() == ["added": new.digest, "moved": new.digest, "kept": old.digest])
            #expect(plan.text.contains("  + added  \(new.digest)"), "\(plan.text)")
            #expect(plan.text.contains("  ~ moved  \(old.digest) → \(new.digest)"), "\(plan.text)")
            #expect(plan.text.contains("  = 1 tag in sync"), "\(plan.text)")
            let again = try await scene.counted(rules, .carryOut)
            #expect(again.counts["PutImage"] == nil && again.outcomes.totals.tags == [.keep: 3])
            #expect(try await scene.run(rules, .plan).totals.planExitStatus == 0)
        }
    }

    @Test("skips with ifExists: skip, and refuses with fail", arguments: [RuleRun.Mode.compare, .plan, .carryOut])
    func ifExists(mode: RuleRun.Mode) async throws {
        try await withScene { scene in
            let (new, old) = (SeedImage.oci("new", layers: [100]), SeedImage.oci("old", layers: [50]))
            try scene.seed(new, "v1")
            try scene.seed(old, "v1", in: ScenarioCloud.far)
            let skipped = try await scene.run(RuleScene.rules("ifExists: skip"), mode)
            #expect(skipped.actions == ["team/app:v1": .skip])
            #expect(skipped.totals.planExitStatus == 0 && skipped.totals.exitStatus == 0)
            #expect(skipped.text.contains("  . v1  stays \(old.digest); ifExists is skip"), "\(skipped.text)")
            let refused = try await scene.run(RuleScene.rules("ifExists: fail"), mode)
            #expect(refused.actions == ["team/app:v1": .refuse])
            #expect(refused.totals.planExitStatus == 2, "\(refused.text)")
            if mode == .carryOut { #expect(refused.totals.exitStatus == 3) }
            #expect(scene.tags() == ["v1": old.digest])
        }
    }

    @Test("refuses to move an immutable tag, before bytes move")
    func immutable() async throws {
        try await withScene { scene in
            let (new, old) = (SeedImage.oci("new", layers: [100]), SeedImage.oci("old", layers: [50]))
            try scene.seed(new, "v1")
            try scene.seed(new, "v2")
            try scene.emulator.createRepository(
                account: ScenarioCloud.build,
                region: ScenarioCloud.far,
                "team/app",
                mutability: "IMMUTABLE"
            )
            try scene.seed(old, "v1", in: ScenarioCloud.far)
            let (plan, done) = try await planThenSync(scene, RuleScene.rules("tags: { match: v1 }"))
            #expect(plan.actions == ["team/app:v1": .refuse])
            #expect(plan.totals.planExitStatus == 2 && done.totals.exitStatus == 3)
            #expect(done.problems.map(\.reason) == ["tagImmutable"])
            #expect(scene.cloud.counts["PUT blob"] == nil)
            // One image is refused for one of its tags, so nothing of it is written.
            let both = try await scene.run(RuleScene.rules(), .carryOut)
            #expect(both.totals.exitStatus == 3, "\(both.text)")
            #expect(scene.tags() == ["v1": old.digest])
        }
    }

    @Test("refuses a tag that two source repositories would get, for every image involved")
    func collision() async throws {
        try await withScene { scene in
            let (one, two) = (SeedImage.oci("one", layers: [100]), SeedImage.oci("two", layers: [100]))
            try scene.seed(one, "v1", "team/a/app")
            try scene.seed(two, "v1", "team/b/app")
            try scene.seed(two, "v2", "team/b/app")
            try scene.emulator.createRepository(account: ScenarioCloud.build, region: ScenarioCloud.far, "all/app")
            let rules = RuleScene.rules(to: "{ registry: far, repository: \"all/{name}\" }")
            let plan = try await scene.run(rules, .plan)
            let done = try await scene.run(rules, .carryOut)
            #expect(plan.problems.map(\.reason) == ["collision", "collision"], "\(plan.text)")
            #expect(plan.problems.allSatisfy { $0.text.contains("team/a/app") && $0.text.contains("team/b/app") })
            #expect(scene.tags("all/app").isEmpty == false || done.totals.refused == 2)
            #expect(scene.tags("all/app")["v1"] == nil, "nothing is written to that tag")
            #expect(plan.totals.planExitStatus == 2 && done.totals.refused == 2)
        }
    }

    @Test("the same image under one tag from two repositories is no collision")
    func sameImage() async throws {
        try await withScene { scene in
            let image = SeedImage.oci("one", layers: [100])
            try scene.seed(image, "v1", "team/a/app")
            try scene.seed(image, "v1", "team/b/app")
            try scene.emulator.createRepository(account: ScenarioCloud.build, region: ScenarioCloud.far, "all/app")
            let done = try await scene.run(
                RuleScene.rules(to: "{ registry: far, repository: \"all/{name}\" }"),
                .carryOut
            )
            #expect(done.totals.exitStatus == 0 && scene.tags("all/app") == ["v1": image.digest], "\(done.text)")
        }
    }

    @Test("refuses rules that copy to each other, and a rule that selects its own destination")
    func loops() async throws {
        try await withScene { scene in
            let image = SeedImage.oci("one", layers: [100])
            try scene.seed(image, "v1")
            try scene.emulator.createRepository(account: ScenarioCloud.build, region: ScenarioCloud.far, "team/app")
            let circle = """
                  - { name: a, from: { registry: build, repository: team/app }, to: { registry: far } }
                  - { name: b, from: { registry: far, repository: team/app }, to: { registry: build }, tags: { match: x } }
                """
            let done = try await scene.run(circle, .carryOut)
            #expect(done.problems.map(\.reason) == ["loop", "loop"], "\(done.text)")
            #expect(done.totals.exitStatus == 3 && scene.tags().isEmpty)
            #expect(try await scene.run(circle, .plan).totals.planExitStatus == 2)

            let growing = RuleScene.rules(from: "\"*\"", to: "{ registry: build, repository: \"x/{repository}\" }")
            let grown = try await scene.run(growing, .plan)
            #expect(grown.problems.map(\.reason) == ["loop"], "\(grown.text)")
        }
    }

    @Test("refuses what is archived, at either side")
    func archived() async throws {
        try await withScene { scene in
            let (one, two) = (SeedImage.oci("one", layers: [100]), SeedImage.oci("two", layers: [100]))
            try scene.seed(one, "source")
            try scene.emulator.archive(
                one.digest,
                account: ScenarioCloud.build,
                region: ScenarioCloud.home,
                repository: "team/app"
            )
            try scene.seed(two, "destination")
            try scene.seed(one, "destination", in: ScenarioCloud.far)
            try scene.emulator.archive(
                one.digest,
                account: ScenarioCloud.build,
                region: ScenarioCloud.far,
                repository: "team/app"
            )
            for mode in [RuleRun.Mode.compare, .plan, .carryOut] {
                let outcomes = try await scene.run(RuleScene.rules(), mode)
                #expect(outcomes.problems.map(\.reason) == ["archived", "archived"], "\(mode): \(outcomes.text)")
            }
            #expect(scene.tags() == ["destination": one.digest])
        }
    }

    @Test("leaves a tag whose image is too young, with the time when it qualifies")
    func minAge() async throws {
        try await withScene { scene in
            let (new, old) = (SeedImage.oci("new", layers: [100]), SeedImage.oci("old", layers: [50]))
            try scene.seed(new, "latest")
            try scene.seed(new, "fresh")
            try scene.seed(old, "latest", in: ScenarioCloud.far)
            let rules = RuleScene.rules("tags: { minAge: 1h }")
            let plan = try await scene.run(rules, .plan)
            #expect(plan.actions == ["team/app:latest": .skip], "\(plan.text)")
            let reason = plan.flatMap(\.images).flatMap(\.tags).first?.reason ?? ""
            #expect(reason.hasPrefix("too young; qualifies at 20"), "\(reason)")
            #expect(plan.totals.planExitStatus == 0)
            #expect(try await scene.run(rules, .carryOut).totals.exitStatus == 0)
            #expect(scene.tags() == ["latest": old.digest])
            let later = try await scene.run(rules, .carryOut, now: Date(timeIntervalSinceNow: 3_700))
            #expect(later.actions == ["team/app:latest": .move, "team/app:fresh": .add])
        }
    }

    @Test("writes nothing of a repository with fewer tags than minTags, and fails")
    func minTags() async throws {
        try await withScene { scene in
            try scene.seed(SeedImage.oci("one", layers: [100]), "v1")
            try scene.seed(SeedImage.oci("two", layers: [100]), "v1", "team/other")
            try scene.seed(SeedImage.oci("two", layers: [100]), "v2", "team/other")
            for name in ["team/app", "team/other"] {
                try scene.emulator.createRepository(account: ScenarioCloud.build, region: ScenarioCloud.far, name)
            }
            let rules = RuleScene.rules("tags: { minTags: 2 }")
            #expect(try await scene.run(rules, .plan).totals.planExitStatus == 1)
            let done = try await scene.run(rules, .carryOut)
            #expect(done.totals.exitStatus == 1 && scene.tags().isEmpty)
            #expect(scene.tags("team/other").count == 2)
            #expect(done.map(\.hasTooFewTags) == [true, false])
        }
    }

    @Test("warns of an empty selection, which is no failure")
    func emptySelection() async throws {
        try await withScene { scene in
            try scene.seed(SeedImage.oci("one", layers: [100]), "v1")
            let plan = try await scene.run(RuleScene.rules("tags: { match: \"x*\" }"), .plan)
            #expect(plan.totals.planExitStatus == 0)
            #expect(plan.text.contains("warning: no tag is selected"), "\(plan.text)")
            let none = try await scene.run(RuleScene.rules(from: "\"other/*\""), .plan)
            #expect(none.totals.planExitStatus == 0 && none.text.contains("no repository that the rule selects"))
        }
    }

    @Test("copies images by digest and images without a tag")
    func withoutTags() async throws {
        try await withScene { scene in
            let index = SeedImage.twoPlatforms("index", layersEach: [100])
            let (named, loose) = (SeedImage.oci("named", layers: [100]), SeedImage.oci("loose", layers: [200]))
            try scene.seed(index, "v1")
            try scene.seed(named, nil)
            try scene.seed(loose, nil)
            try scene.emulator.createRepository(account: ScenarioCloud.build, region: ScenarioCloud.far, "team/app")
            let byDigest = RuleScene.rules("tags: { digests: [\"\(named.digest)\"] }", from: "team/app")
            let plan = try await scene.run(byDigest, .plan)
            #expect(plan.actions == ["team/app@\(named.digest.short)": .add], "\(plan.text)")
            #expect(plan.totals.planExitStatus == 2)
            #expect(try await scene.run(byDigest, .carryOut).totals.exitStatus == 0)
            #expect(scene.manifests() == [named.digest])
            #expect(try await scene.run(byDigest, .plan).totals.planExitStatus == 0)

            // The children of the index are no images of their own.
            let untagged = RuleScene.rules("tags: { untagged: true }", from: "team/app")
            #expect(try await scene.run(untagged, .carryOut).totals.exitStatus == 0)
            #expect(scene.manifests() == [named.digest, loose.digest] && scene.tags().isEmpty)
            let again = try await scene.counted(untagged, .carryOut)
            #expect(again.counts["PutImage"] == nil, "\(again.outcomes.text)")
            let missing = RuleScene.rules("tags: { digests: [\"\(Digest.ofNothing)\"] }", from: "team/app")
            #expect(try await scene.run(missing, .carryOut).totals.exitStatus == 1)
        }
    }

    @Test(
        "copies selected platforms, and a second sync writes nothing",
        arguments: [
            "[linux/amd64]", "[linux/amd64, linux/arm64]",
        ]
    )
    func platforms(platforms: String) async throws {
        try await withScene { scene in
            try scene.seed(SeedImage.twoPlatforms("app", layersEach: [100]), "v1")
            try scene.emulator.createRepository(account: ScenarioCloud.build, region: ScenarioCloud.far, "team/app")
            let rules = RuleScene.rules("platforms: \(platforms)")
            let (plan, _) = try await planThenSync(scene, rules)
            #expect(plan.actions == ["team/app:v1": .add])
            let held = scene.tags()
            let again = try await scene.counted(rules, .carryOut)
            #expect(again.counts["PutImage"] == nil && again.outcomes.actions == ["team/app:v1": .keep])
            #expect(scene.tags() == held)
            #expect(try await scene.run(rules, .plan).totals.planExitStatus == 0)
        }
    }

    @Test(
        "with platforms, a single image is copied as it is if it is for one of them or for none, and skipped otherwise"
    )
    func singleImages() async throws {
        try await withScene { scene in
            let index = SeedImage.twoPlatforms("index", layersEach: [100], isAttested: false)
            let (single, artifact) = (
                SeedImage.oci("single", layers: [100]), SeedImage.cosignSignature(of: index.digest)
            )
            let old = SeedImage.oci("old", layers: [50])
            try scene.seed(index, "v1")
            try scene.seed(single, "amd")
            try scene.seed(artifact, "artifact")
            let arm = index.manifests[1]
            for tag in ["arm", "held"] {
                try scene.emulator.putManifest(
                    arm.bytes,
                    mediaType: arm.mediaType,
                    tag: tag,
                    account: ScenarioCloud.build,
                    region: ScenarioCloud.home,
                    repository: "team/app"
                )
            }
            try scene.seed(old, "held", in: ScenarioCloud.far)
            try scene.seed(old, "gone", in: ScenarioCloud.far)
            let rules = RuleScene.rules(
                "platforms: linux/amd64\nprune: { enabled: true, maxDelete: 1 }",
                from: "team/app"
            )
            let (plan, done) = try await planThenSync(scene, rules)
            var actions: [String: PlannedAction] = [
                "v1": .add, "amd": .add, "artifact": .add, "arm": .skip, "held": .skip, "gone": .delete,
            ]
            func named() -> [String: PlannedAction] {
                Dictionary(uniqueKeysWithValues: actions.map { ("team/app:\($0)", $1) })
            }
            #expect(plan.actions == named() && plan.totals.planExitStatus == 2, "\(plan.text)")
            #expect(plan.text.contains("  . arm  skipped; the image is for linux/arm64 alone"), "\(plan.text)")
            #expect(plan.text.contains("  . held  stays \(old.digest); the image is for linux/arm64 alone"))
            #expect(done.totals.exitStatus == 0, "\(done.text)")
            #expect(
                scene.tags() == [
                    "v1": index.manifests[0].digest, "amd": single.digest, "artifact": artifact.digest,
                    "held": old.digest,
                ]
            )
            let again = try await scene.counted(rules, .carryOut)
            for tag in ["v1", "amd", "artifact"] { actions[tag] = .keep }
            actions["gone"] = nil
            #expect(again.outcomes.actions == named() && again.counts["PutImage"] == nil, "\(again.outcomes.text)")
            // The platform of the skipped image is asked for again, and nothing else but the index.
            #expect(again.counts["GET layer"] == 1 && again.counts["BatchGetImage"] == 2, "\(again.counts)")
            let verified = try await scene.run(rules, .verify(VerifyOptions()))
            #expect(verified.totals.planExitStatus == 0 && verified.actions == named(), "\(verified.text)")
            let repaired = try await scene.run(rules, .verify(VerifyOptions(repairs: true)))
            #expect(repaired.totals.planExitStatus == 0 && scene.tags().count == 4, "\(repaired.text)")
        }
    }

    @Test("puts one rule's images into several destinations, each by its templates")
    func destinations() async throws {
        try await withScene { scene in
            let image = SeedImage.oci("one", layers: [100])
            try scene.seed(image, "v1")
            for name in ["copy/app", "by/v1"] {
                try scene.emulator.createRepository(account: ScenarioCloud.build, region: ScenarioCloud.far, name)
            }
            let rules = RuleScene.rules(
                to: """
                    [{ registry: far, repository: "copy/{name}", tag: "{tag}-{digest}" }, { registry: far, repository: "by/{tag}" }]
                    """
            )
            let done = try await scene.run(rules, .carryOut)
            #expect(done.totals.exitStatus == 0, "\(done.text)")
            #expect(scene.tags("copy/app") == ["v1-\(image.digest.hex)": image.digest])
            #expect(scene.tags("by/v1") == ["v1": image.digest])
            #expect(done.map(\.destinationIndex) == [0, 1])
        }
    }
}
