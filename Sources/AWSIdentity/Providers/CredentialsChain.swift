internal import Logging
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

    /// Finds the credentials, and assumes the role of the role flag with them.
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
    var context: ProviderContext { resolver.context }

    private func search() throws -> any CredentialsProviding {
        var tried: [String] = []
        // Before the environment's keys: to name a profile that doesn't exist is a mistake, even if other keys are used.
        let profile = try resolver.profile(options)
        if usesEnvironment {
            if let keys = try environmentKeys() { return try fixed(keys) }
            let half = resolver.environment["AWS_SECRET_ACCESS_KEY"] == nil ? "" : ", though AWS_SECRET_ACCESS_KEY is"
            tried.append("environment (AWS_ACCESS_KEY_ID is not set\(half))")
        }
        if let found = try fromProfile(profile ?? SharedConfig.Profile(name: "default")) { return found }
        let config = try resolver.config()
        tried.append(
            profile.map { "profile \($0.name) (it has no credentials)" }
                ?? "profile default (not in \(config.configPath) or \(config.credentialsPath))"
        )
        tried += config.skippedFiles
        return try fromMachine(profile, tried, remedy: config.headingAdvice(for: profile?.name ?? "default"))
    }

    /// Returns a provider that all regions share.
    func shared(
        _ kind: IdentityResolver.SharedKey.Kind,
        profile: String,
        _ make: () throws -> any CredentialsProviding
    ) rethrows -> any CredentialsProviding {
        try resolver.shared(.init(kind: kind, profile: profile, options: options), make)
    }

    /// Finds the credentials that a profile configures.
    ///
    /// - Parameter visited: The profiles whose `source_profile` led here, first to last.
    /// - Returns: `nil` if the profile has no settings for credentials.
    func fromProfile(
        _ profile: SharedConfig.Profile,
        visited: [String] = []
    ) throws -> (any CredentialsProviding)? {
        if profile.assumesRole(isSource: !visited.isEmpty) { return try assumedByProfile(profile, visited: visited) }
        if let found = try fromWebIdentity(profile, usesEnvironment: usesEnvironment && visited.isEmpty) {
            return found
        }
        if let found = try fromIdentityCenter(profile) { return found }
        if let keys = try staticKeys(profile, inCredentialsFile: true) { return try fixed(keys) }
        if profile["login_session"] != nil {
            throw IdentityError(
                "login_session (profile '\(profile.name)', \(profile.place(of: "login_session"))) is not supported",
                remedy: "use it through another profile: credential_process = aws configure export-credentials "
                    + "--profile \(profile.name)"
            )
        }
        if let command = profile["credential_process"] {
            let process = try CredentialProcess(command, profile, context)
            let clock = try stsClock()
            return shared(.process, profile: profile.name) { refreshing(by: clock) { try await process.credentials() } }
        }
        return try staticKeys(profile, inCredentialsFile: false).map(fixed)
    }

    /// Returns a provider that fetches keys and refreshes them before they expire.
    ///
    /// - Parameter clock: The clock of the service that issues the keys, by which they expire.
    func refreshing(
        by clock: ServiceClock,
        renews: Bool = true,
        _ fetch: @escaping @Sendable () async throws -> AWSCredentials
    ) -> any CredentialsProviding {
        RefreshingCredentials(logger: context.logger, now: clock.now, renews: renews, fetch: fetch)
    }

    /// Returns the clock of STS, by which keys from a process, a container or an instance expire.
    ///
    /// These don't say which STS endpoint issued the keys, so the side's own is used; all AWS hosts of a partition share
    /// its clock. A wrong endpoint setting for STS is ignored, because such keys don't need STS.
    func stsClock() throws -> ServiceClock {
        let endpoint =
            try (try? resolver.endpoint(.sts, region: stsRegion, options: options))
            ?? ServiceEndpoint(.sts, region: stsRegion, fips: false, dualStack: false)
        return resolver.clocks.clock(of: endpoint.url)
    }
}
