import Content
import ECREmulator
import Foundation
import Platform
import Replicate
import TestClouds
import Testing

@testable import Rules

/// Deletion of what no rule selects (docs/rules.md#prune).
@Suite("Prune", .timeLimit(.minutes(2)))
struct PruneTests {
    private static let rules = RuleScene.rules("prune: { enabled: true, maxDelete: 3 }", from: "team/app")

    private let image = SeedImage.oci("app", layers: [1_000])
    private let old = SeedImage.oci("old", layers: [500])

    /// `v1` at both sides, and `v0` at the destination only.
    private func seed(_ scene: RuleScene) throws {
        try scene.seedBoth(image, "v1")
        try scene.seed(old, "v0", in: ScenarioCloud.far)
    }

    private func delete(_ counts: [String: Int]) -> Int { counts["BatchDeleteImage"] ?? 0 }

    @Test("deletes what the source no longer has, after a plan has shown it; a second sync writes nothing")
    func deletes() async throws {
        try await withScene { scene in
            try seed(scene)
            let plan = try await scene.run(Self.rules, .plan)
            #expect(plan.actions == ["team/app:v1": .keep, "team/app:v0": .delete], "\(plan.text)")
            #expect(plan.totals.planExitStatus == 2 && scene.tags().count == 2)
            #expect(plan.text.contains("  - v0  \(old.digest)\n      cannot be restored"), "\(plan.text)")
            let lines = Lock<[String]>([])
            let done = try await scene.run(Self.rules, .carryOut) { line in
                // Every line is said before the deletion.
                if scene.tags()["v0"] != nil { lines.withLock { $0.append(line) } }
            }
            #expect(done.totals.exitStatus == 0 && done.totals.tags == [.keep: 1, .delete: 1], "\(done.text)")
            #expect(scene.tags() == ["v1": image.digest] && scene.manifests() == [image.digest])
            #expect(lines.withLock { $0 }.dropFirst() == ["  - v0  \(old.digest)", "      cannot be restored"])
            let again = try await scene.counted(Self.rules, .carryOut)
            #expect(again.counts == ["DescribeImages": 2], "no index is read where nothing is left over")
            #expect(again.outcomes.totals.tags == [.keep: 1])
        }
    }

    @Test("lists both sides again, in a call for each hundred; asks for indexes only where something is left over")
    func requests() async throws {
        try await withScene { scene in
            try seed(scene)
            let (_, counts) = try await scene.counted(Self.rules, .carryOut)
            #expect(counts == ["DescribeImages": 4, "BatchDeleteImage": 1])
        }
    }

    @Test("is off without the rule's word")
    func off() async throws {
        try await withScene { scene in
            try seed(scene)
            let done = try await scene.counted(RuleScene.rules(from: "team/app"), .carryOut)
            #expect(delete(done.counts) == 0 && scene.tags().count == 2)
            let disabled = RuleScene.rules("prune: { enabled: false, maxDelete: 3 }", from: "team/app")
            #expect(delete(try await scene.counted(disabled, .carryOut).counts) == 0)
        }
    }

    @Test("deletes nothing if more would go than maxDelete; copies are done, and the exit status is 3")
    func maxDelete() async throws {
        try await withScene { scene in
            try seed(scene)
            try scene.seed(image, "v2")
            for number in 1...3 {
                try scene.seed(SeedImage.oci("old\(number)", layers: [100]), "old\(number)", in: ScenarioCloud.far)
            }
            let plan = try await scene.run(Self.rules, .plan)
            #expect(plan.totals.planExitStatus == 2 && plan.problems.map(\.reason) == ["maxDelete"], "\(plan.text)")
            let (done, counts) = try await scene.counted(Self.rules, .carryOut)
            #expect(done.totals.exitStatus == 3 && delete(counts) == 0, "\(done.text)")
            #expect(done.problems.first?.text.contains("4 deletions") == true, "\(done.problems)")
            #expect(scene.tags()["v2"] == image.digest && scene.tags().count == 6)
        }
    }

    @Test("keeps what a kept tag, an index or a referrer needs, and takes all of what goes")
    func needs() async throws {
        try await withScene { scene in
            let (index, gone) = (
                SeedImage.twoPlatforms("index", layersEach: [100]), SeedImage.twoPlatforms("gone", layersEach: [100])
            )
            try scene.seedBoth(index, "v1")
            // The destination's own signature and SBOM of what stays, and those of what goes.
            let (sbom, goneSBOM) = (SeedImage.referrer(to: index), SeedImage.referrer(to: gone))
            try scene.seed(sbom, nil, in: ScenarioCloud.far)
            let signature = SeedImage.cosignSignature(of: index.digest)
            try scene.seed(signature, SeedImage.cosignTag(of: index.digest), in: ScenarioCloud.far)
            try scene.seed(gone, "v0", in: ScenarioCloud.far)
            try scene.seed(goneSBOM, nil, in: ScenarioCloud.far)
            try scene.seed(
                SeedImage.cosignSignature(of: gone.digest),
                SeedImage.cosignTag(of: gone.digest),
                in: ScenarioCloud.far
            )
            let plan = try await scene.run(Self.rules, .plan)
            let done = try await scene.run(Self.rules, .carryOut)
            #expect(plan.actions == done.actions && done.totals.exitStatus == 0, "\(plan.text)\n\(done.text)")
            #expect(
                scene.manifests() == Set(index.manifests.map(\.digest)).union([sbom.digest, signature.digest]),
                "\(done.text)"
            )
            #expect(Set(scene.tags().keys) == ["v1", SeedImage.cosignTag(of: index.digest)])
            let again = try await scene.counted(Self.rules, .carryOut)
            #expect(delete(again.counts) == 0 && again.counts["PutImage"] == nil, "\(again.outcomes.text)")
        }
    }

    @Test("deletes the image that a moved tag left behind, in the same sync, but not what the new one shares with it")
    func moved() async throws {
        try await withScene { scene in
            let (new, before) = (
                SeedImage.twoPlatforms("app", layersEach: [100]),
                SeedImage.twoPlatforms("app", layersEach: [100], isAttested: false)
            )
            try scene.seed(new, "latest")
            try scene.seed(before, "latest", in: ScenarioCloud.far)
            let shared = Set(new.manifests.map(\.digest)).intersection(before.manifests.map(\.digest))
            try #require(shared.count == 2)
            let plan = try await scene.run(Self.rules, .plan)
            #expect(plan.actions["team/app@\(before.digest.short)"] == .delete, "\(plan.text)")
            #expect(plan.totals.tags[.delete] == 1, "the children are shared: \(plan.text)")
            let done = try await scene.run(Self.rules, .carryOut)
            #expect(done.actions == plan.actions, "\(done.text)")
            #expect(scene.manifests() == Set(new.manifests.map(\.digest)))
            #expect(delete(try await scene.counted(Self.rules, .carryOut).counts) == 0)
        }
    }

    @Test("names the command that restores what another tag or the source still holds")
    func restore() async throws {
        try await withScene { scene in
            try scene.seedBoth(image, "v1")
            try scene.seed(image, "alias", in: ScenarioCloud.far)
            try scene.seed(old, "v0")
            try scene.seed(old, "v0", in: ScenarioCloud.far)
            let rules = RuleScene.rules(
                "tags: { match: v1 }\nprune: { enabled: true, maxDelete: 3 }",
                from: "team/app"
            )
            let done = try await scene.run(rules, .carryOut)
            let restores = done.flatMap(\.images).compactMap(\.restore)
            #expect(restores.count == 2, "\(done.text)")
            #expect(
                restores.contains { $0.hasSuffix("@\(image.digest) alias") && $0.hasPrefix("ecr-replicate retag ") }
            )
            #expect(
                restores.contains { command in
                    command.hasPrefix("ecr-replicate copy ") && command.contains("eu-west-1")
                        && command.contains("/team/app@\(old.digest) ") && command.hasSuffix("/team/app:v0")
                },
                "\(restores)"
            )
            #expect(scene.tags() == ["v1": image.digest])
            let json = try done.json()
            #expect(json.contains("\"restore\" : \"ecr-replicate retag"))
        }
    }

    @Test("skips a destination whose source could not be listed, or selects nothing or too little, or failed to copy")
    func skips() async throws {
        try await withScene(attempts: 1) { scene in
            try seed(scene)
            for (more, word) in [
                ("tags: { match: none }", "nothing is selected"), ("tags: { minTags: 2 }", "minTags"),
                ("tags: { digests: [\"\(Digest.ofNothing)\"] }", "nothing is selected"),
            ] {
                let rules = RuleScene.rules("\(more)\nprune: { enabled: true, maxDelete: 3 }", from: "team/app")
                for mode in [RuleRun.Mode.plan, .carryOut] {
                    let done = try await scene.counted(rules, mode)
                    #expect(delete(done.counts) == 0, "\(done.outcomes.text)")
                    #expect(
                        done.outcomes.flatMap(\.notes).contains {
                            $0.hasPrefix("nothing is pruned: ") && $0.contains(word)
                        },
                        "\(more): \(done.outcomes.text)"
                    )
                }
            }
            try scene.seed(SeedImage.oci("new", layers: [100]), "v2")
            scene.emulator.deny(action: "PutImage")
            let failed = try await scene.counted(Self.rules, .carryOut)
            #expect(delete(failed.counts) == 0 && failed.outcomes.text.contains("nothing is pruned: not everything"))
            scene.emulator.clearDenials()
            scene.emulator.inject(
                Fault(on: "DescribeImages", at: 1...1, .error(code: "ServerException", message: "", status: 500))
            )
            let unlisted = try await scene.counted(Self.rules, .carryOut)
            #expect(delete(unlisted.counts) == 0 && scene.tags()["v0"] != nil, "\(unlisted.outcomes.text)")
        }
    }

    @Test("never empties a destination whose source is empty")
    func emptySource() async throws {
        try await withScene { scene in
            try scene.emulator.createRepository(account: ScenarioCloud.build, region: ScenarioCloud.home, "team/app")
            try scene.seed(old, "v0", in: ScenarioCloud.far)
            let done = try await scene.run(Self.rules, .carryOut)
            #expect(scene.tags() == ["v0": old.digest] && done.text.contains("nothing is selected"), "\(done.text)")
        }
    }

    @Test("leaves what any other rule of the file selects, carried out or not")
    func otherRules() async throws {
        try await withScene { scene in
            try scene.seedBoth(image, "v1")
            try scene.seedBoth(old, "w1")
            try scene.seed(SeedImage.oci("x", layers: [100]), "x1", in: ScenarioCloud.far)
            let rules = """
                  - { name: a, from: { registry: build, repository: team/app }, to: { registry: far }, tags: { match: "v*" }, prune: { enabled: true, maxDelete: 9 } }
                  - { name: b, from: { registry: build, repository: team/app }, to: { registry: far }, tags: { match: "w*" } }
                """
            let alone = try await scene.run(rules, .carryOut, named: ["a"])
            #expect(
                alone.text.contains("rule 'b', which may write to it, is not carried out in this run"),
                "\(alone.text)"
            )
            #expect(scene.tags().count == 3)
            let both = try await scene.run(rules, .carryOut)
            #expect(
                both.totals.tags == [.keep: 2, .delete: 1] && Set(scene.tags().keys) == ["v1", "w1"],
                "\(both.text)"
            )
        }
    }

    @Test("leaves a repository that a rule also copies from")
    func alsoSource() async throws {
        try await withScene { scene in
            try scene.seed(image, "v1")
            try scene.seed(old, "v2")
            let rules = RuleScene.rules(
                "tags: { match: v1 }\nprune: { enabled: true, maxDelete: 9 }",
                from: "team/app",
                to: "{ registry: build, repository: team/app, tag: \"stable-{tag}\" }"
            )
            let done = try await scene.run(rules, .carryOut)
            #expect(done.text.contains("nothing is pruned: rule 'r' copies from it"), "\(done.text)")
            #expect(scene.tags(in: ScenarioCloud.home).count == 3)
        }
    }

    @Test("doesn't delete a tag that moved after it was listed, or an image that got a tag")
    func movedMeanwhile() async throws {
        try await withScene { scene in
            try scene.seedBoth(image, "v1")
            try scene.seed(image, "v2")
            let (loose, other) = (SeedImage.oci("loose", layers: [50]), SeedImage.oci("other", layers: [60]))
            try scene.seed(old, "v0", in: ScenarioCloud.far)
            try scene.seed(loose, nil, in: ScenarioCloud.far)
            let done = try await scene.run(
                Self.rules,
                .carryOut,
                noting: { event in
                    // Between the first listing and the deletion, another program pushes there.
                    guard case .finished = event else { return }
                    _ = try? scene.seed(other, "v0", in: ScenarioCloud.far)
                    _ = try? scene.seed(loose, "mine", in: ScenarioCloud.far)
                }
            )
            #expect(
                scene.tags() == [
                    "v1": image.digest, "v2": image.digest, "v0": other.digest, "mine": loose.digest,
                ],
                "\(done.text)"
            )
            // `old` lost its tag meanwhile: only the next sync looks at it.
            #expect(scene.manifests().contains(old.digest) && done.totals.tags[.delete] == nil)
        }
    }

    @Test("reports each deletion that fails, and a denial names the action")
    func failures() async throws {
        try await withScene(attempts: 1) { scene in
            try seed(scene)
            scene.emulator.deny(action: "BatchDeleteImage")
            let denied = try await scene.run(Self.rules, .carryOut)
            #expect(denied.problems.first?.text.contains("ecr:BatchDeleteImage") == true, "\(denied.text)")
            #expect(denied.problems.map(\.kind) == [.notPermitted] && scene.tags()["v0"] != nil)
            scene.emulator.clearDenials()
            // The answer is lost: what is gone already is deleted.
            scene.emulator.inject(Fault(on: "BatchDeleteImage", .loseAnswer))
            _ = try await scene.run(Self.rules, .carryOut)
            #expect(scene.tags()["v0"] == nil)
            #expect(try await scene.run(Self.rules, .carryOut).totals.exitStatus == 0)
        }
    }

    @Test("leaves an image that an index from elsewhere holds, as ECR says in its failures")
    func refusedByECR() async throws {
        try await withScene { scene in
            try scene.seedBoth(image, "v1")
            let index = SeedImage.twoPlatforms("archived", layersEach: [100], isAttested: false)
            try scene.seed(index, "old", in: ScenarioCloud.far)
            try scene.emulator.archive(
                index.digest,
                account: ScenarioCloud.build,
                region: ScenarioCloud.far,
                repository: "team/app"
            )
            let done = try await scene.counted(Self.rules, .carryOut)
            #expect(done.outcomes.totals.exitStatus == 0 && delete(done.counts) == 0, "\(done.outcomes.text)")
            #expect(scene.manifests().isSuperset(of: index.manifests.map(\.digest)))
        }
    }

    @Test("by the listings alone shows tags only")
    func quick() async throws {
        try await withScene { scene in
            try seed(scene)
            try scene.seed(SeedImage.oci("loose", layers: [50]), nil, in: ScenarioCloud.far)
            let (outcomes, counts) = try await scene.counted(Self.rules, .compare)
            #expect(counts == ["DescribeImages": 2])
            #expect(outcomes.actions == ["team/app:v1": .keep, "team/app:v0": .delete], "\(outcomes.text)")
        }
    }

    @Test("leaves a tag whose image at the source is too young")
    func coolingDown() async throws {
        try await withScene { scene in
            try scene.seedBoth(image, "v1")
            try scene.seed(SeedImage.oci("new", layers: [70]), "latest")
            try scene.seed(old, "latest", in: ScenarioCloud.far)
            let rules = RuleScene.rules(
                "tags: { minAge: 1h, include: [v1] }\nprune: { enabled: true, maxDelete: 9 }",
                from: "team/app"
            )
            let done = try await scene.run(rules, .carryOut)
            #expect(done.totals.exitStatus == 0 && scene.tags()["latest"] == old.digest, "\(done.text)")
        }
    }

    @Test("is not for registries that don't list images without tags: the file is wrong")
    func plain() throws {
        let text = """
            version: 1
            registries: { a: { account: "111122223333", region: eu-west-1 }, b: { host: registry.example.com } }
            rules:
              - name: r
                from: { registry: a, repository: team/app }
                to: [{ registry: a, repository: x/app }, { registry: b }]
                prune: { enabled: true, maxDelete: 1 }
            """
        let error = try #require(throws: RuleFileError.self) {
            try RuleFile(parsing: Array(text.utf8), name: "r.yaml", variables: [:])
        }
        #expect(error.problems.map(\.position.line) == [6])
        #expect(error.problems.first?.path == "rules[0].to[1]")
        #expect(error.problems.first?.message.contains("prune") == true)
    }
}
