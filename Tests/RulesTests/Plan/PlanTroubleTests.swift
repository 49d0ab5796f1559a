import Content
import ECREmulator
import Foundation
import Platform
import Replicate
import TestClouds
import TestPrograms
import Testing

@testable import Rules

/// Repositories that are missing, denied or interrupted, and the order of what is reported.
@Suite("Trouble under rules", .timeLimit(.minutes(2)))
struct PlanTroubleTests {
    @Test("a missing destination is a failure with never, and a line of its own with defaults")
    func missingRepository() async throws {
        try await withScene { scene in
            let image = SeedImage.oci("one", layers: [100])
            try scene.seed(image, "v1")
            for mode in [RuleRun.Mode.compare, .plan, .carryOut] {
                let never = try await scene.run(RuleScene.rules(), mode)
                #expect(never.problems.map(\.reason) == ["repositoryMissing"], "\(never.text)")
                #expect(never.totals.planExitStatus == 1 && never.totals.exitStatus == 1)
            }
            let rules = RuleScene.rules("createRepository: defaults")
            let plan = try await scene.run(rules, .plan)
            #expect(plan.map(\.creates) == [true] && plan.totals.planExitStatus == 2)
            #expect(
                plan.text.contains("  + repository 111122223333.dkr.ecr.us-east-1.amazonaws.com/team/app"),
                "\(plan.text)"
            )
            #expect(scene.emulator.repositories(account: ScenarioCloud.build, region: ScenarioCloud.far).isEmpty)
            #expect(try await scene.run(rules, .carryOut).totals.exitStatus == 0)
            #expect(scene.tags() == ["v1": image.digest])
            #expect(try await scene.run(rules, .plan).totals.planExitStatus == 0)
        }
    }

    @Test("a creation template creates the repository on push, and the plan names it")
    func template() async throws {
        try await withScene { scene in
            try scene.seed(SeedImage.oci("one", layers: [100]), "v1")
            try await scene.cloud.add(template: "team", for: ["CREATE_ON_PUSH"])
            let plan = try await scene.run(RuleScene.rules(), .plan)
            #expect(plan.map(\.template) == ["team"] && plan.map(\.creates) == [true], "\(plan.text)")
            #expect(try await scene.run(RuleScene.rules(), .carryOut).totals.exitStatus == 0)
            #expect(scene.tags().count == 1)
        }
    }

    @Test("a failing repository doesn't stop the others")
    func failing() async throws {
        try await withScene(attempts: 1) { scene in
            for name in ["team/a", "team/b", "team/c"] {
                try scene.seed(SeedImage.oci(name, layers: [100]), "v1", name)
                try scene.emulator.createRepository(account: ScenarioCloud.build, region: ScenarioCloud.far, name)
            }
            scene.emulator.deny(action: "DescribeImages", repository: "team/b")
            let done = try await scene.run(RuleScene.rules(), .carryOut)
            #expect(done.map { $0.problems.count } == [0, 1, 0], "\(done.text)")
            #expect(done.problems.first?.text.contains("ecr:DescribeImages") == true)
            #expect(done.totals.exitStatus == 1, "some were copied and one failed")
            #expect(scene.tags("team/a").count == 1 && scene.tags("team/b").isEmpty && scene.tags("team/c").count == 1)
            #expect(try await scene.run(RuleScene.rules(), .plan).totals.planExitStatus == 1)
        }
    }

    @Test("a denial of everything is 4, at either side and for the list of repositories")
    func denied() async throws {
        try await withScene(attempts: 1) { scene in
            try scene.seed(SeedImage.oci("a", layers: [100]), "v1")
            try scene.emulator.createRepository(account: ScenarioCloud.build, region: ScenarioCloud.far, "team/app")
            scene.emulator.deny(action: "DescribeImages")
            for mode in [RuleRun.Mode.plan, .carryOut] {
                let outcomes = try await scene.run(RuleScene.rules(), mode)
                #expect(outcomes.totals.exitStatus == 4 && outcomes.totals.planExitStatus == 4, "\(outcomes.text)")
            }
            scene.emulator.clearDenials()
            scene.emulator.deny(action: "DescribeRepositories")
            let unlisted = try await scene.run(RuleScene.rules(), .plan)
            #expect(unlisted.totals.planExitStatus == 4, "\(unlisted.text)")
            #expect(unlisted.problems.first?.text.contains("ecr:DescribeRepositories") == true)
            scene.emulator.clearDenials()
            scene.emulator.deny(action: "PutImage")
            let written = try await scene.run(RuleScene.rules(), .carryOut)
            #expect(written.totals.exitStatus == 4, "\(written.text)")
        }
    }

    @Test("is reported in the order of rules, repositories, destinations and tags, and twice alike")
    func order() async throws {
        try await withScene { scene in
            for name in ["team/c", "team/a", "team/b"] {
                for tag in ["v2", "v1", "v3"] { try scene.seed(SeedImage.oci(name + tag, layers: [100]), tag, name) }
                for prefix in ["x/", "y/", "z/"] {
                    try scene.emulator.createRepository(
                        account: ScenarioCloud.build,
                        region: ScenarioCloud.far,
                        prefix + name
                    )
                }
            }
            let rules = """
                  - name: second
                    from: { registry: build, repository: "team/*" }
                    to: [{ registry: far, repository: "y/{repository}" }, { registry: far, repository: "x/{repository}" }]
                  - name: first
                    from: { registry: build, repository: "team/b" }
                    to: { registry: far, repository: "z/{repository}" }
                """
            let plan = try await scene.run(rules, .plan)
            #expect(
                plan.map { "\($0.rule) \($0.destination?.repository.value ?? "")" } == [
                    "second y/team/a", "second x/team/a", "second y/team/b", "second x/team/b", "second y/team/c",
                    "second x/team/c", "first z/team/b",
                ]
            )
            #expect(plan.allSatisfy { $0.images.flatMap(\.tags).map(\.tag.value) == ["v1", "v2", "v3"] })
            let json = try plan.json()
            for _ in 0..<3 {
                let again = try await scene.run(rules, .plan)
                #expect(again.text == plan.text)
                #expect(try again.json() == json)
            }
        }
    }

    @Test("an interrupted sync reports what it did, and the next one goes on", arguments: [1, 3, 7])
    func interrupted(after count: Int) async throws {
        try await withScene { scene in
            let names = (0..<24).map { "team/app\($0 + 10)" }
            for name in names {
                try scene.seed(SeedImage.oci(name, layers: [100]), "v1", name)
                try scene.emulator.createRepository(account: ScenarioCloud.build, region: ScenarioCloud.far, name)
            }
            let drain = Drain()
            let replicator = scene.cloud.replicator.replicator
            let file = try scene.file(RuleScene.rules())
            let finished = Seen()
            let run = replicator.run(drain: drain) { event in
                if case .finished = event, finished.count() == count { drain.begin() }
            }
            var outcomes: [RepositoryOutcome] = []
            try await RuleRun(file.rules, .carryOut, by: replicator, in: run, now: Date()).outcomes {
                outcomes.append($0)
            }
            let there = names.filter { !scene.tags($0).isEmpty }
            #expect(there.count >= count && there.count < names.count, "\(there)")
            // Whatever arrived is reported, in order, and what was begun is not lost.
            let added = outcomes.filter { $0.images.contains { $0.state == .done } }.compactMap(
                \.destination?.repository.value
            )
            #expect(added == there, "\(outcomes.text)")
            for name in names {
                let uploads = scene.emulator.openUploads(
                    account: ScenarioCloud.build,
                    region: ScenarioCloud.far,
                    repository: name
                )
                #expect(uploads == 0)
            }
            let next = try await scene.run(RuleScene.rules(), .carryOut)
            #expect(next.totals.exitStatus == 0 && next.totals.tags[.add] == names.count - there.count)
            #expect(names.allSatisfy { scene.tags($0).count == 1 })
        }
    }

    @Test("a sync that was stopped before it began writes nothing")
    func stoppedBefore() async throws {
        try await withScene { scene in
            try scene.seed(SeedImage.oci("a", layers: [100]), "v1")
            try scene.emulator.createRepository(account: ScenarioCloud.build, region: ScenarioCloud.far, "team/app")
            let drain = Drain()
            drain.begin()
            await #expect(throws: Drained.self) { try await scene.run(RuleScene.rules(), .carryOut, drain: drain) }
            let fixed = try await scene.run(RuleScene.rules(from: "team/app"), .carryOut, drain: drain)
            #expect(fixed.isEmpty && scene.tags().isEmpty)
        }
    }
}

/// Counts calls from any thread.
final class Seen: Sendable {
    private let number = Lock(0)

    func count() -> Int {
        number.withLock { number in
            number += 1
            return number
        }
    }
}
