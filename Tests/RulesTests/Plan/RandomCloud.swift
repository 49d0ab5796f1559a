import AWSIdentity
import Content
import ECREmulator
import Foundation
import Platform
import Replicate
import TestClouds
import TestInputs
import TestPrograms
import Wire

@testable import Rules

/// An emulator of two accounts and two regions, directories of layouts, and an engine that outlives many runs.
struct RandomCloud: Sendable {
    let emulator: Emulator
    let layouts: [String: LayoutFiles]
    private let engine: TestEngine
    private let transport: Transport
    private let folder: String

    static func with(_ body: (RandomCloud) async throws -> Void) async throws {
        var configuration = EmulatorConfiguration()
        let reads = #""ecr:BatchGet*","ecr:BatchCheck*","ecr:Describe*","ecr:Get*","ecr:List*""#
        let readOnly =
            #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[\#(reads)],"Resource":"*"}]}"#
        let build = [ScenarioCloud.build]
        configuration.roles = [
            .init(arn: RandomRegistry.reader, trustedAccounts: build),
            .init(arn: RandomRegistry.promoter, trustedAccounts: build),
            .init(arn: RandomRegistry.mirror, externalID: RandomRegistry.externalID, trustedAccounts: build),
            .init(arn: RandomRegistry.watcher, trustedAccounts: build, policies: [readOnly]),
        ]
        try await withScratchDirectory(inMemory: true) { folder in
            try await withEmulator(configuration) { emulator in
                try await withTransport(TransportConfiguration()) { transport in
                    try await body(RandomCloud(emulator, transport, in: folder))
                }
            }
        }
    }

    private init(_ emulator: Emulator, _ transport: Transport, in folder: String) {
        (self.emulator, self.transport, self.folder) = (emulator, transport, folder)
        layouts = ["from", "to"].reduce(into: [:]) { $0[$1] = LayoutFiles(directory: "\(folder)/\($1)") }
        engine = Self.engine(emulator, transport, folder)
    }

    private static func engine(_ emulator: Emulator, _ transport: Transport, _ folder: String) -> TestEngine {
        let retry = RetryPolicy(attempts: 4, clock: BriefClock(), jitter: { 1 })
        return TestClouds.engine(emulator, transport, retry, environment: ["DOCKER_CONFIG": folder])
    }

    /// The engine for one trial: a new one where logins are stored, which an earlier trial's faults may have ended.
    func engine(for trial: RandomTrial) throws -> TestEngine {
        guard trial.usesLogins else { return engine }
        try emulator.logIn(folder)
        return Self.engine(emulator, transport, folder)
    }

    /// The rule files of a trial, read.
    func files(of trial: RandomTrial) throws -> [RuleFile] {
        let texts = trial.files(
            host: { emulator.plainAuthority(account: ScenarioCloud.build, region: $0) },
            folder: folder
        )
        return try texts.map { try RuleFile(parsing: Array($0.utf8), name: "r\(trial.number)", variables: [:]) }
    }

    /// Stores what a trial begins with.
    func prepare(_ trial: RandomTrial) throws {
        for placed in trial.seeds {
            switch placed.place.store {
            case .emulated(let account, let region):
                try emulator.seed(
                    placed.image,
                    tag: placed.tag,
                    account: account,
                    region: region,
                    repository: placed.place.repository
                )
            case .disk(let name):
                try layouts[name]?.seed(placed.image, tag: placed.tag, in: placed.place.repository)
            }
        }
        for place in trial.empty {
            guard case .emulated(let account, let region) = place.store else { continue }
            try emulator.createRepository(account: account, region: region, place.repository)
        }
    }

    /// Every repository whose name contains a text, with what it has.
    func states(containing text: String) throws -> [RandomPlace: RandomState] {
        var states: [RandomPlace: RandomState] = [:]
        for account in [ScenarioCloud.build, ScenarioCloud.production] {
            for region in [ScenarioCloud.home, ScenarioCloud.far] {
                for name in emulator.repositories(account: account, region: region) where name.contains(text) {
                    states[RandomPlace(.emulated(account: account, region: region), name)] = RandomState(
                        tags: emulator.tags(account: account, region: region, repository: name),
                        content: emulator.manifests(account: account, region: region, repository: name)
                    )
                }
            }
        }
        for (store, files) in layouts {
            for name in files.repositories(containing: text) {
                states[RandomPlace(.disk(store), name)] = RandomState(
                    tags: try files.tags(of: name),
                    content: try files.content(of: name)
                )
            }
        }
        return states
    }

    /// What a client that pulls now from the destinations would miss.
    func halfDone(_ trial: RandomTrial) throws -> [String] {
        try trial.copies.flatMap { _, place, _ -> [String] in
            let flaws: [String]
            switch place.store {
            case .emulated(let account, let region):
                let tags = emulator.tags(account: account, region: region, repository: place.repository)
                flaws = emulator.flaws(
                    at: Place(account: account, region: region, place.repository),
                    tags: tags.mapValues { [$0] }
                )
            case .disk(let name): flaws = try layouts[name]?.flaws(of: place.repository) ?? []
            }
            return flaws.map { "\(place): \($0)" }
        }
    }

    /// Requests about a trial's repositories by a caller that the rule file doesn't name for their registry.
    func wrongCallers(_ trial: RandomTrial) -> [String] {
        let callers = Dictionary(
            ([trial.source] + trial.targets).map { ($0.store, $0.caller) },
            uniquingKeysWith: { first, _ in first }
        )
        return emulator.requests.compactMap { request in
            guard let caller = request.caller, request.repository?.contains("t\(trial.number)/") == true else {
                return nil
            }
            let store = RandomStore.emulated(account: request.account, region: request.region)
            guard let wanted = callers[store], caller.contains(wanted) else { return "\(request)" }
            return nil
        }
    }

    /// Deletes the emulator's repositories of a trial.
    func forget(_ states: some Sequence<RandomPlace>) throws {
        for place in states {
            guard case .emulated(let account, let region) = place.store else { continue }
            try emulator.deleteRepository(account: account, region: region, place.repository)
        }
    }

    private static let operations = [
        "DescribeImages", "DescribeRepositories", "BatchGetImage", "BatchCheckLayerAvailability", "PutImage",
        "POST upload", "PUT blob", "GET layer", "GetDownloadUrlForLayer", "CreateRepository", "HEAD manifest",
        "GET manifest", "PUT manifest", "GET tags", "GET blob",
    ]

    /// Orders one to three faults.
    ///
    /// - Parameter endsTokens: Whether tokens may expire, among them those of stored logins, which can't be renewed.
    func disturb(endsTokens: Bool, using random: inout Seeded) {
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let kinds: [Fault.Kind] =
                [
                    .resetBefore, .loseAnswer, .throttle(retryAfter: nil), .status(500), .status(503), .refuse,
                    .truncate, .cutBody(afterBytes: 10),
                ] + (endsTokens ? [.expireToken] : [])
            guard let kind = kinds.randomElement(using: &random),
                let operation = Self.operations.randomElement(using: &random)
            else { continue }
            let first = Int.random(in: 1...4, using: &random)
            emulator.inject(Fault(on: operation, at: first...(first + Int.random(in: 0...2, using: &random)), kind))
        }
    }
}

/// Everything that a store says about a repository.
struct RandomState: Equatable {
    var tags: [String: Digest]
    /// The manifests, and in a layout also the blobs.
    var content: Set<Digest>
}

extension TestEngine {
    /// Plans, carries out or verifies a rule file.
    func run(
        _ file: RuleFile,
        _ mode: RuleRun.Mode = .carryOut,
        _ drain: Drain = Drain(),
        _ event: @escaping @Sendable (CopyEvent) -> Void = { _ in }
    ) async -> [RepositoryOutcome] {
        let run = replicator.run(drain: drain, report: event)
        let outcomes = Lock<[RepositoryOutcome]>([])
        try? await RuleRun(file.rules, mode, by: replicator, in: run, now: Date()).outcomes { outcome in
            outcomes.withLock { $0.append(outcome) }
        }
        await run.settle()
        return outcomes.withLock { $0 }
    }
}
