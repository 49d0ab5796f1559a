import Content
import Foundation
import Platform
import Replicate
import TestClouds
import TestPrograms

@testable import ECREmulator
@testable import Rules

/// An emulator with a source and a destination in another region, and a folder for saved plans.
struct PlanStage: Sendable {
    let cloud: ScenarioCloud
    let folder: String

    static let made = Date(timeIntervalSince1970: 1_800_000_000)

    var emulator: Emulator { cloud.emulator }
    var path: String { "\(folder)/plan.json" }

    /// A rule file with one rule, which copies `team/*` to the same names in the other region.
    ///
    /// - Parameters:
    ///   - more: Further keys of the rule, one in a line.
    ///   - identity: Further keys of the destination's registry.
    func rules(
        _ more: [String] = ["referrers: none"],
        from: String = "\"team/*\"",
        to: String = "{ registry: far }",
        identity: String = ""
    ) throws -> RuleFile {
        let text = """
            version: 1
            registries:
              build: { host: "\(emulator.registryHost(account: ScenarioCloud.build, region: ScenarioCloud.home))" }
              far: { host: "\(emulator.registryHost(account: ScenarioCloud.build, region: ScenarioCloud.far))"\(identity) }
            rules:
              - name: r
                from: { registry: build, repository: \(from) }
                to: \(to)
                \(more.joined(separator: "\n    "))
            """
        return try RuleFile(parsing: Array(text.utf8), name: "rules.yaml", variables: Self.variables)
    }

    static let variables: EnvironmentVariables = ["EXTERNAL_ID": "hidden-external-id", "PROFILE": "promoter"]

    func seed(_ image: SeedImage, _ tag: String?, _ name: String = "team/app", in region: String = ScenarioCloud.home) {
        do {
            try emulator.seed(image, tag: tag, account: ScenarioCloud.build, region: region, repository: name)
        } catch {
            fatalError("the emulator refused an image of the test: \(error)")
        }
    }

    /// Removes a tag, and its image with the last one.
    func remove(_ tag: String, _ name: String = "team/app", in region: String = ScenarioCloud.home) throws {
        try emulator.change(ScenarioCloud.build, region, name) { repository in
            _ = try repository.delete(ImageIdentifier(imageDigest: nil, imageTag: tag))
        }
    }

    func deleteRepository(_ name: String = "team/app", in region: String) throws {
        try emulator.deleteRepository(account: ScenarioCloud.build, region: region, name)
    }

    /// The tags of all destination repositories, as `REPOSITORY:TAG`.
    var destinationTags: [String: Digest] {
        var all: [String: Digest] = [:]
        for name in emulator.repositories(account: ScenarioCloud.build, region: ScenarioCloud.far) {
            let tags = emulator.tags(account: ScenarioCloud.build, region: ScenarioCloud.far, repository: name)
            for (tag, digest) in tags { all["\(name):\(tag)"] = digest }
        }
        return all
    }

    // MARK: Planning

    /// Plans the rules of a file and saves the plan.
    @discardableResult
    func save(_ file: RuleFile, as path: String? = nil, at now: Date = made) async throws -> [RepositoryOutcome] {
        let writer = try SavedPlanWriter(
            path ?? self.path,
            of: file.rules,
            from: file,
            tool: "ecr-replicate 0.0.0",
            now: now
        )
        let replicator = cloud.replicator.replicator
        let run = replicator.run()
        var outcomes: [RepositoryOutcome] = []
        try await RuleRun(file.rules, .plan, by: replicator, in: run, now: Date()).outcomes { outcome in
            try writer.add(outcome)
            outcomes.append(outcome)
        }
        try writer.commit()
        return outcomes
    }

    /// Saves outcomes as a plan of another file.
    func write(_ outcomes: [RepositoryOutcome], of file: RuleFile) throws {
        let writer = try SavedPlanWriter(path, of: file.rules, from: file, tool: "ecr-replicate 0.0.0", now: Self.made)
        for outcome in outcomes { try writer.add(outcome) }
        try writer.commit()
    }

    func text(_ path: String? = nil) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path ?? self.path)), as: UTF8.self)
    }

    func json() throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(try text().utf8)) as? [String: Any] ?? [:]
    }

    // MARK: Carrying out

    /// What an execution reported and did.
    struct Execution {
        var outcomes: [RepositoryOutcome]
        /// The number of `PutImage` calls by repository.
        var puts: [String: Int]
        /// The tags of the destination that changed, each with what it holds now.
        var changed: [String: Digest?]
        /// The requests by operation.
        var counts: [String: Int]

        /// What was reported for each tag, as `REPOSITORY:TAG`: its action, and the reason of a refusal or failure.
        var reported: [String: String] {
            var all: [String: String] = [:]
            for outcome in outcomes {
                for image in outcome.images {
                    let name = outcome.destination?.repository.value ?? "?"
                    let reason: String? =
                        switch image.state {
                        case .refused(let problems): problems.first?.reason
                        case .failed(let problem): problem.reason
                        case .stopped: "stopped"
                        case .planned, .done: nil
                        }
                    let names = image.tags.isEmpty ? [(nil, image.action)] : image.tags.map { ($0.tag, $0.action) }
                    for (tag, action) in names {
                        all["\(name):\(tag?.value ?? "")"] = reason ?? action.rawValue
                    }
                }
            }
            return all
        }

        var totals: OutcomeTotals {
            var totals = OutcomeTotals()
            outcomes.forEach { totals.add($0) }
            return totals
        }

        var problems: [OutcomeProblem] { outcomes.flatMap(\.problems) }
    }

    /// Carries out the saved plan.
    ///
    /// - Parameter watching: Called with each event of the engine.
    func carryOut(
        drain: Drain = Drain(),
        watching: @escaping @Sendable (CopyEvent) -> Void = { _ in }
    ) async throws -> Execution {
        emulator.clearRequests()
        let before = destinationTags
        let plan = try SavedPlan(reading: path, variables: Self.variables)
        let run = cloud.replicator.replicator.run(drain: drain, report: watching)
        var outcomes: [RepositoryOutcome] = []
        try await SavedPlanRun(plan, in: run).outcomes { outcomes.append($0) }
        await run.settle()
        let puts = emulator.requests.filter { $0.operation == "PutImage" && $0.status == 200 }
        let now = destinationTags
        var changed: [String: Digest?] = [:]
        for name in Set(before.keys).union(now.keys) where before[name] != now[name] {
            changed.updateValue(now[name], forKey: name)
        }
        return Execution(
            outcomes: outcomes,
            puts: Dictionary(grouping: puts) { $0.repository ?? "?" }.mapValues(\.count),
            changed: changed,
            counts: cloud.counts
        )
    }
}

/// Runs `body` with an emulator and a folder.
func withPlanStage(_ body: (PlanStage) async throws -> Void) async throws {
    try await withScratchDirectory { folder in
        try await withCloud { cloud in try await body(PlanStage(cloud: cloud, folder: folder)) }
    }
}
