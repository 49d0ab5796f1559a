internal import AWSIdentity
internal import Content
internal import Distribution
internal import FoundationEssentials
internal import Logging
internal import Platform
internal import Wire

/// Opens repositories of registries other than ECR.
///
/// The scheme and the authorization of a registry are found out once for all of its repositories.
final class PlainRegistries: Sendable {
    private let environment: AWSEnvironment
    private let sender: any HTTPSending
    private let retry: RetryPolicy
    private let budgets: RetryBudgets
    private let pacers: Pacers
    private let logger: Logger
    private let now: @Sendable () -> Date
    private let origins = SingleFlight<PlainRegistry, HTTPURL>()
    private let authorizations = Lock<[PlainRegistry: NegotiatedAuthorization]>([:])

    init(
        environment: AWSEnvironment,
        sender: any HTTPSending,
        retry: RetryPolicy,
        budgets: RetryBudgets,
        pacers: Pacers,
        logger: Logger,
        now: @escaping @Sendable () -> Date
    ) {
        self.environment = environment
        self.sender = sender
        self.retry = retry
        self.budgets = budgets
        self.pacers = pacers
        self.logger = logger
        self.now = now
    }

    /// - Throws: `WireError` if the registry's scheme can't be found out.
    func open(
        _ reference: ImageReference,
        _ registry: PlainRegistry,
        _ side: CopyError.Side
    ) async throws -> any ImageRepository {
        let label = SideLabel.metadata(side, registry: registry.authority)
        let retry = retry.spending(budgets.of(side, registry.authority)).labelled { _ in label }
        let base = try await origins.run(registry) { [sender] in
            // A registry that is just starting gets as much time as one whose scheme is known.
            try await retry.run { _ in
                try await RegistryClient.probe(
                    authority: registry.endpointAuthority,
                    scheme: registry.scheme.flatMap { HTTPURL.Scheme(rawValue: $0.rawValue) },
                    sender: sender
                )
            }
        }
        let pacer = pacers.pacer(of: base.origin)
        let client = RegistryClient(
            base: base,
            authorization: SideAuthorization(authorization: authorization(of: registry, at: base), label: label),
            sender: PacedSender(sender, pacer) { request in
                request.url.origin == base.origin ? PlainPacing.bucket(of: request) : nil
            },
            retry: retry,
            logger: logger.labelled(label),
            isDestination: side == .destination
        )
        return PlainImageRepository(
            reference: reference.bare,
            side: side,
            registryKey: base.origin,
            client: client,
            pacer: pacer
        )
    }

    /// The authorization for all repositories of a registry, which learns the kind of login from the first refusal.
    private func authorization(of registry: PlainRegistry, at base: HTTPURL) -> NegotiatedAuthorization {
        authorizations.withLock { known in
            if let authorization = known[registry] { return authorization }
            let authorization = NegotiatedAuthorization(
                registry: base,
                store: StoredLogins(
                    registry: registry,
                    variables: environment.variables,
                    home: environment.home,
                    logger: logger
                ),
                sender: sender,
                retry: retry,
                logger: logger,
                now: now
            )
            known[registry] = authorization
            return authorization
        }
    }
}
