import AWSIdentity
import Content
import ECREmulator
import Logging
import Platform
import Replicate
import Wire

/// The engine and an emulator, connected by real sockets.
package struct ScenarioCloud: Sendable {
    package let emulator: Emulator
    package let replicator: TestEngine
    package let transport: Transport
    package let events: Lock<[CopyEvent]>
    package let waits: Lock<[Duration]>

    package static let build = "111122223333"
    package static let production = "444455556666"
    package static let home = "eu-west-1"
    package static let far = "us-east-1"

    /// Returns the repository `name` in the build account and home region.
    package func source(_ name: String = "team/app") throws -> ImageReference {
        try ImageReference(parsing: "\(emulator.registryHost(account: Self.build, region: Self.home))/\(name)")
    }

    package func image(_ tag: String, _ name: String = "team/app") throws -> ImageReference {
        try source(name).tagged(Tag(parsing: tag))
    }

    package func destination(
        _ name: String = "team/app",
        account: String = build,
        region: String = far,
        tag: String? = nil
    ) throws -> DestinationReference {
        try DestinationReference(
            parsing: "\(emulator.registryHost(account: account, region: region))/\(name)" + (tag.map { ":\($0)" } ?? "")
        )
    }

    @discardableResult
    package func seed(_ image: SeedImage, tag: String?, _ name: String = "team/app") throws -> Digest {
        try emulator.seed(image, tag: tag, account: Self.build, region: Self.home, repository: name)
    }

    package func makeDestination(_ name: String = "team/app", account: String = build, region: String = far) throws {
        try emulator.createRepository(account: account, region: region, name)
    }

    /// The number of requests by operation, without tokens and STS, as in the budgets.
    package var counts: [String: Int] {
        let counted = emulator.requests.filter { $0.api != .sts && $0.operation != "GetAuthorizationToken" }
        return Dictionary(grouping: counted, by: \.operation).mapValues(\.count)
    }

    package var total: Int { counts.values.reduce(0, +) }

    package func tag(_ tag: String, _ name: String = "team/app", account: String = build, region: String = far)
        -> Digest?
    {
        emulator.tag(tag, account: account, region: region, repository: name)
    }

    /// Whether the destination has every blob and manifest of `image`, byte for byte.
    package func holds(_ image: SeedImage, _ name: String = "team/app", account: String = build, region: String = far)
        -> Bool
    {
        image.manifests.allSatisfy { part in
            emulator.manifest(part.digest, account: account, region: region, repository: name) == part.bytes
        }
            && Set(image.blobs.map(\.digest)).isSubset(
                of: emulator.blobs(account: account, region: region, repository: name)
            )
    }

    package func openUploads(_ name: String = "team/app", account: String = build, region: String = far) -> Int {
        emulator.openUploads(account: account, region: region, repository: name)
    }
}

/// Runs `body` with an emulator, and with an engine whose waits end at once.
package func withCloud(
    _ configure: (inout EmulatorConfiguration) -> Void = { _ in },
    source: SideOptions = SideOptions(),
    destination: SideOptions = SideOptions(),
    jobs: Int? = nil,
    attempts: Int = 8,
    uploads: UploadOptions = UploadOptions(),
    budget: Int? = nil,
    _ body: (ScenarioCloud) async throws -> Void
) async throws {
    var configuration = EmulatorConfiguration()
    configure(&configuration)
    try await withEmulator(configuration) { emulator in
        try await withTransport(TransportConfiguration()) { transport in
            let waits = Lock<[Duration]>([])
            let retry = RetryPolicy(
                attempts: attempts,
                clock: InstantClock(),
                jitter: { 1 },
                onRetry: { _, wait, _ in waits.withLock { $0.append(wait) } }
            )
            let events = Lock<[CopyEvent]>([])
            let replicator = engine(
                emulator,
                transport,
                retry,
                budgets: budget.map(RetryBudgets.init(tokens:)),
                source: source,
                destination: destination,
                jobs: jobs,
                uploads: uploads,
                report: { event in events.withLock { $0.append(event) } }
            )
            try await body(
                ScenarioCloud(
                    emulator: emulator,
                    replicator: replicator,
                    transport: transport,
                    events: events,
                    waits: waits
                )
            )
        }
    }
}

/// Makes an engine that uses the emulator as AWS.
package func engine(
    _ emulator: Emulator,
    _ transport: Transport,
    _ retry: RetryPolicy,
    quotas: [String: Double] = [:],
    budgets: RetryBudgets? = nil,
    source: SideOptions = SideOptions(),
    destination: SideOptions = SideOptions(),
    jobs: Int? = nil,
    uploads: UploadOptions = UploadOptions(),
    environment more: [String: String] = [:],
    report: @escaping @Sendable (CopyEvent) -> Void = { _ in }
) -> TestEngine {
    var variables = Dictionary(uniqueKeysWithValues: emulator.environment.map { ($0.name, $0.value) })
    variables.merge(more) { $1 }
    variables["HOME"] = "/nonexistent"
    let logger = Logger(label: "scenario") { _ in SwiftLogNoOpLogHandler() }
    let resolver = IdentityResolver(
        environment: AWSEnvironment(variables: variables, home: "/nonexistent"),
        sender: transport,
        retry: retry,
        logger: logger
    )
    return TestEngine(
        opener: RepositoryOpener(
            resolver: resolver,
            sender: transport,
            retry: retry,
            quotas: quotas,
            budgets: budgets,
            logger: logger
        ),
        relay: transport,
        retry: retry,
        source: source,
        destination: destination,
        jobs: jobs,
        uploads: uploads,
        report: report
    )
}

extension [CopyResult] {
    /// Returns the only receipt.
    package var receipt: CopyReceipt? {
        guard count == 1, case .done(let receipt)? = first else { return nil }
        return receipt
    }

    package var firstError: CopyError? { lazy.compactMap(\.error).first }
}
