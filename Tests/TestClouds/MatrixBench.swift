import AWSIdentity
import Content
import ECREmulator
import Logging
import Platform
import Replicate
import TestPrograms
import Wire

/// An emulator and a transport, with runs of one scenario between them in sequence.
public struct MatrixBench: Sendable {
    /// The time limit for an answer, or for the next byte of a blob; far longer than any takes here.
    static let patience: Duration = .seconds(1)

    public let scenario: MatrixScenario
    public let emulator: Emulator
    let refusing: RefusingTransport
    /// Whether each run's repositories are deleted after their check, so that any number of runs takes the same memory.
    private let forgets: Bool
    /// The directory for the journal of unfinished uploads.
    private let directory: String
    private let runs = Lock(0)

    private init(
        _ scenario: MatrixScenario,
        _ emulator: Emulator,
        _ transport: Transport,
        forgets: Bool,
        directory: String
    ) {
        self.scenario = scenario
        self.emulator = emulator
        self.forgets = forgets
        self.directory = directory
        refusing = RefusingTransport(transport)
    }

    /// - Parameter forgets: Whether to delete the repositories of each run.
    public static func with<Result>(
        _ scenario: MatrixScenario,
        forgets: Bool = false,
        _ body: (MatrixBench) async throws -> Result
    ) async throws -> Result {
        var configuration = EmulatorConfiguration()
        if forgets {
            configuration.tokenLifetime = 20
            configuration.downloadLifetime = 20
        }
        scenario.configure(&configuration)
        return try await withEmulator(configuration) { emulator in
            try scenario.seed(emulator)
            let limits = TransportConfiguration(
                relayDrivers: 1,
                messageDeadlineLimit: patience,
                stallLimit: patience,
                commitLimit: patience
            )
            return try await withTransport(limits) { transport in
                try await withScratchDirectory(inMemory: true) { directory in
                    try await body(
                        MatrixBench(scenario, emulator, transport, forgets: forgets, directory: directory)
                    )
                }
            }
        }
    }

    /// The requests of a run without faults, each with the length of its answer.
    public func requests() async throws -> [LoggedRequest] {
        // The shorter of two runs counts, because a request of the other may have timed out on a busy machine.
        var shortest: [LoggedRequest]?
        for _ in 0..<2 {
            let flaws = await run(Trial([], mustSucceed: true))
            guard flaws.isEmpty else { throw MatrixFailure(flaws) }
            let requests = emulator.requests
            if requests.count < shortest?.count ?? .max { shortest = requests }
        }
        return shortest ?? []
    }

    /// The number of connections that were requested before they were needed.
    public var warmedConnections: Int { refusing.warmedConnections }

    /// Runs the scenario once, and after an error once more without faults.
    ///
    /// - Returns: The violations of the scenario's rules.
    public func run(_ trial: Trial, attempts: Int = 8) async -> [String] {
        let number = runs.withLock { count in
            count += 1
            return count
        }
        let places = scenario.places(number)
        let journaled = journal
        reset()
        defer {
            if forgets { for place in places { try? emulator.delete(place) } }
        }
        do {
            for place in places { try scenario.prepare(emulator, place) }
            if scenario.isLoggedIn { try emulator.logIn(directory) }
            if let precede = scenario.precede {
                try await precede(replicator(attempts), emulator, places)
                reset()
            }
        } catch {
            return ["can't prepare: \(error)"]
        }
        for step in trial.steps {
            switch step.fault {
            case .unreachable: refusing.refuse(step.operation, at: step.occurrence)
            case .emulated(let kind):
                emulator.inject(Fault(on: step.operation, at: step.occurrence.map { $0...$0 }, kind))
            }
        }
        var flaws: [String] = []
        let outcome = await outcome(places, attempts)
        if trial.steps.count == 1, trial.mustSucceed, emulator.faultsApplied == 0, !refusing.wasApplied {
            flaws.append("the fault met no request")
        }
        if !outcome.errors.isEmpty {
            for error in outcome.errors {
                if trial.mustSucceed { flaws.append("failed: \(error)") }
                if (error as? CopyError)?.operation.isEmpty ?? true { flaws.append("no clear error: \(error)") }
            }
            for place in places { flaws += emulator.flaws(at: place, tags: scenario.allowedTags) }
            for place in outcome.done { flaws += unfinished(place) }
            emulator.clearFaults()
            refusing.clear()
            if scenario.isLoggedIn { flaws += logInAgain() }
            flaws += await self.outcome(places, attempts).errors.map { "failed again without a fault: \($0)" }
        }
        for place in places { flaws += unfinished(place) }
        // A run that failed after everything had arrived leaves a journal entry, which is removed only after a week.
        if outcome.errors.isEmpty, !journal.isSubset(of: journaled) { flaws.append("still journaled") }
        let open = places.reduce(0) { $0 + emulator.openUploads(at: $1) }
        let mayLeave = trial.leavesUpload || scenario.leavesUploads && !trial.steps.isEmpty
        if outcome.errors.isEmpty, open > 0, !mayLeave { flaws.append("\(open) uploads left open") }
        return flaws
    }

    /// The uploads that a later run would resume.
    private var journal: Set<String> { Set(names(in: "\(directory)/uploads").filter { $0.hasSuffix(".json") }) }

    /// Logs in again, as a user does whose login has expired.
    private func logInAgain() -> [String] {
        do {
            try emulator.logIn(directory)
            return []
        } catch {
            return ["can't log in: \(error)"]
        }
    }

    private func reset() {
        emulator.clearFaults()
        emulator.clearRequests()
        refusing.clear()
    }

    /// Returns what a destination lacks after a copy that ended well, and what is wrong there.
    private func unfinished(_ place: Place) -> [String] {
        let tags = emulator.tags(account: place.account, region: place.region, repository: place.repository)
        return emulator.flaws(at: place, tags: scenario.finalTags) + emulator.lacks(scenario.images, at: place)
            + scenario.tags.filter { tags[$0.key] != $0.value }.map { "tag \($0.key) isn't there" }
    }

    /// Returns the errors of a run, and the destinations that it reported as complete.
    private func outcome(_ places: [Place], _ attempts: Int) async -> (errors: [any Error], done: [Place]) {
        do {
            let results = try await scenario.run(replicator(attempts), emulator, places)
            let errors = results.compactMap { result -> (any Error)? in
                // A referrer that was left out doesn't fail its image, but the scenario requires a run that loses
                // nothing.
                if case .done = result { return result.referrerFailures.first?.error }
                return result.error ?? MatrixFailure(["cancelled"])
            }
            // A failure of a whole destination is one result.
            guard !errors.isEmpty || results.count == places.count * scenario.resultsEach else {
                return ([MatrixFailure(["\(results.count) results"])], [])
            }
            guard results.count == places.count else { return (errors, errors.isEmpty ? places : []) }
            return (
                errors, zip(places, results).compactMap { $1.error == nil && $1.referrerFailures.isEmpty ? $0 : nil }
            )
        } catch {
            return ([error], [])
        }
    }

    /// Makes a new run of the tool, which knows nothing and has no token.
    private func replicator(_ attempts: Int) -> TestEngine {
        var variables = Dictionary(uniqueKeysWithValues: emulator.environment.map { ($0.name, $0.value) })
        variables["HOME"] = "/nonexistent"
        variables["DOCKER_CONFIG"] = directory
        let retry = RetryPolicy(attempts: attempts, clock: InstantClock(), jitter: { 1 })
        let logger = Logger(label: "matrix") { _ in SwiftLogNoOpLogHandler() }
        let resolver = IdentityResolver(
            environment: AWSEnvironment(variables: variables, home: "/nonexistent"),
            sender: refusing,
            retry: retry,
            logger: logger
        )
        var uploads = scenario.uploads
        if scenario.isJournaled { uploads.stateDirectory = directory }
        return TestEngine(
            opener: RepositoryOpener(resolver: resolver, sender: refusing, retry: retry, logger: logger),
            relay: refusing,
            retry: retry,
            source: scenario.source,
            destination: scenario.destination,
            uploads: uploads
        )
    }
}

public struct MatrixFailure: Error, CustomStringConvertible {
    public let description: String
    init(_ flaws: [String]) { description = flaws.joined(separator: "; ") }
}

extension Emulator {
    fileprivate func delete(_ place: Place) throws {
        try deleteRepository(account: place.account, region: place.region, place.repository)
    }

    fileprivate func openUploads(at place: Place) -> Int {
        openUploads(account: place.account, region: place.region, repository: place.repository)
    }
}

/// Runs every trial, several at a time, each on a bench of its own.
///
/// - Returns: The number of trials, and the violations of each.
public func tryAll(
    _ trials: [Trial],
    of scenario: MatrixScenario,
    attempts: Int = 8,
    benches: Int = 6
) async throws -> (count: Int, failures: [String]) {
    let next = Lock(0)
    let failures = Lock<[String]>([])
    try await withThrowingTaskGroup { group in
        for _ in 0..<benches {
            group.addTask {
                try await MatrixBench.with(scenario) { bench in
                    while true {
                        let index = next.withLock { index in
                            index += 1
                            return index - 1
                        }
                        guard index < trials.count else { return }
                        let flaws = await bench.run(trials[index], attempts: attempts)
                        guard !flaws.isEmpty else { continue }
                        let text = "\(scenario), \(trials[index]): \(flaws.joined(separator: "; "))"
                        failures.withLock { $0.append(text) }
                    }
                }
            }
        }
        try await group.waitForAll()
    }
    return (trials.count, failures.withLock { $0 })
}
