package import AWSIdentity
package import Content
internal import Distribution
package import ECRAPI
package import FoundationEssentials
internal import HTTPTypes
package import Logging
internal import Platform
package import Wire

/// Turns references into repositories, with their identity, endpoint and token.
///
/// All repositories share clients and tokens: there is one token per identity, region and endpoint.
///
/// - Source: docs/architecture.md#references-and-identities
package final class RepositoryOpener: Sendable {
    package let resolver: IdentityResolver
    package let sender: any HTTPSending
    private let retry: RetryPolicy
    private let quotas: [String: Double]
    private let pacers: Pacers
    /// The retry budgets of each side.
    package let budgets: RetryBudgets
    let logger: Logger
    let now: @Sendable () -> Date
    private let authorizations = Lock<[TokenKey: RenewingAuthorization]>([:])
    private let granted = Lock<[TokenKey: String]>([:])
    private let callers = SingleFlight<CallerKey, AccountID>()
    private let plain: PlainRegistries

    private struct TokenKey: Hashable, Sendable {
        var identity: IdentityOptions
        var region: String
        var endpoint: String
    }

    private struct CallerKey: Hashable, Sendable {
        var identity: IdentityOptions
        var region: String
    }

    private struct TokenGrant: Sendable {
        var header: String
        var expiresAt: Date?
        var proxyEndpoint: String
    }

    /// - Parameters:
    ///   - quotas: The rates of ECR's API in calls a second, by operation, if they aren't AWS's defaults.
    ///   - budgets: The retry budgets; by default as many retries as `retry` allows for the usual number of requests in
    ///     flight.
    package init(
        resolver: IdentityResolver,
        sender: any HTTPSending,
        retry: RetryPolicy,
        quotas: [String: Double] = [:],
        budgets: RetryBudgets? = nil,
        logger: Logger,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.resolver = resolver
        self.sender = sender
        self.retry = retry
        self.quotas = ECRQuotas.usual.merging(quotas) { $1 }
        self.budgets = budgets ?? RetryBudgets(attempts: retry.attempts)
        pacers = Pacers(clock: retry.clock)
        self.logger = logger
        self.now = now
        plain = PlainRegistries(
            environment: resolver.environment,
            sender: sender,
            retry: retry,
            budgets: self.budgets,
            pacers: pacers,
            logger: logger,
            now: now
        )
    }

    /// - Throws: ``CopyError`` that names the side and the reference.
    func open(
        _ reference: ImageReference,
        side: CopyError.Side,
        _ options: SideOptions
    ) async throws -> any ImageRepository {
        do {
            return try await SideLabel.with(SideLabel.metadata(side, registry: reference.registryName)) {
                switch reference.registry {
                case .plain(let registry): return try await plain.open(reference, registry, side)
                case .ecr(let host): return try openECR(reference, host, side, options)
                case .layout(let layout) where layout.isArchive:
                    return try await ArchiveImageRepository.open(reference, layout, side: side)
                case .layout(let layout):
                    return LayoutImageRepository(reference, LayoutPlace(layout), side: side, clock: retry.clock)
                case .callersOwn:
                    let host = try await ownHost(options)
                    var named = reference
                    named.registry = .ecr(host)
                    return try openECR(named, host, side, options)
                }
            }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw CopyError(explaining: error, side: side, image: reference, "opening the registry")
        }
    }

    /// Where docker or podman stores a login for a registry, found without running a credential helper.
    package func storedLogin(for registry: PlainRegistry) -> String? {
        let environment = resolver.environment
        return StoredLogins.place(ofLoginTo: registry, variables: environment.variables, home: environment.home)
    }

    /// Where docker or podman stores a login for an ECR registry, for which it is of no use.
    package func storedLogin(for host: ECRHost) -> String? {
        let environment = resolver.environment
        return StoredLogins.place(ofLoginTo: host.name, variables: environment.variables, home: environment.home)
    }

    /// The caller's ARN, for the record; `nil` if it is unknown.
    func caller(at location: RegistryLocation, _ options: SideOptions) async -> String? {
        let region: String?
        switch location {
        case .ecr(let host): region = host.region
        case .callersOwn: region = try? resolver.defaultRegion(flag: options.region, options: options.identity)
        case .plain, .layout: region = nil
        }
        guard let region else { return nil }
        return try? await identity(region: region, options).arn
    }

    /// The keys in use and their origin, for people: `…MPLE from profile build`.
    package func keys(region: String, _ options: SideOptions) async -> String? {
        try? await "\(resolver.provider(for: options.identity, stsRegion: region).credentials())"
    }

    /// The caller's identity, as STS in that region reports it.
    ///
    /// - Throws: `IdentityError`, `STSError`, `WireError`
    package func identity(region: String, _ options: SideOptions) async throws -> CallerIdentity {
        try await sts(region: region, options).getCallerIdentity()
    }

    /// A client of KMS in a key's region, with the identity of a side.
    ///
    /// - Throws: `IdentityError`
    package func kms(region: String, _ options: SideOptions) throws -> KMSClient {
        KMSClient(
            endpoint: try resolver.endpoint(.kms, region: region, options: options.identity).url,
            region: region,
            credentials: try resolver.provider(for: options.identity, stsRegion: region),
            sender: sender,
            retry: retry,
            logger: logger,
            clocks: resolver.clocks
        )
    }

    private func openECR(
        _ reference: ImageReference,
        _ host: ECRHost,
        _ side: CopyError.Side,
        _ options: SideOptions
    ) throws -> any ImageRepository {
        let endpoint = try endpoint(of: host, options)
        let answering = endpoint.isCustom ? host : try named(host, options)
        let label = SideLabel.metadata(side, registry: host.name)
        let logger = logger.labelled(label)
        let provider = try provider(at: host, options)
        let registryKey = "\(endpoint.url.origin) \(host.account) \(host.region)"
        let pacer = pacers.pacer(of: registryKey, seeds: quotas)
        let retry = retry.spending(budgets.of(side, host.name)).labelled { _ in label }
        let api = ECRClient(
            endpoint: endpoint.url,
            alternative: endpoint.alternative,
            region: host.region,
            credentials: SideCredentials(provider, label, logger) { [environment = resolver.environment] in
                UnusedLogin.explained($0, at: host, environment)
            },
            sender: sender,
            retry: retry,
            pacer: pacer,
            logger: logger,
            clocks: resolver.clocks
        )
        let key = TokenKey(identity: options.identity, region: host.region, endpoint: endpoint.url.text)
        return ECRImageRepository(
            reference: reference.bare,
            side: side,
            host: host,
            registryKey: registryKey,
            api: api,
            pacer: pacer,
            registry: {
                let (base, authorization) = try await self.registry(of: answering, endpoint, options, key, api)
                return RegistryClient(
                    base: base,
                    authorization: authorization,
                    sender: PacedSender(self.sender, pacer) { request in
                        request.url.origin == base.origin ? ECRQuotas.operation(of: request) : nil
                    },
                    retry: retry,
                    logger: logger
                )
            }
        )
    }

    private func provider(at host: ECRHost, _ options: SideOptions) throws -> any CredentialsProviding {
        do {
            return try resolver.provider(for: options.identity, stsRegion: host.region)
        } catch let error as IdentityError {
            throw UnusedLogin.explained(error, at: host, resolver.environment)
        }
    }

    /// The API's endpoint; a local registry is its own endpoint unless one is configured, and AWS's follow a rule.
    package func endpoint(of host: ECRHost, _ options: SideOptions) throws -> ServiceEndpoint {
        let endpoint = try resolver.endpoint(
            .ecr,
            region: host.region,
            fips: host.usesFIPS,
            dualStack: host.usesDualStack,
            flag: options.endpointURL,
            options: options.identity
        )
        guard let local = host.localAuthority, !endpoint.isCustom else { return endpoint }
        return ServiceEndpoint(url: try HTTPURL("http://\(local)"), isCustom: true)
    }

    /// The registry's host name: the reference's own, with FIPS and dual stack added if the side's switches ask for
    /// them.
    private func named(_ host: ECRHost, _ options: SideOptions) throws -> ECRHost {
        let wanted = try resolver.switches(options.identity)
        var named = host
        named.usesFIPS = host.usesFIPS || wanted.fips
        named.usesDualStack = host.usesDualStack || wanted.dualStack
        guard !named.usesDualStack || host.partition.dualStackDomain != nil else {
            throw IdentityError(
                "registries of the partition \(host.partition.rawValue) have no dual-stack names",
                tried: [host.name],
                remedy: "leave dual stack off for that side, or name the host with --…-registry-endpoint"
            )
        }
        return named
    }

    private func registry(
        of host: ECRHost,
        _ endpoint: ServiceEndpoint,
        _ options: SideOptions,
        _ key: TokenKey,
        _ api: ECRClient
    ) async throws -> (base: HTTPURL, authorization: RenewingAuthorization) {
        let authorization = authorizations.withLock { known in
            if let authorization = known[key] { return authorization }
            // The closure must not hold the opener, because the opener holds it.
            let authorization = RenewingAuthorization(now: api.clock.now) { [granted] in
                let grant = try await Self.grant(api)
                granted.withLock { $0[key] = grant.proxyEndpoint }
                return (grant.header, grant.expiresAt)
            }
            known[key] = authorization
            return authorization
        }
        let base: HTTPURL
        if let named = options.registryEndpoint {
            base = try HTTPURL(SideOptions.url(ofRegistry: named))
        } else if endpoint.isCustom {
            _ = try await authorization.authorization()
            let proxy = granted.withLock { $0[key] } ?? ""
            base = try RegistryHost.url(proxyEndpoint: proxy, for: host, apiEndpoint: endpoint.url)
        } else {
            base = try HTTPURL("https://\(host.name)")
        }
        return (base, authorization)
    }

    private static func grant(_ api: ECRClient) async throws -> TokenGrant {
        let answer = try await api.send(GetAuthorizationToken())
        guard let data = answer.authorizationData.first else {
            throw WireError(.other, "GetAuthorizationToken answered without a token")
        }
        return TokenGrant(
            header: "Basic \(data.authorizationToken)",
            expiresAt: data.expiresAt?.date,
            proxyEndpoint: data.proxyEndpoint ?? ""
        )
    }

    private func ownHost(_ options: SideOptions) async throws -> ECRHost {
        guard let region = try resolver.defaultRegion(flag: options.region, options: options.identity) else {
            throw IdentityError(
                "a reference without a registry needs a region",
                tried: ["the region option", "AWS_REGION", "AWS_DEFAULT_REGION", "the profile's region"],
                remedy: resolver.regionAdvice(options.identity)
                    ?? "pass --region, or name the registry: ACCOUNT.dkr.ecr.REGION.amazonaws.com/…"
            )
        }
        let credentials = try resolver.provider(for: options.identity, stsRegion: region)
        let sts = try sts(region: region, options)
        let account = try await callers.run(CallerKey(identity: options.identity, region: region)) {
            let keys = try await credentials.credentials()
            if let known = keys.accountID { return try Self.account(known, of: keys) }
            return try AccountID(parsing: try await sts.getCallerIdentity().account)
        }
        return ECRHost(account: account, region: region)
    }

    /// - Throws: `IdentityError` that says where the account was written.
    private static func account(_ text: String, of keys: AWSCredentials) throws -> AccountID {
        do {
            return try AccountID(parsing: text)
        } catch {
            let name = keys.source == "environment" ? "AWS_ACCOUNT_ID" : "the account id (\(keys.source))"
            throw IdentityError(
                "\(name) is '\(quotable(text, upTo: 60))', which is not an AWS account",
                remedy: AccountID.advice(for: text)
            )
        }
    }

    private func sts(region: String, _ options: SideOptions) throws -> STSClient {
        STSClient(
            endpoint: try resolver.endpoint(.sts, region: region, options: options.identity).url,
            region: region,
            credentials: try resolver.provider(for: options.identity, stsRegion: region),
            sender: sender,
            retry: retry,
            clocks: resolver.clocks
        )
    }
}
