internal import Content
public import FoundationEssentials
public import Logging
internal import Platform
public import Wire

/// Finds credentials, regions and endpoints in flags, environment and shared files.
///
/// Credentials are searched in the AWS CLI's order: a profile that a flag names, the environment's keys, the profile that
/// the environment names, `default`. The same options give the same provider, so two images of one side share one
/// session. Files are read once.
///
/// - Source: docs/identity.md; docs/facts/identity.md#order
public struct IdentityResolver: Sendable {
    let context: ProviderContext
    /// The clocks of the services, by which this run signs its requests and judges every expiry.
    public let clocks: ServiceClocks
    private let memory = Lock(Memory())

    private struct Memory: Sendable {
        var config: Result<SharedConfig, any Error>?
        var providers: [ProviderKey: any CredentialsProviding] = [:]
        var signIns: [SignInKey: SignInSession] = [:]
        var shared: [SharedKey: any CredentialsProviding] = [:]
    }

    /// The key of credentials that are valid in every region.
    struct SharedKey: Hashable, Sendable {
        enum Kind: Hashable, Sendable { case process, signIn, container, instance, secondFactor }
        var kind: Kind
        /// The profile whose settings apply.
        var profile: String
        var options: IdentityOptions
    }

    /// Identifies a sign-in: profiles with the same token at the same endpoints share it.
    private struct SignInKey: Hashable, Sendable {
        var name: String
        var region: String
        var endpoints: [String]
        /// The name of a legacy profile, which the user signs in with; `nil` for a session.
        var profile: String?
    }

    private struct ProviderKey: Hashable, Sendable {
        var options: IdentityOptions
        var region: String
    }

    /// - Parameters:
    ///   - askForCode: Asks the user a question and returns the answer; `nil` where there is no terminal.
    ///   - isStopping: Whether the run has been asked to stop; a program that fails then isn't reported.
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
        context = ProviderContext(
            environment: environment,
            sender: sender,
            retry: retry,
            logger: logger,
            clocks: clocks,
            prompt: askForCode.map(UserPrompt.init),
            isStopping: isStopping
        )
    }

    /// The environment that the process was started with.
    public var environment: AWSEnvironment { context.environment }

    /// Finds the credentials of one side.
    ///
    /// Nothing is sent: the provider sends its first request when its credentials are requested.
    ///
    /// - Parameter stsRegion: The region where roles are assumed, which is that of the side's reference.
    /// - Throws: ``IdentityError`` when there are no credentials, with every place that was tried.
    public func provider(
        for options: IdentityOptions,
        stsRegion: String
    ) throws -> any CredentialsProviding {
        try remembered(\.providers, ProviderKey(options: options, region: stsRegion)) {
            try CredentialsChain(resolver: self, options: options, stsRegion: stsRegion).provider()
        }
    }

    /// Returns the region of references without one: flag, `AWS_REGION`, `AWS_DEFAULT_REGION`, profile.
    ///
    /// - Returns: `nil` when none of them is set.
    /// - Throws: ``IdentityError`` when a named profile doesn't exist, or a value isn't the name of a region.
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

    /// The advice to correct a misspelled heading of the shared files, for when no region is set.
    package func regionAdvice(_ options: IdentityOptions) -> String? {
        guard let config = try? config() else { return nil }
        return config.headingAdvice(for: options.profile ?? environment.namedProfile?.name ?? "default")
    }

    /// Checks a region's name.
    ///
    /// - Parameter place: The place as `path:line`, if the name doesn't tell it.
    /// - Throws: ``IdentityError`` for an invalid name, before anything is signed for the region.
    static func region(_ text: String, named name: String, at place: String? = nil) throws -> String {
        guard let fault = RegionText.fault(in: text) else { return text }
        throw IdentityError(
            "\(name) is '\(quotable(text, upTo: 60))', which \(fault.problem)",
            tried: place.map { [$0] } ?? [],
            remedy: fault.remedy
        )
    }

    /// Returns a service's endpoint for a region.
    ///
    /// A configured endpoint wins over FIPS and dual stack, because it may be a FIPS endpoint behind PrivateLink. The
    /// order is `flag`, `AWS_ENDPOINT_URL_ECR` or `_STS`, `AWS_ENDPOINT_URL`, the profile's `services` section, the
    /// profile's `endpoint_url`. `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` doesn't affect the flag.
    ///
    /// - Throws: ``IdentityError``, also when a configured endpoint isn't a valid URL.
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
            environment.isTrue("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
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

    /// Returns whether to use FIPS and dual-stack hosts, as set by a flag, else the environment, else the profile.
    ///
    /// - Throws: ``IdentityError`` when a named profile doesn't exist, or a value is neither `true` nor `false`.
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

    /// Reads a setting and refuses a value that is neither `true` nor `false`.
    ///
    /// botocore and the AWS CLI take such a value for `false`, and then send requests to hosts that the user's rules
    /// forbid.
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
                remedy: "write true or false; the setting selects the AWS hosts that are called"
            )
        }
    }

    /// Returns the profile to use; `nil` if none is named and there is no `default`.
    func profile(_ options: IdentityOptions) throws -> SharedConfig.Profile? {
        try config().activeProfile(environment, options)
    }

    func config() throws -> SharedConfig {
        try memory.withLock { memory in
            if let config = memory.config { return try config.get() }
            let config = Result { try SharedConfig(environment) }
            memory.config = config
            return try config.get()
        }
    }

    /// Returns the sign-in that all roles of a session share, because its refresh token works once.
    func signIn(_ settings: SignInSession.Settings, options: IdentityOptions) throws -> SignInSession {
        let portal = try endpoint(.sso, region: settings.region, options: options).url
        let issuer = try endpoint(.ssoOIDC, region: settings.region, options: options).url
        let key = SignInKey(
            name: settings.cacheName,
            region: settings.region,
            endpoints: [portal.text, issuer.text],
            profile: settings.session == nil ? settings.profile : nil
        )
        return remembered(\.signIns, key) { SignInSession(settings, context, portal: portal, issuer: issuer) }
    }

    /// Returns the provider that another region already uses, else a new one.
    func shared(
        _ key: SharedKey,
        _ make: () throws -> any CredentialsProviding
    ) rethrows -> any CredentialsProviding {
        try remembered(\.shared, key, make)
    }

    /// Returns the value that is remembered for a key, else makes one; the lock is not held meanwhile.
    private func remembered<Key: Hashable, Value: Sendable>(
        _ values: WritableKeyPath<Memory, [Key: Value]>,
        _ key: Key,
        _ make: () throws -> Value
    ) rethrows -> Value {
        if let known = memory.withLock({ $0[keyPath: values][key] }) { return known }
        let made = try make()
        return memory.withLock { memory in
            if let known = memory[keyPath: values][key] { return known }
            memory[keyPath: values][key] = made
            return made
        }
    }
}
