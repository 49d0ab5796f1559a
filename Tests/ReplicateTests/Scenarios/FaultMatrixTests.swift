import Content
import ECREmulator
import Replicate
import TestClouds
import TestInputs
import Testing

/// Every request that the server logged in a clean run, times every fault.
///
/// After a single fault the copy succeeds, and after a permanent fault it succeeds or reports a clear error. At no time
/// does the destination hold anything wrong.
@Suite("Fault matrix", .timeLimit(.minutes(10)))
struct FaultMatrixTests {
    @Test("Any single fault on any request ends with everything copied, byte for byte", arguments: MatrixScenario.all)
    func single(_ scenario: MatrixScenario) async throws {
        let requests = try await MatrixBench.with(scenario) { try await $0.requests() }
        let trials = occurrences(requests).enumerated().flatMap { number, request in
            scenario.faults(at: number, all: Soak.isOn).map {
                Trial(request.operation, request.occurrence, $0, mustSucceed: true)
            }
                + sessionEnds(request.request, request.occurrence, scenario)
                + corruptions(request.request, request.occurrence, scenario)
        }
        try await check(trials, of: scenario)
    }

    @Test(
        "A fault on every occurrence of a request ends with everything copied or a clear error",
        arguments: MatrixScenario.all
    )
    func repeated(_ scenario: MatrixScenario) async throws {
        let requests = try await MatrixBench.with(scenario) { try await $0.requests() }
        let operations = Set(requests.map(\.operation)).sorted()
        let further: [MatrixFault] = [.emulated(.corruptByte(at: 3)), .emulated(.refuse)]
        let trials = operations.enumerated().flatMap { number, operation in
            (scenario.faults(at: number, all: Soak.isOn) + further).map {
                Trial(operation, nil, $0, mustSucceed: false)
            }
        }
        try await check(trials, of: scenario, attempts: 3)
    }

    @Test("Two faults in one run end with everything copied or a clear error", arguments: MatrixScenario.all)
    func pairs(_ scenario: MatrixScenario) async throws {
        let requests = try await MatrixBench.with(scenario) { try await $0.requests() }
        var random = Seeded(UInt64(requests.count))
        let begin = ContinuousClock.now
        repeat {
            let trials = (0..<(scenario.rigor == .everyFault ? Self.pairsAtOnce : Self.pairsAtOnce / 2)).map { _ in
                Trial.pair(requests, using: &random)
            }
            try await check(trials, of: scenario)
        } while ContinuousClock.now - begin < Soak.duration ?? .zero
    }

    /// Operations whose answers are tried with each byte changed.
    private static let readClosely = ["BatchGetImage", "ListImageReferrers"]
    /// The number of bytes changed in a normal run; a soak changes all of them in random order, until its time is over.
    private static let changedBytes = 250

    @Test(
        "A changed byte in an answer about images loses nothing",
        arguments: Soak.isOn ? [MatrixScenario.abroad, .index] : [.abroad]
    )
    func changedBytes(_ scenario: MatrixScenario) async throws {
        let requests = try await MatrixBench.with(scenario) { try await $0.requests() }
        let places = occurrences(requests).filter { Self.readClosely.contains($0.operation) }.flatMap { request in
            (0..<request.request.bytesOut).map { (request, $0) }
        }
        let step = max(1, places.count / Self.changedBytes)
        var random = Seeded(UInt64(places.count))
        var waiting =
            (Soak.isOn
            ? places.shuffled(using: &random) : stride(from: 0, to: places.count, by: step).map { places[$0] })[...]
        let begin = ContinuousClock.now
        repeat {
            let trials = waiting.prefix(Soak.isOn ? Self.changedBytes : waiting.count).map { request, place in
                Trial(
                    request.operation,
                    request.occurrence,
                    .emulated(.corruptByte(at: place)),
                    mustSucceed: false
                )
            }
            waiting = waiting.dropFirst(trials.count)
            try await check(trials, of: scenario)
        } while !waiting.isEmpty && ContinuousClock.now - begin < Soak.duration ?? .zero
    }

    @Test("Each scenario sends the requests it is meant to test")
    func ways() async throws {
        func clean(
            _ scenario: MatrixScenario
        ) async throws -> (counts: [String: Int], blobs: Int, warmed: Int) {
            try await MatrixBench.with(scenario) { bench in
                let counts = Dictionary(grouping: try await bench.requests(), by: \.operation).mapValues(\.count)
                return (counts, scenario.blobCount, bench.warmedConnections)
            }
        }
        for scenario in MatrixScenario.all where scenario.description != "retag" && scenario.description != "parts" {
            #expect(try await clean(scenario).warmed > 0, "\(scenario): connections are opened before they are needed")
        }
        let several = try await clean(.several)
        #expect(several.counts["GET layer"] == several.blobs && several.counts["PUT blob"] == 2 * several.blobs)
        let allTags = try await clean(.allTags)
        #expect(allTags.counts["GET layer"] == allTags.blobs && allTags.counts["PutImage"] == 3)
        #expect(try await clean(.mounted).counts["GET layer"] == nil)
        let declined = try await clean(.declined)
        #expect(declined.counts["DELETE upload"] == 1 && declined.counts["UploadLayerPart"] == 2)
        let plain = try await clean(.plain)
        #expect(plain.counts.keys.allSatisfy { $0.contains(" ") }, "no request goes to ECR's API: \(plain.counts)")
        #expect(plain.counts["GET blob"] == plain.blobs && plain.counts["GET layer"] == plain.blobs)
        let resumed = try await clean(.resumed)
        #expect(resumed.counts["InitiateLayerUpload"] == nil && resumed.counts["UploadLayerPart"] == 2)
    }

    /// The number of pairs in a normal run; a soak tries further pairs until its time is over.
    private static let pairsAtOnce = 60

    private func check(_ trials: [Trial], of scenario: MatrixScenario, attempts: Int = 8) async throws {
        let (count, failures) = try await tryAll(trials, of: scenario, attempts: attempts)
        for failure in failures { Issue.record("\(failure)") }
        reportCases("fault matrix", count)
    }

    /// Each request with its number among those of its operation, counted from 1.
    private func occurrences(
        _ requests: [LoggedRequest]
    ) -> [(request: LoggedRequest, operation: String, occurrence: Int)] {
        var seen: [String: Int] = [:]
        return requests.map { request in
            seen[request.operation, default: 0] += 1
            return (request, request.operation, seen[request.operation] ?? 1)
        }
    }

    /// Trials in which session credentials expire early; long-lived keys don't expire.
    private func sessionEnds(_ request: LoggedRequest, _ occurrence: Int, _ scenario: MatrixScenario) -> [Trial] {
        guard request.api == .controlPlane, scenario.source.identity.roleARN != nil else { return [] }
        let fault = Fault.Kind.error(code: "ExpiredTokenException", message: "ended", status: 400)
        return [Trial(request.operation, occurrence, .emulated(fault), mustSucceed: true)]
    }

    /// Trials that change a byte of an answer.
    ///
    /// In JSON or XML that may give another valid answer, in a blob it can't.
    private func corruptions(_ request: LoggedRequest, _ occurrence: Int, _ scenario: MatrixScenario) -> [Trial] {
        var random = Seeded(UInt64(request.number))
        guard request.bytesOut > 0 else { return [] }
        return (0..<(scenario.rigor == .shared && !Soak.isOn ? 1 : 3)).map { _ in
            Trial(
                request.operation,
                occurrence,
                .emulated(.corruptByte(at: .random(in: 0..<request.bytesOut, using: &random))),
                mustSucceed: request.api == .download
            )
        }
    }
}
