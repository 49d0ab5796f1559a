import ECREmulator
import Platform
import TestClouds
import TestInputs
import TestPrograms

/// Copies under random faults for a given time, and checks that nothing goes wrong and nothing grows.
///
///     soak SECONDS [SEED]
///     soak watch ROUNDS
///
/// With `watch` it carries out rules again and again instead (``Watch``). The engine and the emulator share this process, so growth in either of them shows. If something is wrong, the exit
/// status is 1 and standard error has the reason.
@main
struct SoakProgram {
    /// The number of trials of each scenario between two measurements, at which nothing is running.
    static let runsPerRound = 1
    static let scenarios: [MatrixScenario] = [.index, .abroad, .parts, .mounted, .several]
    /// The share of the time for warming up: connections, allocators, the emulator's tables.
    static let warmUp = 0.25

    static func main() async {
        let words = ProcessFacts.arguments.dropFirst()
        let watches = words.first == "watch"
        let arguments = words.dropFirst(watches ? 1 : 0).map { Double($0) ?? 0 }
        guard (1...(watches ? 1 : 2)).contains(arguments.count), arguments.allSatisfy({ $0 > 0 }) else {
            LineStream.standardError.writeLine("usage: soak SECONDS [SEED], or soak watch ROUNDS")
            end(64)
        }
        let (first, seed) = (arguments[0], UInt64(arguments.count == 2 ? arguments[1] : 1))
        do {
            let flaws =
                watches ? try await Watch.run(rounds: Int(first)) : try await soak(.seconds(first), seed: seed)
            for flaw in flaws.prefix(50) { LineStream.standardError.writeLine(flaw) }
            end(flaws.isEmpty ? 0 : 1)
        } catch {
            LineStream.standardError.writeLine("soak: \(error)")
            end(1)
        }
    }

    static func soak(_ duration: Duration, seed: UInt64) async throws -> [String] {
        try await withBenches(scenarios[...]) { try await soak(duration, seed: seed, $0) }
    }

    private static func withBenches<Result>(
        _ scenarios: ArraySlice<MatrixScenario>,
        _ benches: [MatrixBench] = [],
        _ body: ([MatrixBench]) async throws -> Result
    ) async throws -> Result {
        guard let next = scenarios.first else { return try await body(benches) }
        return try await MatrixBench.with(next, forgets: true) { bench in
            try await withBenches(scenarios.dropFirst(), benches + [bench], body)
        }
    }

    private static func soak(_ duration: Duration, seed: UInt64, _ benches: [MatrixBench]) async throws -> [String] {
        let begin = ContinuousClock.now
        var random = Seeded(seed)
        var flaws: [String] = []
        var count = 0
        var growth = Growth()
        var requests: [[LoggedRequest]] = []
        for bench in benches { requests.append(try await bench.requests()) }
        while ContinuousClock.now - begin < duration || !growth.canTell {
            let trials = requests.map { requests in
                (0..<runsPerRound).map { _ in Trial.random(requests, using: &random) }
            }
            flaws += await withTaskGroup(of: [String].self) { group in
                for (bench, trials) in zip(benches, trials) {
                    group.addTask {
                        var flaws: [String] = []
                        for trial in trials {
                            flaws += await bench.run(trial).map { "\(bench.scenario), \(trial): \($0)" }
                        }
                        return flaws
                    }
                }
                return await group.reduce(into: []) { $0 += $1 }
            }
            count += runsPerRound * benches.count
            if ContinuousClock.now - begin > duration * warmUp { try growth.look() }
        }
        reportCases("soak", count)
        reportFigure("soak: \(growth)")
        return flaws + growth.flaws
    }

    private static func end(_ status: Int32) -> Never { ProcessFacts.exitNow(status) }
}
