import Content
import ECREmulator
import Replicate
import TestClouds
import Testing

@testable import Rules

/// What happens between a plan and its execution, and what the execution may then do.
struct WorldChange: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var change: @Sendable (PlanStage) throws -> Void
    /// The tags of the destination that change.
    var sets: Set<String>
    /// What is reported for tags, if it differs from an undisturbed execution.
    var reports: [String: String]

    init(
        _ name: String,
        sets: Set<String>,
        reports: [String: String] = [:],
        _ change: @escaping @Sendable (PlanStage) throws -> Void
    ) {
        (testDescription, self.sets, self.reports, self.change) = (name, sets, reports, change)
    }
}

@Suite("A saved plan after the world changed", .timeLimit(.minutes(2)))
struct ChangedWorldTests {
    static let images = Dictionary(
        uniqueKeysWithValues: ["v1", "v2", "v3", "v4", "old", "other"].map { ($0, SeedImage.oci($0, layers: [900])) }
    )

    private static func image(_ name: String) -> SeedImage { images[name] ?? .oci(name, layers: [900]) }

    static let changes = [
        WorldChange("nothing", sets: ["v1", "v2", "v3"]) { _ in },
        WorldChange("the source's tag was moved", sets: ["v2", "v3"], reports: ["v1": "stalePlan"]) {
            $0.seed(image("other"), "v1")
        },
        WorldChange("the source's image was deleted", sets: ["v1", "v2"], reports: ["v3": "stalePlan"]) {
            try $0.remove("v3")
        },
        WorldChange("the destination's tag was moved", sets: ["v1", "v3"], reports: ["v2": "stalePlan"]) {
            $0.seed(image("other"), "v2", in: ScenarioCloud.far)
        },
        WorldChange("the destination's tag was removed", sets: ["v1", "v3"], reports: ["v2": "stalePlan"]) {
            try $0.remove("v2", in: ScenarioCloud.far)
        },
        WorldChange("another one added the tag", sets: ["v2", "v3"], reports: ["v1": "stalePlan"]) {
            $0.seed(image("other"), "v1", in: ScenarioCloud.far)
        },
        WorldChange("another one did the same", sets: ["v3"], reports: ["v1": "keep", "v2": "keep"]) {
            $0.seed(image("v1"), "v1", in: ScenarioCloud.far)
            $0.seed(image("v2"), "v2", in: ScenarioCloud.far)
        },
        WorldChange(
            "it was done, and the source's tag was moved since",
            sets: ["v2", "v3"],
            reports: ["v1": "keep"]
        ) {
            $0.seed(image("v1"), "v1", in: ScenarioCloud.far)
            $0.seed(image("other"), "v1")
        },
        WorldChange("there are new tags at both sides", sets: ["v1", "v2", "v3"]) {
            $0.seed(image("other"), "v9")
            $0.seed(image("other"), "w9", in: ScenarioCloud.far)
        },
        WorldChange("a tag that is kept was moved", sets: ["v1", "v2", "v3"]) {
            $0.seed(image("other"), "v4", in: ScenarioCloud.far)
        },
        WorldChange(
            "the destination's repository was deleted",
            sets: [],
            reports: ["v1": "stalePlan", "v2": "stalePlan", "v3": "stalePlan"]
        ) { try $0.deleteRepository(in: ScenarioCloud.far) },
        WorldChange(
            "the source's repository was deleted",
            sets: [],
            reports: ["v1": "stalePlan", "v2": "stalePlan", "v3": "stalePlan"]
        ) { try $0.deleteRepository(in: ScenarioCloud.home) },
    ]

    @Test("touches only what still matches", arguments: changes, CopyOptions.Referrers.allCases)
    func touches(_ change: WorldChange, _ referrers: CopyOptions.Referrers) async throws {
        try await withPlanStage { stage in
            for tag in ["v1", "v2", "v3", "v4"] { stage.seed(Self.image(tag), tag) }
            stage.seed(Self.image("old"), "v2", in: ScenarioCloud.far)
            stage.seed(Self.image("v4"), "v4", in: ScenarioCloud.far)
            try await stage.save(stage.rules(["referrers: \(referrers)", "createRepository: defaults"]))
            try change.change(stage)

            let done = try await stage.carryOut()

            let wanted = change.sets.map { ("team/app:\($0)", Self.image($0).digest) }
            #expect(done.changed == Dictionary(uniqueKeysWithValues: wanted))
            #expect(done.puts["team/app", default: 0] == change.sets.count)
            var reports = ["v1": "add", "v2": "move", "v3": "add", "v4": "keep"]
            reports.merge(change.reports) { $1 }
            #expect(done.reported == Dictionary(uniqueKeysWithValues: reports.map { ("team/app:\($0)", $1) }))
            #expect(done.problems == [])
            #expect(done.counts["CreateRepository"] == nil)

            let again = try await stage.carryOut()

            #expect(again.changed.isEmpty && again.puts.isEmpty)
            for tag in change.sets { #expect(again.reported["team/app:\(tag)"] == "keep") }
            for (tag, report) in change.reports { #expect(again.reported["team/app:\(tag)"] == report) }
        }
    }

    @Test("ends with 3 if all of it is stale, and with 1 beside images that were copied")
    func exitStatus() async throws {
        try await withPlanStage { stage in
            stage.seed(Self.image("v1"), "v1")
            stage.seed(Self.image("v2"), "v2")
            stage.seed(Self.image("old"), "x", in: ScenarioCloud.far)
            try await stage.save(stage.rules())
            stage.seed(Self.image("other"), "v1")
            #expect(try await stage.carryOut().totals.exitStatus == 1)

            try await stage.save(stage.rules(["tags: { match: v1 }"]))
            stage.seed(Self.image("old"), "v1")
            let stale = try await stage.carryOut()
            #expect(stale.totals.exitStatus == 3)
            let problem = stale.outcomes.flatMap(\.images).compactMap { image -> OutcomeProblem? in
                if case .refused(let problems) = image.state { problems.first } else { nil }
            }.first
            #expect(problem?.kind == .refused)
            let digests = (Self.image("other").digest, Self.image("old").digest)
            #expect(
                problem?.text.hasSuffix(
                    "/team/app:v1 held \(digests.0) when the plan was made, and now holds \(digests.1)"
                ) == true
            )
        }
    }

    @Test("a tag that moves while the bytes move is not overwritten", arguments: ["v1", "v2"])
    func race(_ tag: String) async throws {
        try await withPlanStage { stage in
            stage.seed(Self.image(tag), tag)
            stage.seed(Self.image("old"), "v2", in: ScenarioCloud.far)
            try await stage.save(stage.rules())

            let done = try await stage.carryOut { event in
                if case .planned = event { stage.seed(Self.image("other"), tag, in: ScenarioCloud.far) }
            }

            #expect(done.reported["team/app:\(tag)"] == "stalePlan")
            #expect(stage.destinationTags["team/app:\(tag)"] == Self.image("other").digest)
            #expect(done.puts.isEmpty)
        }
    }

    @Test("an image is refused as a whole if one of its tags is stale")
    func severalTags() async throws {
        try await withPlanStage { stage in
            for tag in ["a", "b", "c"] { stage.seed(Self.image("v1"), tag) }
            stage.seed(Self.image("old"), "b", in: ScenarioCloud.far)
            stage.seed(Self.image("v2"), "c", in: ScenarioCloud.far)
            try await stage.save(stage.rules())
            let path = stage.path
            let text = try stage.text()

            stage.seed(Self.image("other"), "b", in: ScenarioCloud.far)
            let stale = try await stage.carryOut()
            #expect(stale.puts.isEmpty)
            #expect(Set(stale.reported.values) == ["stalePlan"])

            stage.seed(Self.image("old"), "b", in: ScenarioCloud.far)
            let done = try await stage.carryOut()
            #expect(done.puts == ["team/app": 3])
            #expect(done.reported == ["team/app:a": "add", "team/app:b": "move", "team/app:c": "move"])
            #expect(try stage.text(path) == text)
        }
    }

    @Test("tags are compared with those of the source that they are made from")
    func renamed() async throws {
        try await withPlanStage { stage in
            stage.seed(Self.image("v1"), "v1")
            stage.seed(Self.image("v2"), "v2")
            try await stage.save(
                stage.rules(
                    ["referrers: none", "createRepository: defaults"],
                    to: "{ registry: far, repository: \"{name}-{tag}\", tag: \"release-{tag}\" }"
                )
            )
            stage.seed(Self.image("other"), "release-v1")
            stage.seed(Self.image("other"), "v2")

            let done = try await stage.carryOut()

            #expect(done.reported == ["app-v1:release-v1": "add", "app-v2:release-v2": "stalePlan"])
            #expect(done.puts == ["app-v1": 1])
            #expect(done.counts["CreateRepository"] == 1)
        }
    }
}
