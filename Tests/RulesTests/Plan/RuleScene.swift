import Content
import ECREmulator
import Foundation
import Platform
import Promotion
import Replicate
import TestClouds
import Testing

@testable import Rules

/// An emulator with two accounts and two regions, and rules that are carried out on it.
///
/// The registry `build` is the source; `far` is the same account in another region.
struct RuleScene: Sendable {
    let cloud: ScenarioCloud

    static let head = """
        version: 1
        registries:
          build: { account: "111122223333", region: eu-west-1 }
          far: { account: "111122223333", region: us-east-1 }
        rules:

        """

    /// Rules that copy `team/*` to the same names in the other region.
    static func rules(_ more: String = "", from: String = "\"team/*\"", to: String = "{ registry: far }") -> String {
        """
          - name: r
            from: { registry: build, repository: \(from) }
            to: \(to)
            \(more.split(separator: "\n").joined(separator: "\n    "))
        """
    }

    var emulator: Emulator { cloud.emulator }

    func file(_ rules: String) throws -> RuleFile {
        let text = rules.hasPrefix("version:") ? rules : Self.head + rules
        return try RuleFile(
            parsing: Array(text.utf8),
            name: "rules.yaml",
            variables: EnvironmentVariables([:])
        )
    }

    /// Plans or carries out rules, and returns what is reported, in the order of the report.
    ///
    /// - Parameter names: The rules to run; all, if there are none.
    func run(
        _ rules: String,
        _ mode: RuleRun.Mode = .plan,
        named names: [String] = [],
        now: Date = Date(),
        drain: Drain = Drain(),
        settingUpGates: Bool = true,
        announcing: @escaping @Sendable (String) -> Void = { _ in },
        noting note: @escaping @Sendable (CopyEvent) -> Void = { _ in }
    ) async throws -> [RepositoryOutcome] {
        let file = try file(rules)
        let replicator = cloud.replicator.replicator
        let run = replicator.run(drain: drain, report: note)
        let outcomes = Lock<[RepositoryOutcome]>([])
        let chosen = try file.rules(named: names)
        try await RuleRun(
            chosen,
            mode,
            by: replicator,
            in: run,
            now: now,
            beside: file.rules(beside: chosen),
            admissions: settingUpGates
                ? RuleAdmissions(chosen, in: GateSet.Surroundings(variables: ["PATH": "/usr/bin:/bin"], now: { now }))
                : .none,
            announce: announcing
        )
        .outcomes { outcome in outcomes.withLock { $0.append(outcome) } }
        await run.settle()
        return outcomes.withLock { $0 }
    }

    /// Carries out rules and counts the requests of this run alone.
    func counted(
        _ rules: String,
        _ mode: RuleRun.Mode = .plan
    ) async throws -> (outcomes: [RepositoryOutcome], counts: [String: Int]) {
        emulator.clearRequests()
        let outcomes = try await run(rules, mode)
        return (outcomes, cloud.counts)
    }

    @discardableResult
    func seed(_ image: SeedImage, _ tag: String?, _ name: String = "team/app", in region: String = ScenarioCloud.home)
        throws -> Digest
    {
        try emulator.seed(image, tag: tag, account: ScenarioCloud.build, region: region, repository: name)
    }

    /// Seeds an image at both sides.
    func seedBoth(_ image: SeedImage, _ tag: String?, _ name: String = "team/app") throws {
        try seed(image, tag, name)
        try seed(image, tag, name, in: ScenarioCloud.far)
    }

    func tags(_ name: String = "team/app", in region: String = ScenarioCloud.far) -> [String: Digest] {
        emulator.tags(account: ScenarioCloud.build, region: region, repository: name)
    }

    func manifests(_ name: String = "team/app", in region: String = ScenarioCloud.far) -> Set<Digest> {
        emulator.manifests(account: ScenarioCloud.build, region: region, repository: name)
    }
}

/// Runs `body` with a scene.
func withScene(
    _ configure: (inout EmulatorConfiguration) -> Void = { _ in },
    attempts: Int = 8,
    _ body: (RuleScene) async throws -> Void
) async throws {
    try await withCloud(configure, attempts: attempts) { cloud in try await body(RuleScene(cloud: cloud)) }
}

extension [RepositoryOutcome] {
    /// The action of each tag, as `REPOSITORY:TAG`, and of each image without tags by its digest.
    var actions: [String: PlannedAction] {
        var actions: [String: PlannedAction] = [:]
        for outcome in self {
            let name = outcome.destination?.repository.value ?? "?"
            for image in outcome.images {
                for tag in image.tags { actions["\(name):\(tag.tag)"] = tag.action }
                if image.tags.isEmpty { actions["\(name)@\(image.digest?.short ?? "?")"] = image.action }
            }
        }
        return actions
    }

    var totals: OutcomeTotals {
        var totals = OutcomeTotals()
        forEach { totals.add($0) }
        return totals
    }

    /// Every problem of repositories and images.
    var problems: [OutcomeProblem] {
        flatMap { outcome in
            outcome.problems
                + outcome.images.flatMap { image -> [OutcomeProblem] in
                    switch image.state {
                    case .failed(let problem): [problem]
                    case .refused(let problems): problems
                    case .planned, .done, .stopped: []
                    }
                }
        }
    }

    var text: String { flatMap(\.lines).joined(separator: "\n") }

    /// The whole report as JSON.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return String(decoding: try encoder.encode(map { OutcomeEntry($0) }), as: UTF8.self)
    }
}

extension [PlannedAction] {
    func count(_ action: PlannedAction) -> Int { count { $0 == action } }
}
