public import AWSIdentity
public import Logging
public import Wire

/// The configuration of a ``Replicator``.
///
/// Every member has a default that suits a program on AWS.
public struct ReplicatorConfiguration: Sendable {
    /// The variables and files from which credentials and endpoints are read.
    public var environment: AWSEnvironment
    /// The trusted certificates, the proxies and the bandwidth limit.
    public var transport: TransportConfiguration
    /// How often a request is attempted, and with which delays.
    public var retry: RetryPolicy
    /// The most blobs in flight in one run; `nil` lets their sizes decide.
    public var jobs: Int?
    public var uploads: UploadOptions
    /// The rates of ECR's API in calls a second, by operation, if they differ from AWS's defaults.
    public var quotas: [String: Double]
    public var logger: Logger
    /// Asks a person for a code of a second factor; without it, a role that needs a code is an error.
    public var askForCode: (@Sendable (_ question: String) async throws -> String?)?
    /// Whether the program is about to end, so that no more credentials are fetched.
    public var isStopping: @Sendable () -> Bool

    public init(
        environment: AWSEnvironment = .current(),
        transport: TransportConfiguration = TransportConfiguration(),
        retry: RetryPolicy = RetryPolicy(),
        jobs: Int? = nil,
        uploads: UploadOptions = UploadOptions(),
        quotas: [String: Double] = [:],
        logger: Logger = Logger(label: "ecr-replicate"),
        askForCode: (@Sendable (_ question: String) async throws -> String?)? = nil,
        isStopping: @escaping @Sendable () -> Bool = { false }
    ) {
        self.environment = environment
        self.transport = transport
        self.retry = retry
        self.jobs = jobs
        self.uploads = uploads
        self.quotas = quotas
        self.logger = logger
        self.askForCode = askForCode
        self.isStopping = isStopping
    }
}

/// Opens a ``Replicator`` and everything it needs, runs `body`, and closes all of it.
///
/// - Throws: What `body` throws; `WireError` if the transport can't be set up, for example because a CA bundle can't be
///   read.
public func withReplicator<Result>(
    _ configuration: ReplicatorConfiguration = ReplicatorConfiguration(),
    _ body: (Replicator) async throws -> Result
) async throws -> Result {
    try await withTransport(configuration.transport) { transport in
        let resolver = IdentityResolver(
            environment: configuration.environment,
            sender: transport,
            retry: configuration.retry,
            logger: configuration.logger,
            askForCode: configuration.askForCode,
            isStopping: configuration.isStopping
        )
        let opener = RepositoryOpener(
            resolver: resolver,
            sender: transport,
            retry: configuration.retry,
            quotas: configuration.quotas,
            budgets: RetryBudgets(
                inFlight: max(configuration.jobs ?? 0, RetryBudgets.usualInFlight),
                attempts: configuration.retry.attempts
            ),
            logger: configuration.logger
        )
        return try await body(
            Replicator(
                opener: opener,
                relay: transport,
                retry: configuration.retry,
                jobs: configuration.jobs,
                uploads: configuration.uploads,
                requestsSent: { transport.statistics.requestsSent }
            )
        )
    }
}
