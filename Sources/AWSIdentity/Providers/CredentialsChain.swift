internal import Content
internal import FoundationEssentials
internal import Logging
internal import Platform
internal import Wire

/// The search for one side's credentials.
///
/// It follows the AWS CLI's order: the environment's keys, a role of the profile, a web identity, IAM Identity Center,
/// keys in the credentials file, a process, keys in the config file, the container's endpoint, the instance's. A
/// profile that a flag names comes first, and the environment is then ignored.
///
/// - Source: docs/facts/identity.md#order
struct CredentialsChain {
    let resolver: IdentityResolver
    let options: IdentityOptions
    let stsRegion: String

    func provider() throws -> any CredentialsProviding {
        let base = try options.source?.provider ?? search()
        guard let role = options.roleARN else { return base }
        return try assumed(
            STSClient.AssumeRole(roleARN: role, sessionName: try sessionName(nil), externalID: options.externalID),
            with: base,
            named: "the role flag"
        )
    }

    private var usesEnvironment: Bool { options.profile == nil }
    var surroundings: Surroundings { resolver.surroundings }

    private func search() throws -> any CredentialsProviding {
        var tried: [String] = []
        // This comes before the environment's keys: naming a profile that doesn't exist is a mistake, even if other
        // keys are used.
        let profile = try resolver.profile(options)
        if usesEnvironment {
            if let keys = try environmentKeys() { return try lasting(keys) }
            let half = resolver.environment["AWS_SECRET_ACCESS_KEY"] == nil ? "" : ", though AWS_SECRET_ACCESS_KEY is"
            tried.append("environment (AWS_ACCESS_KEY_ID is not set\(half))")
        }
        if let found = try fromProfile(profile ?? SharedConfig.Profile(name: "default")) { return found }
        let config = try resolver.config()
        tried.append(
            profile.map { "profile \($0.name) (it has no credentials)" }
                ?? "profile default (not in \(config.configPath) or \(config.credentialsPath))"
        )
        tried += config.passedOver
        return try fromMachine(profile, tried, remedy: config.headingAdvice(for: profile?.name ?? "default"))
    }

    /// Finds the credentials that the machine offers, for users who configured none.
    ///
    /// - Parameter remedy: A remedy for the error, where more is known than that there are no credentials.
    private func fromMachine(
        _ profile: SharedConfig.Profile?,
        _ tried: [String],
        remedy: String?
    ) throws -> any CredentialsProviding {
        if let container = try containerCredentials() { return container }
        let tried = tried + ["container (\(ContainerCredentials.relativeVariable) is not set)"]
        guard !resolver.environment.says(InstanceMetadata.disabledVariable) else {
            throw Self.nothing(tried + ["instance metadata (\(InstanceMetadata.disabledVariable) is true)"], remedy)
        }
        return try instanceCredentials(profile) { absence in
            Self.nothing(tried + ["instance metadata (\(absence.words))"], remedy ?? absence.remedy)
        }
    }

    /// - Returns: `nil` outside a container.
    func containerCredentials() throws -> (any CredentialsProviding)? {
        let clock = try issuersClock()
        guard let container = try ContainerCredentials(surroundings, clock: clock) else { return nil }
        return shared(.container, profile: "") { refreshing(by: clock) { try await container.credentials() } }
    }

    /// - Parameter absent: Makes the error for a metadata service that has never given keys.
    func instanceCredentials(
        _ profile: SharedConfig.Profile?,
        absent: @escaping @Sendable (InstanceMetadata.Absence) -> IdentityError
    ) throws -> any CredentialsProviding {
        let clock = try issuersClock()
        let metadata = try InstanceMetadata(surroundings, profile, clock: clock)
        return shared(.instance, profile: profile?.name ?? "") {
            let wereThere = Lock(false)
            return refreshing(by: clock) {
                do {
                    let credentials = try await metadata.credentials()
                    wereThere.withLock { $0 = true }
                    return credentials
                } catch let absence as InstanceMetadata.Absence {
                    guard wereThere.withLock({ $0 }) else { throw absent(absence) }
                    throw IdentityError(
                        "the keys of the instance's role could not be renewed: \(absence.words)",
                        tried: ["instance metadata (\(metadata.endpoint))"],
                        remedy: absence.remedy ?? "see whether the instance still has its role, then run again"
                    )
                }
            }
        }
    }

    /// Returns a provider that all regions share.
    func shared(
        _ kind: IdentityResolver.SharedKey.Kind,
        profile: String,
        _ make: () throws -> any CredentialsProviding
    ) rethrows -> any CredentialsProviding {
        try resolver.shared(.init(kind: kind, profile: profile, options: options), make)
    }

    static func nothing(_ tried: [String], _ remedy: String? = nil) -> IdentityError {
        IdentityError(
            "there are no AWS credentials",
            tried: tried,
            remedy: remedy
                ?? "sign in (`aws sso login`, `aws configure`), name a profile with --profile, or set "
                + "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            isAbsence: true
        )
    }

    func environmentKeys() throws -> AWSCredentials? {
        let environment = resolver.environment
        guard let id = environment["AWS_ACCESS_KEY_ID"] else { return nil }
        guard let secret = environment["AWS_SECRET_ACCESS_KEY"] else {
            throw IdentityError(
                "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not",
                tried: ["environment"],
                remedy: "set both, or neither"
            )
        }
        let token = ["AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN"].lazy.compactMap { name in
            environment[name].map { PastedKeys.Value(name: name, text: $0) }
        }.first
        try PastedKeys(
            id: .init(name: "AWS_ACCESS_KEY_ID", text: id),
            secret: .init(name: "AWS_SECRET_ACCESS_KEY", text: secret),
            token: token,
            tokenName: "AWS_SESSION_TOKEN"
        ).check()
        return AWSCredentials(
            accessKeyID: id,
            secretAccessKey: secret,
            sessionToken: token?.text,
            expiration: environment["AWS_CREDENTIAL_EXPIRATION"].flatMap(AWSTime.parse),
            accountID: environment["AWS_ACCOUNT_ID"],
            source: "environment"
        )
    }

    /// Returns a provider of keys that can't be refreshed, and refuses keys whose expiry has passed.
    func lasting(_ keys: AWSCredentials) throws -> any CredentialsProviding {
        if let expiration = keys.expiration, case let now = try issuersClock().now(), expiration <= now {
            throw IdentityError(
                "the keys in the environment expired at \(AWSTime.extended(expiration)), and it is \(AWSTime.extended(now))",
                tried: ["environment (AWS_CREDENTIAL_EXPIRATION)"],
                remedy: "get new ones: `aws configure export-credentials --format env` prints them"
            )
        }
        surroundings.logger.debug("credentials", metadata: ["from": "\(keys)"])
        return StaticCredentials(keys)
    }

    // MARK: A profile

    /// - Parameters:
    ///   - visited: The profiles whose `source_profile` led here, first to last.
    /// - Returns: `nil` when the profile has no settings for credentials.
    func fromProfile(
        _ profile: SharedConfig.Profile,
        visited: [String] = []
    ) throws -> (any CredentialsProviding)? {
        if profile.assumesRole(isSource: !visited.isEmpty) { return try assumedByProfile(profile, visited: visited) }
        if let found = try fromWebIdentity(profile, usesEnvironment: usesEnvironment && visited.isEmpty) {
            return found
        }
        if let found = try fromIdentityCenter(profile) { return found }
        if let keys = try staticKeys(profile, inCredentialsFile: true) { return try lasting(keys) }
        if profile["login_session"] != nil {
            throw IdentityError(
                "login_session (profile '\(profile.name)', \(profile.place(of: "login_session"))) is not supported",
                remedy: "let another profile have them: credential_process = aws configure export-credentials "
                    + "--profile \(profile.name)"
            )
        }
        if let command = profile["credential_process"] {
            let process = try CredentialProcess(command, profile, surroundings)
            let clock = try issuersClock()
            return shared(.process, profile: profile.name) { refreshing(by: clock) { try await process.credentials() } }
        }
        return try staticKeys(profile, inCredentialsFile: false).map(lasting)
    }

    /// Returns the keys of one of the two files; an id and a secret from different files are never combined.
    private func staticKeys(_ profile: SharedConfig.Profile, inCredentialsFile: Bool) throws -> AWSCredentials? {
        func value(_ key: String) -> String? {
            profile.keysOfCredentialsFile.contains(key) == inCredentialsFile ? profile[key] : nil
        }
        guard let id = value("aws_access_key_id") else { return nil }
        guard let secret = value("aws_secret_access_key") else {
            throw IdentityError(
                "profile '\(profile.name)' has aws_access_key_id and no aws_secret_access_key",
                tried: [profile.place(of: "aws_access_key_id")],
                remedy: "set both with `aws configure --profile \(profile.name)`"
            )
        }
        func named(_ key: String, _ text: String) -> PastedKeys.Value {
            .init(name: "\(key) of profile '\(quotable(profile.name))'", text: text)
        }
        let tokenKey = value("aws_security_token") == nil ? "aws_session_token" : "aws_security_token"
        let token = value(tokenKey)
        try PastedKeys(
            id: named("aws_access_key_id", id),
            secret: named("aws_secret_access_key", secret),
            token: token.map { named(tokenKey, $0) },
            tokenName: "aws_session_token",
            place: profile.place(of: "aws_access_key_id")
        ).check()
        return AWSCredentials(
            accessKeyID: id,
            secretAccessKey: secret,
            sessionToken: token,
            accountID: value("aws_account_id"),
            source: "profile \(profile.name)"
        )
    }

    /// - Parameter usesEnvironment: Whether the variables that EKS sets count; each wins over the profile's key.
    private func fromWebIdentity(
        _ profile: SharedConfig.Profile,
        usesEnvironment: Bool
    ) throws -> (any CredentialsProviding)? {
        func setting(_ variable: String, _ key: String) -> (value: String, place: String)? {
            if usesEnvironment, let value = resolver.environment[variable] { return (value, variable) }
            return profile[key].map { ($0, "profile '\(profile.name)' (\(profile.place(of: key)))") }
        }
        guard let file = setting("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file") else { return nil }
        guard let role = setting("AWS_ROLE_ARN", "role_arn") else {
            throw IdentityError(
                "there is a web identity token and no role to take with it",
                tried: [file.place],
                remedy: "set AWS_ROLE_ARN, or role_arn in the profile"
            )
        }
        let request = STSClient.AssumeRole(
            roleARN: role.value,
            sessionName: try sessionName(setting("AWS_ROLE_SESSION_NAME", "role_session_name")?.value)
        )
        try request.check(named: role.place)
        try checkPartition(of: request, named: role.place)
        let identity = WebIdentity(
            tokenFile: file.value,
            role: request,
            place: file.place,
            environment: resolver.environment
        )
        // This call is unsigned.
        let nobody = StaticCredentials(AWSCredentials(accessKeyID: "", secretAccessKey: "", source: "nobody"))
        let client = try client(nobody)
        return refreshing(by: client.clock) { try await identity.credentials(client) }
    }

    private func fromIdentityCenter(_ profile: SharedConfig.Profile) throws -> (any CredentialsProviding)? {
        guard profile["sso_account_id"] != nil || profile["sso_role_name"] != nil else { return nil }
        var settings = profile.values.filter { !$0.value.isEmpty }
        if let name = settings["sso_session"] {
            guard let session = try resolver.config().sessions[name] else {
                throw IdentityError(
                    "profile '\(profile.name)' names the sso-session '\(quotable(name))', which isn't there",
                    tried: [profile.place(of: "sso_session")],
                    remedy: try resolver.config().sessionAdvice(for: name)
                        ?? "add [sso-session \(name)] with sso_start_url and sso_region: `aws configure sso-session`"
                )
            }
            for (key, value) in session {
                guard settings[key] ?? value == value else {
                    throw IdentityError(
                        "profile '\(profile.name)' and [sso-session \(name)] have different values of \(key)",
                        tried: [profile.place(of: key)],
                        remedy: "leave it out of the profile"
                    )
                }
                settings[key] = value
            }
        }
        let needed = ["sso_account_id", "sso_role_name", "sso_start_url", "sso_region"]
        let missing = needed.filter { settings[$0] == nil }
        if !missing.isEmpty,
            let key = ["sso-session", "sso_sessions", "ssosession"].first(where: { settings[$0] != nil })
        {
            throw IdentityError(
                "profile '\(profile.name)' has the key \(key), which is written sso_session",
                tried: [profile.place(of: key)],
                remedy: "write sso_session = \(quotable(settings[key] ?? "", upTo: 60)) there"
            )
        }
        guard missing.isEmpty, let account = settings["sso_account_id"], let role = settings["sso_role_name"],
            let startURL = settings["sso_start_url"], let region = settings["sso_region"]
        else {
            throw IdentityError(
                "profile '\(profile.name)' signs in with IAM Identity Center and has no \(missing.joined(separator: ", "))",
                tried: [profile.place(of: profile["sso_account_id"] == nil ? "sso_role_name" : "sso_account_id")],
                remedy: "complete it with `aws configure sso --profile \(profile.name)`"
            )
        }
        let place = { (key: String) in
            profile.places[key] ?? (settings["sso_session"].map { "[sso-session \(quotable($0))]" })
        }
        if let fault = RegionText.fault(in: region) {
            throw IdentityError(
                "sso_region of profile '\(profile.name)' is '\(quotable(region, upTo: 60))', which \(fault.problem)",
                tried: place("sso_region").map { [$0] } ?? [],
                remedy: fault.remedy
            )
        }
        guard (try? AccountID(parsing: account)) != nil else {
            throw IdentityError(
                "sso_account_id of profile '\(profile.name)' is '\(quotable(account, upTo: 60))', which is not an account",
                tried: place("sso_account_id").map { [$0] } ?? [],
                remedy: AccountID.advice(for: account)
            )
        }
        let session = try resolver.signIn(
            .init(startURL: startURL, region: region, session: settings["sso_session"], profile: profile.name),
            options: options
        )
        return shared(.signIn, profile: profile.name) {
            refreshing(by: session.clock) { try await session.credentials(account: account, role: role) }
        }
    }

    /// - Parameter clock: The clock of the service that issues the keys, by which they expire.
    func refreshing(
        by clock: ServiceClock,
        renews: Bool = true,
        _ fetch: @escaping @Sendable () async throws -> AWSCredentials
    ) -> any CredentialsProviding {
        RefreshingCredentials(logger: surroundings.logger, now: clock.now, renews: renews, fetch: fetch)
    }

    /// The clock by which keys from an intermediary expire: STS issued them.
    ///
    /// The intermediary doesn't say which STS endpoint it used, so the side's own stands in; its clock is shared by all
    /// AWS hosts in that partition. A wrong endpoint setting for STS is ignored here, because such keys don't need STS.
    private func issuersClock() throws -> ServiceClock {
        let endpoint =
            try (try? resolver.endpoint(.sts, region: stsRegion, options: options))
            ?? ServiceEndpoint(.sts, region: stsRegion, fips: false, dualStack: false)
        return resolver.clocks.clock(of: endpoint.url)
    }
}
