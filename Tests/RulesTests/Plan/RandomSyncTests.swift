import AWSIdentity
import Content
import ECREmulator
import Foundation
import Logging
import Platform
import Replicate
import TestClouds
import TestInputs
import Testing
import Wire

@testable import Rules

/// Random registries, rules, identities, interruptions and faults.
///
/// After every trial the emulator's own state is compared, without the planner's help.
@Suite("Random syncs", .timeLimit(.minutes(5)))
struct RandomSyncTests {
    private static let rounds = 200
    private static let seed: UInt64 = 2_026

    @Test("end as the rules say, change nothing else, and a second sync writes nothing")
    func trials() async throws {
        let failures = Lock<[String]>([])
        let counts = Lock<[String: Int]>([:])
        let next = Lock(0)
        try await withThrowingTaskGroup { group in
            for _ in 0..<4 {
                group.addTask {
                    try await withRandomCloud { cloud in
                        while true {
                            let number = next.withLock { number in
                                number += 1
                                return number
                            }
                            guard number <= Self.rounds else { return }
                            let flaws = try await Self.trial(number, cloud, counts)
                            if !flaws.isEmpty {
                                failures.withLock { $0.append("trial \(number): \(flaws.joined(separator: "; "))") }
                            }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let summary = counts.withLock { $0 }.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        reportCases("random syncs (seed \(Self.seed))", Self.rounds)
        reportFigure("random syncs, seed \(Self.seed): \(summary.joined(separator: ", "))")
        let all = failures.withLock { $0 }
        #expect(all.isEmpty, "\(all.prefix(5).joined(separator: "\n"))")
    }

    private static func trial(
        _ number: Int,
        _ cloud: RandomCloud,
        _ counts: Lock<[String: Int]>
    ) async throws -> [String] {
        var random = Seeded(seed &+ UInt64(number) &* 7_919)
        let kind = number % 4
        let trial = RandomTrial(number, overlaps: kind == 3, using: &random)
        let emulator = cloud.emulator
        try trial.prepare(emulator)
        let before = emulator.states(of: "t\(number)/")
        let files = try trial.files.map { text in
            try RuleFile(parsing: Array(text.utf8), name: "r\(number)", variables: [:])
        }
        func count(_ name: String) { counts.withLock { $0[name, default: 0] += 1 } }
        var flaws: [String] = []
        switch kind {
        case 0: count("undisturbed")
        case 1:
            // A signal after some of the copies.
            count("interrupted")
            let drain = Drain()
            let (after, seen) = (Int.random(in: 0...3, using: &random), Seen())
            if after == 0 { drain.begin() }
            let outcomes = await cloud.sync(files[0], drain) { event in
                if case .manifestPut = event, seen.count() >= after { drain.begin() }
            }
            flaws += outcomes.unexpectedFailures
        case 2:
            count("with faults")
            cloud.disturb(using: &random)
            let outcomes = await cloud.sync(files[0])
            emulator.clearFaults()
            flaws += Self.halfDone(emulator, trial)
            if outcomes.totals.failed > 0 { count("failed by faults") }
        default:
            count("two at once")
            async let one = cloud.sync(files[0])
            async let other = cloud.sync(files[1])
            let (first, second) = await (one, other)
            flaws += (first + second).unexpectedFailures
        }
        // A killed or disturbed sync is started again.
        let outcomes = await cloud.sync(files[0])
        flaws += outcomes.unexpectedFailures
        flaws += differences(emulator, trial, before, outcomes)
        let settled = emulator.states(of: "t\(number)/")
        let planned = await cloud.sync(files[0], mode: .plan)
        if planned.contains(where: { outcome in
            outcome.images.contains { ![.keep, .skip, .refuse].contains($0.action) }
        }) {
            flaws.append("the plan after the sync has something to do: \(planned.text)")
        }
        let again = await cloud.sync(files[0])
        if emulator.states(of: "t\(number)/") != settled { flaws.append("the second sync wrote something") }
        if again.contains(where: { outcome in outcome.images.contains { $0.action == .add || $0.action == .move } }) {
            flaws.append("the second sync says that it wrote something: \(again.text)")
        }
        for outcome in outcomes.flatMap(\.images) { count("images \(outcome.action.rawValue)") }
        for place in settled.keys {
            try emulator.deleteRepository(account: place.account, region: place.region, place.repository)
        }
        return flaws
    }

    /// What is wrong after a sync that ended, by the states of the registries alone.
    private static func differences(
        _ emulator: Emulator,
        _ trial: RandomTrial,
        _ before: [Place: RepositoryState],
        _ outcomes: [RepositoryOutcome]
    ) -> [String] {
        let after = emulator.states(of: "t\(trial.number)/")
        var flaws = halfDone(emulator, trial)
        // What the sync reported as skipped or refused.
        var excused: [String: Set<String>] = [:]
        for outcome in outcomes {
            for image in outcome.images {
                guard let place = outcome.destination else { continue }
                var tags: [String] = []
                if case .refused = image.state {
                    tags = image.tags.map(\.tag.value)
                } else {
                    tags = image.tags.filter { $0.action == .skip || $0.action == .refuse }.map(\.tag.value)
                }
                excused["\(place)", default: []].formUnion(tags)
            }
        }
        for (place, tags) in trial.written {
            let name = place.repository.hasPrefix("copy/") ? String(place.repository.dropFirst(5)) : place.repository
            let source = Place(account: ScenarioCloud.build, region: ScenarioCloud.home, name)
            let (account, region) = (place.account, place.region)
            let allowed =
                excused.first {
                    $0.key.hasSuffix("/\(place.repository)") && $0.key.contains("\(account).dkr.ecr.\(region).")
                }?
                .value ?? []
            let wanted = (before[source]?.tags ?? [:]).filter { tags.contains($0.key) }
            let held = after[place]?.tags ?? [:]
            for (tag, digest) in wanted where held[tag] != digest && !allowed.contains(tag) {
                flaws.append("\(place):\(tag) holds \(held[tag]?.short ?? "nothing"), not \(digest.short)")
            }
            // Tags that nothing selects are as they were.
            for (tag, digest) in before[place]?.tags ?? [:] where wanted[tag] == nil && held[tag] != digest {
                flaws.append("\(place):\(tag) was changed")
            }
            for tag in held.keys where wanted[tag] == nil && before[place]?.tags[tag] == nil {
                // A signature goes with its image.
                guard tag.hasPrefix("sha256-") else {
                    flaws.append("\(place):\(tag) appeared")
                    continue
                }
            }
            if let lost = before[place]?.manifests.subtracting(after[place]?.manifests ?? []), !lost.isEmpty {
                flaws.append("\(place) lost \(lost.map(\.short))")
            }
        }
        for (place, state) in before where trial.written[place] == nil && after[place] != state {
            flaws.append("\(place) is outside of the rules and was changed")
        }
        for place in after.keys where before[place] == nil && trial.written[place] == nil {
            flaws.append("\(place) was created")
        }
        return flaws
    }

    /// What a client that pulls now would miss.
    private static func halfDone(_ emulator: Emulator, _ trial: RandomTrial) -> [String] {
        trial.written.keys.flatMap { place -> [String] in
            let tags = emulator.tags(account: place.account, region: place.region, repository: place.repository)
            return emulator.flaws(at: place, tags: tags.mapValues { [$0] }).map { "\(place): \($0)" }
        }
    }
}

/// An emulator of two accounts and two regions, and an engine that outlives many runs.
private struct RandomCloud: Sendable {
    let emulator: Emulator
    let engine: TestEngine

    /// Carries a file out.
    func sync(
        _ file: RuleFile,
        _ drain: Drain = Drain(),
        mode: RuleRun.Mode = .carryOut,
        _ event: @escaping @Sendable (CopyEvent) -> Void = { _ in }
    ) async -> [RepositoryOutcome] {
        let run = engine.replicator.run(drain: drain, report: event)
        let outcomes = Lock<[RepositoryOutcome]>([])
        try? await RuleRun(file.rules, mode, by: engine.replicator, in: run, now: Date()).outcomes { outcome in
            outcomes.withLock { $0.append(outcome) }
        }
        await run.settle()
        return outcomes.withLock { $0 }
    }

    private static let operations = [
        "DescribeImages", "DescribeRepositories", "BatchGetImage", "BatchCheckLayerAvailability", "PutImage",
        "POST upload",
        "PUT blob", "GET layer", "GetDownloadUrlForLayer", "CreateRepository",
    ]

    /// Orders one to three faults.
    func disturb(using random: inout Seeded) {
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let kinds: [Fault.Kind] = [
                .resetBefore, .loseAnswer, .throttle(retryAfter: nil), .status(500), .status(503), .refuse, .truncate,
                .cutBody(afterBytes: 10), .expireToken,
            ]
            guard let kind = kinds.randomElement(using: &random),
                let operation = Self.operations.randomElement(using: &random)
            else { continue }
            let first = Int.random(in: 1...4, using: &random)
            emulator.inject(Fault(on: operation, at: first...(first + Int.random(in: 0...2, using: &random)), kind))
        }
    }
}

private func withRandomCloud(_ body: (RandomCloud) async throws -> Void) async throws {
    var configuration = EmulatorConfiguration()
    configuration.roles = [
        .init(arn: RandomTrial.reader, trustedAccounts: [ScenarioCloud.build]),
        .init(arn: RandomTrial.promoter, trustedAccounts: [ScenarioCloud.build]),
    ]
    try await withEmulator(configuration) { emulator in
        try await withTransport(TransportConfiguration()) { transport in
            let retry = RetryPolicy(attempts: 4, clock: InstantClock(), jitter: { 1 })
            try await body(RandomCloud(emulator: emulator, engine: engine(emulator, transport, retry)))
        }
    }
}

extension [RepositoryOutcome] {
    /// Failures where nothing was disturbed; refusals are none.
    fileprivate var unexpectedFailures: [String] {
        problems.filter { $0.kind != .refused && $0 != .stopped }.map { "failed: \($0.text)" }
    }
}
