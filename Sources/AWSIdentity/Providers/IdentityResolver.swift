internal import Content
public import FoundationEssentials
public import Logging
internal import Platform
public import Wire

/// From flags, environment and shared files to credentials, regions and endpoints.
///
/// Credentials are looked for in the AWS CLI's order: a profile that a flag names, the environment's keys, the
/// profile that the environment names, `default`. The same options give the same provider, so that two images of
/// one side share one session. Files are read once.
///
/// - Source: docs/identity.md; docs/facts/identity.md#order
public struct IdentityResolver: Sendable {
    let surroundings: Surroundings
    /// By which everything of this run is signed, and every expiry judged: each service's own.
    public let clocks: ServiceClocks
    private let memory = Lock(Memory())

    private struct Memory: Sendable {
        var config: Result<SharedConfig, any Error>?
        var providers: [ProviderKey: any CredentialsProviding] = [:]
        var signIns: [SignInKey: SignInSession] = [:]
        var shared: [SharedKey: any CredentialsProviding] = [:]
    }

    /// Credentials that don't depend on the region in which they are used.
    struct SharedKey: Hashable, Sendable {
        enum Kind: Hashable, Sendable { case process, signIn, container, instance, secondFactor }
        var kind: Kind
        /// Whose settings they follow.
        var profile: String
        var options: IdentityOptions
    }

    /// What makes two profiles' sign-ins one: their token, and where it is used.
    private struct SignInKey: Hashable, Sendable {
        var name: String
        var region: String
        var endpoints: [String]
        /// Of a legacy profile, which a person signs in to by its name.
        var profile: String?
    }

    private struct ProviderKey: Hashable, Sendable {
        var options: IdentityOptions
        var region: String
    }

    /// - Parameters:
    ///   - askForCode: Puts a question to a person and gives the answer; `nil` where there is nobody to ask.
    ///   - isStopping: Whether the run has been asked to end: a program that fails then is no trouble to be told.
    public init(
        environment: AWSEnvironment = .current(),
        sender: any HTTPSending,
        retry: RetryPolicy = RetryPolicy(),
        logger: Logger,
        now: @escaping @Sendable () -> Date = { Date() },
        askForCode: (@Sendable (_ question: String) async throws -> String?)? = nil,
        isStopping: @escaping @Sendable () -> Bool = { false }
    ) {
        let clocks = ServiceClocks(now, logger: logger)
        self.clocks = clocks
        surroundings = Surroundings(
            environment: environment,
            sender: sender,
            retry: retry,
            logger: logger,
            clocks: clocks,
            interview: askForCode.map(Interview.init),
            isStopping: isStopping
        )
    }

    /// What the process was started with.
    public var environment: AWSEnvironment { surroundings.environment }

    /// The credentials of one side.
    ///
    /// Nothing is sent before somebody asks the provider for credentials.
    ///
    /// - Parameters:
    ///   - stsRegion: Where roles are assumed: the region of that side's reference.
    /// - Throws: ``IdentityError`` when there are none, with everything that was tried.
    public func provider(
        for options: IdentityOptions,
        stsRegion: String
    ) throws -> any CredentialsProviding {
        let key = ProviderKey(options: options, region: stsRegion)
        if let known = memory.withLock({ $0.providers[key] }) { return known }
        let made = try CredentialsChain(resolver: self, options: options, stsRegion: stsRegion).provider()
        return memory.withLock { memory in
            if let known = memory.providers[key] { return known }
            memory.providers[key] = made
            return made
        }
    }

    /// The region of references that name none: flag, `AWS_REGION`, `AWS_DEFAULT_REGION`, profile.
    ///
    /// - Returns: `nil` when none of them is set.
    /// - Throws: ``IdentityError`` when a profile that was named isn't there, or what is set is not the name of a region.
    public func defaultRegion(flag: String?, options: IdentityOptions) throws -> String? {
        if let flag { return try Self.region(flag, named: "--region") }
        for variable in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            if let region = environment[variable] { return try Self.region(region, named: variable) }
        }
        guard let profile = try profile(options), let region = profile["region"] else { return nil }
        return try Self.region(
            region,
            named: "the region of profile '\(quotable(profile.name))'",
            at: profile.place(of: "region")
        )
    }

    /// What to do where no region is set, if a heading of the shared files is written wrongly.
    package func regionAdvice(_ options: IdentityOptions) -> String? {
        guard let config = try? config() else { return nil }
        return config.headingAdvice(for: options.profile ?? environment.namedProfile?.name ?? "default")
    }

    /// - Parameter place: As `path:line`, where the name doesn't tell.
    /// - Throws: ``IdentityError``, before anything is signed for it.
    static func region(_ text: String, named name: String, at place: String? = nil) throws -> String {
        guard let fault = RegionText.fault(in: text) else { return text }
        throw IdentityError(
            "\(name) is '\(quotable(text, upTo: 60))', which \(fault.problem)",
            tried: place.map { [$0] } ?? [],
            remedy: fault.remedy
        )
    }

    /// Where a service is called for a region.
    ///
    /// An endpoint that somebody names wins over FIPS and dual stack, for it may well be a FIPS endpoint behind
    /// PrivateLink: `flag`, then `AWS_ENDPOINT_URL_ECR` or `_STS`, `AWS_ENDPOINT_URL`, the profile's `services`
    /// section, the profile's `endpoint_url`. `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` leaves the flag alone.
    ///
    /// - Throws: ``IdentityError``, when what was named is no address too.
    public func endpoint(
        _ service: AWSService,
        region: String,
        fips: Bool = false,
        dualStack: Bool = false,
        flag: String? = nil,
        options: IdentityOptions = IdentityOptions()
    ) throws -> ServiceEndpoint {
        if let flag { return try custom(flag, named: "the endpoint flag") }
        let profile = try profile(options)
        let ignores =
            environment.says("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
            || profile?["ignore_configured_endpoint_urls"]?.lowercased() == "true"
        if !ignores, let (text, place) = try configured(service, profile) {
            return try custom(text, named: place)
        }
        let wanted = try switches(options)
        return try ServiceEndpoint(
            service,
            region: region,
            fips: fips || wanted.fips,
            dualStack: dualStack || wanted.dualStack
        )
    }

    /// Whether FIPS and dual-stack hosts are wanted: by a flag, else the environment, else the profile.
    ///
    /// - Throws: ``IdentityError`` when a profile that was named isn't there, or what is said is neither yes nor no.
    public func switches(_ options: IdentityOptions) throws -> (fips: Bool, dualStack: Bool) {
        let profile = try profile(options)
        return (
            try options.usesFIPS || isOn("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", profile),
            try options.usesDualStack || isOn("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint", profile)
        )
    }

    private func configured(_ service: AWSService, _ profile: SharedConfig.Profile?) throws -> (String, String)? {
        for name in [service.variable, "AWS_ENDPOINT_URL"] {
            if let text = environment[name] { return (text, name) }
        }
        guard let profile else { return nil }
        if let section = profile["services"],
            let text = try config().services[section]?[service.rawValue]?["endpoint_url"], !text.isEmpty
        {
            return (text, "[services \(section)] of profile \(profile.name)")
        }
        return profile["endpoint_url"].map { ($0, "endpoint_url of profile \(profile.name)") }
    }

    private func custom(_ text: String, named place: String) throws -> ServiceEndpoint {
        do {
            return ServiceEndpoint(url: try HTTPURL(text), isCustom: true)
        } catch {
            throw IdentityError(
                "\(place) is not an endpoint: \(error.detail)",
                remedy: "write it as https://host or http://127.0.0.1:4566",
                failure: error
            )
        }
    }

    /// What is neither is refused: botocore and the AWS CLI take it for no, and somebody's requests then go where rules
    /// forbid them to go.
    private func isOn(_ variable: String, _ key: String, _ profile: SharedConfig.Profile?) throws -> Bool {
        let value = environment[variable]
        guard let text = value ?? profile?[key] else { return false }
        switch text.lowercased() {
        case "true": return true
        case "false": return false
        default:
            let place = value == nil ? profile?.place(of: key) : nil
            throw IdentityError(
                "\(value == nil ? "\(key) of profile '\(profile?.name ?? "")'" : variable) is '\(quotable(text, upTo: 40))', "
                    + "which is neither true nor false",
                tried: place.map { [$0] } ?? [],
                remedy: "write true or false: it says which of AWS's hosts are called"
            )
        }
    }

    /// The profile in force, if there is one: `default` may be missing, one that was named may not.
    func profile(_ options: IdentityOptions) throws -> SharedConfig.Profile? {
        try config().inForce(environment, options)
    }

    func config() throws -> SharedConfig {
        try memory.withLock { memory in
            if let config = memory.config { return try config.get() }
            let config = Result { try SharedConfig(environment) }
            memory.config = config
            return try config.get()
        }
    }

    /// One sign-in for everybody who uses it: a refresh token works once.
    func signIn(_ settings: SignInSession.Settings, options: IdentityOptions) throws -> SignInSession {
        let portal = try endpoint(.sso, region: settings.region, options: options).url
        let issuer = try endpoint(.ssoOIDC, region: settings.region, options: options).url
        let key = SignInKey(
            name: settings.cacheName,
            region: settings.region,
            endpoints: [portal.text, issuer.text],
            profile: settings.session == nil ? settings.profile : nil
        )
        if let known = memory.withLock({ $0.signIns[key] }) { return known }
        let made = SignInSession(settings, surroundings, portal: portal, issuer: issuer)
        return memory.withLock { memory in
            if let known = memory.signIns[key] { return known }
            memory.signIns[key] = made
            return made
        }
    }

    /// The provider that another region's side uses already, else a new one.
    func shared(
        _ key: SharedKey,
        _ make: () throws -> any CredentialsProviding
    ) rethrows -> any CredentialsProviding {
        if let known = memory.withLock({ $0.shared[key] }) { return known }
        let made = try make()
        return memory.withLock { memory in
            if let known = memory.shared[key] { return known }
            memory.shared[key] = made
            return made
        }
    }
}
