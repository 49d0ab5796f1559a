import AWSIdentity
import Content
import ECREmulator
import Logging
import Platform
import Replicate
import TestPrograms
import Wire

/// An emulator, a transport, and runs of one scenario between them, one after another.
public struct MatrixBench: Sendable {
    /// How long an answer, or the next byte of a blob, is waited for; far longer than any takes here.
    static let patience: Duration = .seconds(1)

    public let scenario: MatrixScenario
    public let emulator: Emulator
    let detour: Detour
    /// Whether each run's repositories go when they have been looked at, so that any number of runs take the same room.
    private let forgets: Bool
    /// Where runs remember what the next may go on with.
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
        detour = Detour(transport)
    }

    /// - Parameter forgets: Whether any number of runs are to take the same room.
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

    /// The requests of a run in which nothing goes wrong, each with the length of its answer.
    public func requests() async throws -> [LoggedRequest] {
        // Of two, the shorter: a machine that was busy elsewhere may have let a request of the other time out.
        var shortest: [LoggedRequest]?
        for _ in 0..<2 {
            let flaws = await run(Trial([], mustSucceed: true))
            guard flaws.isEmpty else { throw MatrixFailure(flaws) }
            let requests = emulator.requests
            if requests.count < shortest?.count ?? .max { shortest = requests }
        }
        return shortest ?? []
    }

    /// How many connections were asked for before they were needed.
    public var warmedConnections: Int { detour.warmedConnections }

    /// Runs the scenario once; after an error once more, without faults.
    ///
    /// - Returns: What was not as it must be.
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
            case .unreachable: detour.refuse(step.operation, at: step.occurrence)
            case .emulated(let kind):
                emulator.inject(Fault(on: step.operation, at: step.occurrence.map { $0...$0 }, kind))
            }
        }
        var flaws: [String] = []
        let outcome = await outcome(places, attempts)
        if trial.steps.count == 1, trial.mustSucceed, emulator.faultsApplied == 0, !detour.hasMet {
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
            detour.clear()
            if scenario.isLoggedIn { flaws += logInAgain() }
            flaws += await self.outcome(places, attempts).errors.map { "failed again without a fault: \($0)" }
        }
        for place in places { flaws += unfinished(place) }
        // One that failed after all had arrived leaves an entry that nobody asks for again, until it is a week old.
        if outcome.errors.isEmpty, !journal.isSubset(of: journaled) { flaws.append("still journaled") }
        let open = places.reduce(0) { $0 + emulator.openUploads(at: $1) }
        let mayLeave = trial.leavesUpload || scenario.leavesUploads && !trial.steps.isEmpty
        if outcome.errors.isEmpty, open > 0, !mayLeave { flaws.append("\(open) uploads left open") }
        return flaws
    }

    /// What a later run would go on with.
    private var journal: Set<String> { Set(names(in: "\(directory)/uploads").filter { $0.hasSuffix(".json") }) }

    /// What a person does whose login has ended.
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
        detour.clear()
    }

    /// What a place lacks where a copy has ended well, and what is wrong there.
    private func unfinished(_ place: Place) -> [String] {
        let tags = emulator.tags(account: place.account, region: place.region, repository: place.repository)
        return emulator.flaws(at: place, tags: scenario.finalTags) + emulator.lacks(scenario.images, at: place)
            + scenario.tags.filter { tags[$0.key] != $0.value }.map { "tag \($0.key) isn't there" }
    }

    /// What went wrong in a run, and the places of which it said that all is done.
    private func outcome(_ places: [Place], _ attempts: Int) async -> (errors: [any Error], done: [Place]) {
        do {
            let results = try await scenario.run(replicator(attempts), emulator, places)
            let errors = results.compactMap { result -> (any Error)? in
                // A referrer that was left out is no error of the image; a run that loses nothing is what is asked for here.
                if case .done = result { return result.referrerFailures.first?.error }
                return result.error ?? MatrixFailure(["cancelled"])
            }
            // What failed for a whole place at once is one result.
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

    /// A new run of the tool: nothing is known, no token is held.
    private func replicator(_ attempts: Int) -> TestEngine {
        var variables = Dictionary(uniqueKeysWithValues: emulator.environment.map { ($0.name, $0.value) })
        variables["HOME"] = "/nonexistent"
        variables["DOCKER_CONFIG"] = directory
        let retry = RetryPolicy(attempts: attempts, clock: InstantClock(), jitter: { 1 })
        let logger = Logger(label: "matrix") { _ in SwiftLogNoOpLogHandler() }
        let resolver = IdentityResolver(
            environment: AWSEnvironment(variables: variables, home: "/nonexistent"),
            sender: detour,
            retry: retry,
            logger: logger
        )
        var uploads = scenario.uploads
        if scenario.isJournaled { uploads.stateDirectory = directory }
        return TestEngine(
            opener: RepositoryOpener(resolver: resolver, sender: detour, retry: retry, logger: logger),
            relay: detour,
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

/// Runs every trial, several at a time, each on one of as many benches.
///
/// - Returns: How many there were, and what went wrong in which.
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
