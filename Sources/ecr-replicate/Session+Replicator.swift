import AWSIdentity
import Content
import Logging
import Platform
import Replicate
import Rules
import Wire

/// Makes a run's replicator from the flags.
extension Session {
    func withReplicator(
        _ drain: Drain,
        _ body: @escaping @Sendable (Replicator) async throws -> Void
    ) async throws {
        let logger = diagnostics(output.logLevel)
        let environment = AWSEnvironment.current()
        var retry = RetryPolicy(onRetry: { attempt, wait, error in
            // A wait of seconds is logged as a warning, and so is a timeout, which may have taken a minute.
            let isLong = wait >= .seconds(1) || (error as? WireError)?.isTimeout == true
            logger.log(
                level: isLong ? .warning : .notice,
                "attempt \(attempt) failed, next attempt in \(wait.shown): \(error)"
            )
        })
        if let attempts { retry.attempts = attempts }
        let configuration = TransportConfiguration(
            caBundle: try caBundle ?? environment.caBundle(for: sides.map(\.identity)),
            proxies: Proxies(environment: environment.variables),
            plainHTTPAuthorities: namedPlainAuthorities(environment),
            userAgent: "ecr-replicate/\(Build.version)",
            limitRate: transfers?.limitRate?.bytes
        )
        try await Replicate.withReplicator(
            ReplicatorConfiguration(
                environment: environment,
                transport: configuration,
                retry: retry,
                jobs: transfers?.jobs,
                uploads: uploads,
                logger: logger,
                // A signal must end the question too, not only the work that waits for the answer.
                askForCode: { question in
                    // Drawings on standard error would erase the question and the user's typing.
                    try await LineStream.standardError.withoutPins {
                        try await TerminalQuestion.ask(question, clock: ContinuousClock().until(drain))
                    }
                },
                isStopping: { drain.isDraining }
            ),
            body
        )
    }

    /// The identities and endpoints of every side.
    private var sides: [SideOptions] { [source, destination] + registries.map(\.options) }

    /// Returns the endpoints that the user wrote with `http://`, which are used without TLS.
    private func namedPlainAuthorities(_ environment: AWSEnvironment) -> Set<String> {
        let named =
            sides.flatMap { [$0.endpointURL, $0.registryEndpoint] } + registries.map(\.plainAddress)
            + ["", "_ECR", "_STS", "_SSO", "_SSO_OIDC", "_KMS"].map { environment.variables["AWS_ENDPOINT_URL" + $0] }
            + ProcessFacts.arguments.filter { $0.hasPrefix("http://") }.map {
                "http://" + $0.dropFirst(7).prefix { $0 != "/" }
            }
        return Set(
            named.compactMap { $0 }.compactMap { try? HTTPURL($0) }.filter { $0.scheme == .http }.map(\.authority)
        )
    }
}

/// Makes a logger that writes one line per message to standard error.
func diagnostics(_ level: Logger.Level) -> Logger {
    var logger = Logger(label: "ecr-replicate") { _ in LineLogHandler(metadataProvider: Replicator.metadataProvider) }
    logger.logLevel = level
    return logger
}
