import ECREmulator
import Foundation
import Replicate
import Rules
import TestClouds
import TestInputs
import TestPrograms
import Wire

/// Rounds of rules as `sync --watch` runs them: one replicator for all rounds, and a run of its own for each.
///
/// The clock's waits end at once. Before each round the destination loses one repository, so every round lists, creates
/// and copies; some rounds meet a fault.
struct Watch {
    /// The rounds until connections, caches and allocators have what they keep.
    static let warmUp = 10

    /// The repository that the destination loses.
    private static let lost = "team/app1"
    private static let (account, home, far) = ("111122223333", "eu-west-1", "us-east-1")
    private static let rules = """
        version: 1
        registries:
          build: { account: "\(account)", region: \(home) }
          far: { account: "\(account)", region: \(far) }
        rules:
          - { name: r, from: { registry: build, repository: "team/*" }, to: { registry: far }, createRepository: defaults }
        """

    /// - Returns: What was wrong; empty if every round did its work and nothing grew.
    static func run(rounds: Int) async throws -> [String] {
        var configuration = EmulatorConfiguration()
        // The emulator is a part of this process, and remembers a download as long as it is valid.
        configuration.downloadLifetime = 5
        return try await withEmulator(configuration) { emulator in
            for name in (0..<4).map({ "team/app\($0)" }) {
                for tag in 0..<(name == lost ? 1 : 5) {
                    let image = SeedImage.oci("\(name) \(tag)", layers: [2_000, 500])
                    try emulator.seed(image, tag: "v\(tag)", account: account, region: home, repository: name)
                }
            }
            return try await withTransport(TransportConfiguration()) { transport in
                let retry = RetryPolicy(attempts: 4, clock: InstantClock(), jitter: { 1 })
                return try await watch(emulator, engine(emulator, transport, retry).replicator, rounds)
            }
        }
    }

    private static func watch(_ emulator: Emulator, _ replicator: Replicator, _ rounds: Int) async throws -> [String] {
        let file = try RuleFile(parsing: Array(rules.utf8), name: "rules.yaml", variables: [:])
        let drain = Drain()
        var growth = Growth()
        var flaws: [String] = []
        try await Rounds(every: .seconds(60), on: InstantClock(), until: drain).run { number in
            if number > 1 { try emulator.deleteRepository(account: account, region: far, lost) }
            if number % 7 == 0 { emulator.inject(Fault(on: "PutImage", at: 1...1, .status(500))) }
            if number % 7 == 3 { emulator.inject(Fault(on: "DescribeImages", at: 2...2, .resetBefore)) }
            let run = replicator.run(drain: drain)
            var totals = OutcomeTotals()
            try await RuleRun(file.rules, .carryOut, by: replicator, in: run, now: Date()).outcomes { totals.add($0) }
            await run.settle()
            emulator.clearFaults()
            emulator.clearRequests()
            let wanted: [PlannedAction: Int] = number == 1 ? [.add: 16] : [.add: 1, .keep: 15]
            if totals.tags != wanted || totals.exitStatus != 0 { flaws.append("round \(number): \(totals.tags)") }
            if number > warmUp { try growth.look() }
            return number < rounds
        }
        reportCases("rounds of a watch", rounds)
        reportFigure("watch: \(growth)")
        return flaws + growth.flaws
    }
}
