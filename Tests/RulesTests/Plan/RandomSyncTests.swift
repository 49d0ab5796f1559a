import Content
import ECREmulator
import Platform
import Replicate
import TestClouds
import TestInputs
import Testing

@testable import Rules

/// Random registries, rules, identities, interruptions and faults.
///
/// The sides are ECR, the same registries as plain ones, and image layouts. After every trial what they hold is compared
/// without the tool's help, and then `verify` must find the same.
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
                    try await RandomCloud.with { cloud in
                        while true {
                            let number = next.withLock { number in
                                number += 1
                                return number
                            }
                            guard number <= Self.rounds else { return }
                            var sync = try RandomSync(number, cloud, counts, seed: Self.seed)
                            let flaws = try await sync.run()
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
        #expect(all.isEmpty, "\(all.count) failed\n\(all.prefix(5).joined(separator: "\n"))")
    }
}

/// One trial.
private struct RandomSync {
    private let cloud: RandomCloud
    private let trial: RandomTrial
    private let counts: Lock<[String: Int]>
    private var random: Seeded
    private let before: [RandomPlace: RandomState]
    private let engine: TestEngine
    private let files: [RuleFile]

    /// The destinations of the rule that the identity may not write to.
    private var denied: Set<Int> {
        Set(trial.targets.indices.filter { !trial.targets[$0].mayWrite })
    }

    init(_ number: Int, _ cloud: RandomCloud, _ counts: Lock<[String: Int]>, seed: UInt64) throws {
        var random = Seeded(seed &+ UInt64(number) &* 7_919)
        trial = RandomTrial(number, overlaps: number % 4 == 3, using: &random)
        (self.cloud, self.counts, self.random) = (cloud, counts, random)
        try cloud.prepare(trial)
        before = try cloud.states(containing: "t\(number)/")
        engine = try cloud.engine(for: trial)
        files = try cloud.files(of: trial)
    }

    private func count(_ name: String, _ number: Int = 1) { counts.withLock { $0[name, default: 0] += number } }

    /// - Returns: What is wrong; empty if nothing is.
    mutating func run() async throws -> [String] {
        cloud.emulator.clearRequests()
        var flaws = try await disturbed()
        // An interrupted or disturbed sync is started again.
        var outcomes: [RepositoryOutcome] = []
        for file in files { outcomes += await engine.run(file) }
        flaws += unexpectedFailures(in: outcomes)
        let excused = excused(by: outcomes)
        flaws += try differences(excused)
        let settled = try cloud.states(containing: "t\(trial.number)/")
        for file in files {
            let planned = await engine.run(file, .plan).filter { !denied.contains($0.destinationIndex) }
            let isDone = planned.allSatisfy { outcome in
                outcome.images.allSatisfy { [.keep, .skip, .refuse].contains($0.action) }
            }
            if !isDone { flaws.append("the plan after the sync has something to do: \(planned.text)") }
            flaws += verified(await engine.run(file, .verify(VerifyOptions())), excused)
        }
        for file in files {
            let again = await engine.run(file).filter { !denied.contains($0.destinationIndex) }
            if again.contains(where: { outcome in outcome.images.contains { [.add, .move].contains($0.action) } }) {
                flaws.append("the second sync says that it wrote something: \(again.text)")
            }
        }
        if try cloud.states(containing: "t\(trial.number)/") != settled {
            flaws.append("the second sync wrote something")
        }
        flaws += cloud.wrongCallers(trial).prefix(3).map { "asked by another identity: \($0)" }
        for outcome in outcomes.flatMap(\.images) { count("images \(outcome.action.rawValue)") }
        countKinds()
        try cloud.forget(settled.keys)
        return flaws
    }

    private func countKinds() {
        count("from \(trial.source.kind)")
        for target in trial.targets { count("to \(target.kind)") }
        count("without permission to write", denied.count)
        let identities = Set(([trial.source] + trial.targets).map(\.caller)).subtracting([""])
        if identities.count > 1 { count("with several identities") }
    }

    /// Carries the rules out in one of four ways: as they are, with an interruption, with faults, twice at once.
    private mutating func disturbed() async throws -> [String] {
        switch trial.number % 4 {
        case 0:
            count("undisturbed")
            return []
        case 1:
            // A signal after some of the copies.
            count("interrupted")
            let drain = Drain()
            let (after, seen) = (Int.random(in: 0...3, using: &random), Lock(0))
            if after == 0 { drain.begin() }
            let outcomes = await engine.run(files[0], .carryOut, drain) { event in
                guard case .manifestPut = event else { return }
                let count = seen.withLock { count in
                    count += 1
                    return count
                }
                if count >= after { drain.begin() }
            }
            return unexpectedFailures(in: outcomes)
        case 2:
            count("with faults")
            cloud.disturb(endsTokens: !trial.usesLogins, using: &random)
            let outcomes = await engine.run(files[0])
            if cloud.emulator.faultsApplied > 0 { count("that met a fault") }
            cloud.emulator.clearFaults()
            let writable = outcomes.filter { !denied.contains($0.destinationIndex) }
            if writable.totals.failed > 0 { count("failed by faults") }
            return try cloud.halfDone(trial)
        default:
            count("two at once")
            let (engine, files) = (engine, files)
            async let one = engine.run(files[0])
            async let other = engine.run(files[1])
            return unexpectedFailures(in: await one + other)
        }
    }

    /// Failures that no fault explains; refusals are none, and neither are denials to an identity that may not write.
    private func unexpectedFailures(in outcomes: [RepositoryOutcome]) -> [String] {
        outcomes.flatMap { outcome in
            [outcome].problems.filter { problem in
                if problem.kind == .notPermitted, denied.contains(outcome.destinationIndex) { return false }
                return problem.kind != .refused && problem != .stopped
            }
        }
        .map { "failed: \($0.text)" }
    }

    /// The tags that a sync reported as skipped or refused, by place.
    private func excused(by outcomes: [RepositoryOutcome]) -> [RandomPlace: Set<String>] {
        var excused: [RandomPlace: Set<String>] = [:]
        for outcome in outcomes {
            guard let place = place(of: outcome) else { continue }
            for image in outcome.images {
                if case .refused = image.state {
                    excused[place, default: []].formUnion(image.tags.map(\.tag.value))
                } else {
                    let skipped = image.tags.filter { $0.action == .skip || $0.action == .refuse }
                    excused[place, default: []].formUnion(skipped.map(\.tag.value))
                }
            }
        }
        return excused
    }

    /// Where the copies of an outcome are.
    private func place(of outcome: RepositoryOutcome) -> RandomPlace? {
        guard let destination = outcome.destination else { return nil }
        return trial.copies.first { copy in
            copy.destination == outcome.destinationIndex && "\(destination)".hasSuffix("/\(copy.to.repository)")
        }?
        .to
    }

    /// What is wrong after syncs that ended, by what the stores hold.
    private func differences(_ excused: [RandomPlace: Set<String>]) throws -> [String] {
        let after = try cloud.states(containing: "t\(trial.number)/")
        var flaws = try cloud.halfDone(trial)
        var written: Set<RandomPlace> = []
        for (source, place, destination) in trial.copies where !denied.contains(destination) {
            written.insert(place)
            let wanted = (before[source]?.tags ?? [:]).filter { trial.takes($0.key) }
            let (earlier, held) = (before[place]?.tags ?? [:], after[place]?.tags ?? [:])
            for (tag, digest) in wanted where held[tag] != digest && excused[place]?.contains(tag) != true {
                flaws.append("\(place):\(tag) holds \(held[tag]?.short ?? "nothing"), not \(digest.short)")
            }
            // Tags that nothing selects are as they were.
            for (tag, digest) in earlier where wanted[tag] == nil && held[tag] != digest {
                flaws.append("\(place):\(tag) was changed")
            }
            // A signature goes with its image.
            for tag in held.keys where wanted[tag] == nil && earlier[tag] == nil && !tag.hasPrefix("sha256-") {
                flaws.append("\(place):\(tag) appeared")
            }
            let lost = (before[place]?.content ?? []).subtracting(after[place]?.content ?? [])
            if !lost.isEmpty { flaws.append("\(place) lost \(lost.map(\.short))") }
        }
        for (place, state) in before where !written.contains(place) && after[place] != state {
            flaws.append("\(place) is outside of the rules and was changed")
        }
        for place in after.keys where before[place] == nil && !written.contains(place) {
            flaws.append("\(place) was created")
        }
        return flaws
    }

    /// The differences that `verify` finds and that no sync has reported.
    private func verified(_ outcomes: [RepositoryOutcome], _ excused: [RandomPlace: Set<String>]) -> [String] {
        var flaws: [String] = []
        var found = 0
        for outcome in outcomes where !denied.contains(outcome.destinationIndex) {
            flaws += outcome.problems.map { "verify failed: \($0.text)" }
            let reported = place(of: outcome).flatMap { excused[$0] } ?? []
            for image in outcome.images {
                if case .failed(let problem) = image.state { flaws.append("verify failed: \(problem.text)") }
                let isLeft = !image.tags.isEmpty && image.tags.allSatisfy { reported.contains($0.tag.value) }
                for difference in image.differences {
                    if isLeft || difference.tag.map({ reported.contains($0.value) }) == true {
                        found += 1
                    } else {
                        let tags = image.tags.map(\.tag.value)
                        flaws.append("verify: \(outcome.destination as Any) \(tags): \(difference.text)")
                    }
                }
            }
        }
        count("differences that a sync has reported", found)
        return flaws
    }
}

extension RandomRegistry {
    /// The kind of registry, for the counts.
    fileprivate var kind: String {
        if case .disk = store { return "layouts" }
        return isPlain ? "plain registries" : "ECR"
    }
}
