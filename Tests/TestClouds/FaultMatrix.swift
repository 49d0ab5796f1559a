import AWSIdentity
import Content
import ECREmulator
import HTTPTypes
import Logging
import Platform
import Replicate
import TestInputs
import Wire

/// One use of the engine, every request of which is to fail in every way.
public struct MatrixScenario: Sendable, CustomStringConvertible {
    public var description: String
    public var source = SideOptions()
    var destination = SideOptions()
    var configure: @Sendable (inout EmulatorConfiguration) -> Void = { _ in }
    /// Once per emulator, before anything.
    var seed: @Sendable (Emulator) throws -> Void = { _ in }
    /// Before each run.
    var prepare: @Sendable (Emulator, Place) throws -> Void
    /// Where each run goes; a repository of its own.
    var place: @Sendable (Int) -> Place
    var run: @Sendable (Replicator, Emulator, Place) async throws -> [CopyResult]
    /// What must be there in the end, and may be there before.
    var images: [SeedImage]
    var tags: [String: Digest]
    /// What a tag may hold as long as the run has not ended well.
    var oldTags: [String: Set<Digest>] = [:]

    var allowedTags: [String: Set<Digest>] {
        tags.mapValues { [$0] }.merging(oldTags) { $0.union($1) }
    }
}

/// What goes wrong.
public enum MatrixFault: Sendable, Equatable, CustomStringConvertible {
    /// Nobody listens.
    case unreachable
    case emulated(Fault.Kind)

    public var description: String {
        switch self {
        case .unreachable: "unreachable"
        case .emulated(let kind): "\(kind)"
        }
    }

    /// Those that any request may meet, and after which everything must end well.
    public static let survivable: [MatrixFault] =
        [.unreachable]
        + ([
            .resetBefore, .loseAnswer, .cutBody(afterBytes: 0), .cutBody(afterBytes: 10), .truncate, .stall,
            .drip(bytes: 700), .throttle(retryAfter: nil), .throttle(retryAfter: 2), .status(429),
            .status(429, retryAfter: 2), .status(500), .status(500, retryAfter: 2), .status(503),
            .status(503, retryAfter: 2), .expireToken, .expireURL, .skew(seconds: 600), .skew(seconds: -600),
        ] as [Fault.Kind]).map { .emulated($0) }
}

/// One fault, or two, in one run.
public struct Trial: Sendable, CustomStringConvertible {
    public struct Step: Sendable {
        public var operation: String
        /// Counted from 1; `nil` for every one.
        public var occurrence: Int?
        public var fault: MatrixFault
    }

    public var steps: [Step]
    /// Whether the run must end well; else a clear error does.
    public var mustSucceed: Bool

    public init(_ steps: [Step], mustSucceed: Bool) {
        self.steps = steps
        self.mustSucceed = mustSucceed
    }

    public init(_ operation: String, _ occurrence: Int?, _ fault: MatrixFault, mustSucceed: Bool) {
        self.init([Step(operation: operation, occurrence: occurrence, fault: fault)], mustSucceed: mustSucceed)
    }

    public var description: String {
        steps.map { "\($0.operation):\($0.occurrence.map(String.init) ?? "*"):\($0.fault)" }.joined(separator: " and ")
    }

    /// An upload that was begun and whose answer nobody got stays open until ECR forgets it, for nobody else knows of it;
    /// and so does one whose closing failed, which is asked for once.
    var leavesUpload: Bool {
        let lost: [MatrixFault] = [
            .emulated(.loseAnswer), .emulated(.cutBody(afterBytes: 0)), .emulated(.cutBody(afterBytes: 10)),
        ]
        return steps.contains { step in
            step.operation == "DELETE upload"
                || ["POST upload", "InitiateLayerUpload"].contains(step.operation) && lost.contains(step.fault)
        }
    }
}

/// An emulator, a transport, and runs of one scenario between them, one after another.
public struct MatrixBench: Sendable {
    /// How long an answer, or the next byte of a blob, is waited for; far longer than any takes here.
    static let patience: Duration = .seconds(1)

    public let scenario: MatrixScenario
    public let emulator: Emulator
    let detour: Detour
    /// Whether each run's repository goes when it has been looked at, so that any number of runs take the same room.
    private let forgets: Bool
    private let runs = Lock(0)

    init(_ scenario: MatrixScenario, _ emulator: Emulator, _ transport: Transport, forgets: Bool) {
        self.scenario = scenario
        self.emulator = emulator
        self.forgets = forgets
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
                try await body(MatrixBench(scenario, emulator, transport, forgets: forgets))
            }
        }
    }

    /// The requests of a run in which nothing goes wrong, each with the length of its answer.
    public func requests() async throws -> [LoggedRequest] {
        let flaws = await run(Trial([], mustSucceed: true))
        guard flaws.isEmpty else { throw MatrixFailure(flaws) }
        return emulator.requests
    }

    /// Runs the scenario once; after an error once more, without faults.
    ///
    /// - Returns: What was not as it must be.
    public func run(_ trial: Trial, attempts: Int = 8) async -> [String] {
        let number = runs.withLock { count in
            count += 1
            return count
        }
        let place = scenario.place(number)
        emulator.clearFaults()
        emulator.clearRequests()
        detour.clear()
        defer {
            if forgets {
                try? emulator.deleteRepository(account: place.account, region: place.region, place.repository)
            }
        }
        do {
            try scenario.prepare(emulator, place)
        } catch {
            return ["can't prepare: \(error)"]
        }
        for step in trial.steps {
            switch step.fault {
            case .unreachable: detour.refuse(step.operation, at: step.occurrence)
            case .emulated(let kind):
                emulator.order(Fault(on: step.operation, at: step.occurrence.map { $0...$0 }, kind))
            }
        }
        var flaws: [String] = []
        let error = await outcome(place, attempts)
        if trial.steps.count == 1, trial.mustSucceed, emulator.faultsMet == 0, !detour.hasMet {
            flaws.append("the fault met no request")
        }
        if let error {
            if trial.mustSucceed { flaws.append("failed: \(error)") }
            if (error as? CopyError)?.operation.isEmpty ?? true { flaws.append("no clear error: \(error)") }
            flaws += emulator.flaws(at: place, tags: scenario.allowedTags)
            emulator.clearFaults()
            detour.clear()
            if let again = await outcome(place, attempts) { flaws.append("failed again without a fault: \(again)") }
        }
        flaws += emulator.flaws(at: place, tags: scenario.tags.mapValues { [$0] })
        flaws += emulator.lacks(scenario.images, at: place)
        let tags = emulator.tags(account: place.account, region: place.region, repository: place.repository)
        for (tag, digest) in scenario.tags where tags[tag] != digest { flaws.append("tag \(tag) isn't there") }
        let open = emulator.openUploads(account: place.account, region: place.region, repository: place.repository)
        if error == nil, open > 0, !trial.leavesUpload { flaws.append("\(open) uploads left open") }
        return flaws
    }

    private func outcome(_ place: Place, _ attempts: Int) async -> (any Error)? {
        do {
            let results = try await scenario.run(replicator(attempts), emulator, place)
            guard results.count == 1, let result = results.first else {
                return MatrixFailure(["\(results.count) results"])
            }
            if case .done = result { return nil }
            return result.error ?? MatrixFailure(["cancelled"])
        } catch {
            return error
        }
    }

    /// A new run of the tool: nothing is known, no token is held.
    private func replicator(_ attempts: Int) -> Replicator {
        var variables = Dictionary(uniqueKeysWithValues: emulator.environment.map { ($0.name, $0.value) })
        variables["HOME"] = "/nonexistent"
        let retry = RetryPolicy(attempts: attempts, clock: InstantClock(), jitter: { 1 })
        let logger = Logger(label: "matrix") { _ in SwiftLogNoOpLogHandler() }
        let resolver = IdentityResolver(
            environment: AWSEnvironment(variables: variables, home: "/nonexistent"),
            sender: detour,
            retry: retry,
            logger: logger
        )
        return Replicator(
            opener: RepositoryOpener(resolver: resolver, sender: detour, retry: retry, logger: logger),
            relay: detour,
            retry: retry,
            source: scenario.source,
            destination: scenario.destination
        )
    }
}

public struct MatrixFailure: Error, CustomStringConvertible {
    public let description: String
    init(_ flaws: [String]) { description = flaws.joined(separator: "; ") }
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
