import Content
import ECREmulator
import Foundation
import Replicate
import TestClouds
import TestPrograms
import Testing

@testable import Rules

@Suite("The file of a saved plan", .timeLimit(.minutes(2)))
struct SavedPlanFileTests {
    private static func seed(_ stage: PlanStage) {
        for tag in ["v1", "v2", "v3"] { stage.seed(.oci(tag, layers: [900]), tag) }
        stage.seed(.oci("b", layers: [900]), "v1", "team/b")
        stage.seed(.oci("old", layers: [900]), "v2", in: ScenarioCloud.far)
        stage.seed(.oci("v3", layers: [900]), "v3", in: ScenarioCloud.far)
    }

    @Test("says what was seen and what is to be done, for people and programs")
    func contents() async throws {
        try await withPlanStage { stage in
            Self.seed(stage)
            // The emulator does not have the role, so the plan is made without it.
            let keys = ["referrers: none", "createRepository: defaults"]
            let file = try stage.rules(
                keys,
                identity: ", profile: \"${PROFILE}\", roleArn: \"arn:aws:iam::111122223333:role/p\", "
                    + "externalId: \"x-${EXTERNAL_ID}\", sessionName: promotion, kmsKeys: { a: b }"
            )
            try stage.write(try await stage.save(stage.rules(keys)), of: file)

            let plan = try stage.json()
            #expect(plan["formatVersion"] as? String == "1.0")
            #expect(plan["created"] as? String == "2027-01-15T08:00:00Z")
            #expect(plan["tool"] as? String == "ecr-replicate 0.0.0")
            let origin = plan["ruleFile"] as? [String: String]
            #expect(origin == ["digest": "\(file.digest)", "name": "rules.yaml"])
            let registries = try #require(plan["registries"] as? [[String: Any]])
            #expect(registries.map { $0["name"] as? String } == ["build", "far"])
            #expect(registries[1]["account"] as? String == "111122223333")
            #expect(registries[1]["region"] as? String == "us-east-1")
            #expect(registries[1]["profile"] as? String == "promoter")
            #expect(registries[1]["externalId"] as? String == "x-${EXTERNAL_ID}")
            let repositories = try #require(plan["repositories"] as? [[String: Any]])
            #expect(repositories.map { ($0["source"] as? [String: String])?["repository"] } == ["team/app", "team/b"])
            #expect(repositories.map { $0["createsRepository"] as? Bool } == [false, true])
            let options = try #require(repositories[0]["options"] as? [String: Any])
            #expect(options["ifExists"] as? String == "move")
            let images = try #require(repositories[0]["images"] as? [[String: Any]])
            let tags = images.compactMap { ($0["tags"] as? [[String: Any]])?.first }
            try #require(tags.map { $0["action"] as? String } == ["add", "move", "keep"])
            #expect(tags.prefix(2).map { $0["source"] as? String } == ["v1", "v2"])
            #expect(tags[0]["before"] is NSNull)
            #expect(tags[1]["before"] as? String == "\(SeedImage.oci("old", layers: [900]).digest)")
            #expect(images[0]["digest"] as? String == "\(SeedImage.oci("v1", layers: [900]).digest)")

            let read = try SavedPlan(reading: stage.path, variables: PlanStage.variables)
            #expect(read.created == PlanStage.made)
            var registry = try #require(read.registries.last)
            #expect(registry.options.identity.externalID == "x-hidden-external-id")
            registry.name = "far"
            #expect(registry == file.registries.last)
        }
    }

    @Test("two plans of one state are equal but for the time")
    func canonical() async throws {
        try await withPlanStage { stage in
            Self.seed(stage)
            let file = try stage.rules(to: "[{ registry: far }, { registry: far, repository: \"copy/{name}\" }]")
            let paths = ["1", "2", "3"].map { "\(stage.folder)/\($0).json" }
            try await stage.save(file, as: paths[0])
            try await stage.save(file, as: paths[1])
            try await stage.save(file, as: paths[2], at: PlanStage.made + 60)

            let texts = try paths.map { try stage.text($0).split(separator: "\n") }
            #expect(texts[0] == texts[1])
            let differing = zip(texts[0], texts[2]).enumerated().filter { $0.element.0 != $0.element.1 }.map(\.offset)
            #expect(differing == [0, texts[0].count - 1])
            // Destinations come before repositories, as in the report.
            let places = texts[0].filter { $0.contains("\"images\":[") }.map { line in
                line.firstRange(of: "\"destination\":").map { line[$0.upperBound...].prefix(60) } ?? ""
            }
            #expect(places.map { $0.contains("copy/") } == [false, false, true, true])
        }
    }

    @Test("has no credentials, and no token of a registry")
    func secrets() async throws {
        try await withPlanStage { stage in
            Self.seed(stage)
            let file = try stage.rules(
                ["referrers: all"],
                identity: ", roleArn: \"arn:aws:iam::111122223333:role/p\", externalId: \"${EXTERNAL_ID}\""
            )
            let plain = try stage.rules(["referrers: all"])
            // The emulator does not have the role, so the plan is made without it.
            try stage.write(try await stage.save(plain), of: file)

            let text = try stage.text()
            for (name, value) in stage.emulator.environment where name.contains("KEY") {
                #expect(!text.contains(value), "\(name)")
            }
            #expect(!text.contains("hidden-external-id"))
            #expect(text.contains("\"externalId\":\"${EXTERNAL_ID}\""))
            for word in ["X-Amz", "Bearer", "Basic ", "password", "secret", "token"] {
                #expect(!text.lowercased().contains(word.lowercased()), "\(word)")
            }
            #expect(throws: RuleFileError.self) { try SavedPlan(reading: stage.path, variables: [:]) }
        }
    }

    @Test("replaces an older file when it is whole, and leaves nothing behind otherwise")
    func atomic() async throws {
        try await withPlanStage { stage in
            let file = try stage.rules()
            try await stage.save(file)
            let empty = try stage.text()
            #expect(try SavedPlan(reading: stage.path, variables: [:]).registries.count == 2)
            Self.seed(stage)
            do {
                let writer = try SavedPlanWriter(stage.path, of: file.rules, from: file, tool: "t", now: Date())
                for outcome in try await stage.save(file, as: "\(stage.folder)/other") { try writer.add(outcome) }
            }
            #expect(try stage.text() == empty)
            #expect(names(in: stage.folder).sorted() == ["other", "plan.json"])
            try await stage.save(file)
            #expect(try stage.text() != empty)
            #expect(throws: SavedPlanWriter.Unwritable.self) {
                try SavedPlanWriter(stage.folder, of: [], from: file, tool: "t", now: Date())
            }
            #expect(throws: SavedPlanWriter.Unwritable.self) {
                try SavedPlanWriter("\(stage.folder)/no/plan", of: [], from: file, tool: "t", now: Date())
            }
        }
    }

    @Test("is refused if it is too old, or of other rules")
    func refusals() async throws {
        try await withPlanStage { stage in
            let file = try stage.rules()
            try await stage.save(file)
            let plan = try SavedPlan(reading: stage.path, variables: [:])
            try plan.refuseOlder(than: .seconds(3_600), at: PlanStage.made + 3_600)
            try plan.refuseOlder(than: .seconds(3_600), at: PlanStage.made - 60)
            let old = #expect(throws: OutcomeProblem.self) {
                try plan.refuseOlder(than: .seconds(3_600), at: PlanStage.made + 97_201)
            }
            #expect(old?.kind == .refused && old?.reason == "planTooOld")
            #expect(old?.text.contains("is from 2027-01-15T08:00:00Z, 1d 3h ago, and --max-age allows 1h") == true)

            try plan.refuseOther(thanRules: file.digest, named: "rules.yaml")
            let other = #expect(throws: OutcomeProblem.self) {
                try plan.refuseOther(thanRules: Digest(of: [1]), named: "other.yaml")
            }
            #expect(other?.kind == .refused && other?.reason == "otherRules")
        }
    }

    @Test("is read back as it was written, with thousands of images and several destinations")
    func long() async throws {
        try await withScratchDirectory { folder in
            let text = """
                version: 1
                registries: { a: { host: a.example.com }, b: { host: b.example.com }, c: { host: c.example.com } }
                rules: [{ name: r, from: { registry: a, repository: "*" }, to: [{ registry: b }, { registry: c }] }]
                """
            let file = try RuleFile(parsing: Array(text.utf8), name: "r", variables: [:])
            let path = "\(folder)/plan"
            let writer = try SavedPlanWriter(path, of: file.rules, from: file, tool: "t", now: PlanStage.made)
            let (repositories, images) = (100, 50)
            for repository in 0..<repositories {
                for (index, destination) in file.rules[0].destinations.enumerated() {
                    let name = try RepositoryName(parsing: "team/\(1_000 + repository)")
                    var outcome = RepositoryOutcome(
                        rule: "r",
                        ruleIndex: 0,
                        destinationIndex: index,
                        source: file.rules[0].source.registry.reference(to: name)
                    )
                    outcome.destination = destination.registry.reference(to: name)
                    outcome.images = try (0..<images).map { image in
                        let digest = Digest(of: Array("\(repository) \(image)".utf8))
                        let tag = try Tag(parsing: "v\(image)")
                        return ImageOutcome(
                            source: outcome.source.tagged(tag, digest: digest),
                            digest: digest,
                            tags: [.init(tag, .add)],
                            state: .planned
                        )
                    }
                    try writer.add(outcome)
                }
            }
            try writer.commit()

            var cursor = try SavedPlan(reading: path, variables: [:]).repositories
            var read: [String] = []
            while let repository = try cursor.next() {
                #expect(repository.images.count == images)
                read.append("\(try #require(repository.destination))")
            }
            let names = (0..<repositories).map { "team/\(1_000 + $0)" }
            #expect(read == names.map { "b.example.com/\($0)" } + names.map { "c.example.com/\($0)" })
        }
    }
}
