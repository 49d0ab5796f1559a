internal import FoundationEssentials
internal import Wire

/// The search for one side's credentials.
///
/// - Source: facts/ecr.md E.2
struct CredentialsChain {
    let resolver: IdentityResolver
    let options: IdentityOptions
    let stsRegion: String

    /// What works today, for errors about what doesn't.
    static let whatWorks =
        "use AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (`aws configure export-credentials --format env` prints "
        + "them), or a profile with static keys or role_arn"

    func provider() throws -> any CredentialsProviding {
        let base = try options.profile == nil ? defaultChain() : namedProfile()
        guard let role = options.roleARN else { return base }
        return try assumed(
            STSClient.AssumeRole(roleARN: role, sessionName: try sessionName(nil), externalID: options.externalID),
            with: base,
            named: "the role flag"
        )
    }

    private func namedProfile() throws -> any CredentialsProviding {
        guard let profile = try resolver.profile(options) else { return try nothing([]) }
        return try fromProfile(profile) ?? nothing(["profile \(profile.name)"])
    }

    private func defaultChain() throws -> any CredentialsProviding {
        let environment = resolver.environment
        if let keys = try environmentKeys() { return StaticCredentials(keys) }
        var tried = ["environment (AWS_ACCESS_KEY_ID is not set)"]

        let profile = try resolver.profile(options)
        let assumesRole = profile?["role_arn"] != nil && profile?["web_identity_token_file"] == nil
        if !assumesRole, environment["AWS_WEB_IDENTITY_TOKEN_FILE"] != nil, environment["AWS_ROLE_ARN"] != nil {
            throw unsupported("AWS_WEB_IDENTITY_TOKEN_FILE", in: "the environment")
        }
        if let profile, let found = try fromProfile(profile) { return found }
        let config = try resolver.config()
        tried.append(
            profile.map { "profile \($0.name) (it has no credentials)" }
                ?? "profile default (not in \(config.configPath) or \(config.credentialsPath))"
        )
        for name in ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"]
        where environment[name] != nil {
            throw unsupported(name, in: "the environment")
        }
        return try nothing(tried)
    }

    private func nothing(_ tried: [String]) throws -> any CredentialsProviding {
        throw IdentityError(
            "there are no AWS credentials",
            tried: tried,
            remedy: Self.whatWorks + "; the instance metadata service is not asked yet"
        )
    }

    private func environmentKeys() throws -> AWSCredentials? {
        let environment = resolver.environment
        guard let id = environment["AWS_ACCESS_KEY_ID"] else { return nil }
        guard let secret = environment["AWS_SECRET_ACCESS_KEY"] else {
            throw IdentityError(
                "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not",
                tried: ["environment"],
                remedy: "set both, or neither"
            )
        }
        return AWSCredentials(
            accessKeyID: id,
            secretAccessKey: secret,
            sessionToken: environment["AWS_SECURITY_TOKEN"] ?? environment["AWS_SESSION_TOKEN"],
            expiration: environment["AWS_CREDENTIAL_EXPIRATION"].flatMap(AWSTime.parse),
            accountID: environment["AWS_ACCOUNT_ID"],
            source: "environment"
        )
    }

    /// - Parameters:
    ///   - visited: The profiles whose `source_profile` led here, first to last.
    /// - Returns: `nil` when the profile says nothing about credentials.
    private func fromProfile(
        _ profile: SharedConfig.Profile,
        visited: [String] = []
    ) throws -> (any CredentialsProviding)? {
        // A profile that another one starts from gives its own keys, even when it has a role too.
        if !visited.isEmpty, profile.hasStaticKeys { return StaticCredentials(try staticKeys(profile)) }
        for key in ["web_identity_token_file", "sso_session", "sso_account_id", "sso_start_url", "login_session"]
        where profile[key] != nil {
            throw unsupported(key, in: titled(profile, key))
        }
        if profile["role_arn"] != nil { return try assumedByProfile(profile, visited: visited) }
        if profile.hasStaticKeys { return StaticCredentials(try staticKeys(profile)) }
        if profile["credential_process"] != nil {
            throw unsupported("credential_process", in: titled(profile, "credential_process"))
        }
        return nil
    }

    private func staticKeys(_ profile: SharedConfig.Profile) throws -> AWSCredentials {
        guard let id = profile["aws_access_key_id"], let secret = profile["aws_secret_access_key"] else {
            throw IdentityError(
                "profile '\(profile.name)' has aws_access_key_id and no aws_secret_access_key",
                tried: [place(profile, "aws_access_key_id")],
                remedy: "set both with `aws configure --profile \(profile.name)`"
            )
        }
        return AWSCredentials(
            accessKeyID: id,
            secretAccessKey: secret,
            sessionToken: profile["aws_security_token"] ?? profile["aws_session_token"],
            accountID: profile["aws_account_id"],
            source: "profile \(profile.name)"
        )
    }

    private func assumedByProfile(
        _ profile: SharedConfig.Profile,
        visited: [String]
    ) throws -> any CredentialsProviding {
        let role = profile["role_arn"] ?? ""
        if profile["mfa_serial"] != nil { throw unsupported("mfa_serial", in: titled(profile, "mfa_serial")) }
        let request = STSClient.AssumeRole(
            roleARN: role,
            sessionName: try sessionName(profile["role_session_name"]),
            externalID: profile["external_id"],
            // As the AWS CLI does: what isn't a number is no duration.
            duration: profile["duration_seconds"].flatMap { Int($0) }
        )
        let base: any CredentialsProviding
        switch (profile["source_profile"], profile["credential_source"]) {
        case (let name?, nil):
            base = try sourceCredentials(name, of: profile, visited: visited + [profile.name])
        case (nil, let source?):
            guard source == "Environment" else {
                throw unsupported("credential_source = \(source)", in: titled(profile, "credential_source"))
            }
            guard let keys = try environmentKeys() else {
                throw IdentityError(
                    "profile '\(profile.name)' takes its keys from the environment, and there are none",
                    tried: ["environment (AWS_ACCESS_KEY_ID is not set)"],
                    remedy: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a source_profile"
                )
            }
            base = StaticCredentials(keys)
        case (nil, nil), (_?, _?):
            throw IdentityError(
                "profile '\(profile.name)' has role_arn and needs exactly one of source_profile and credential_source",
                tried: [place(profile, "role_arn")],
                remedy: "name the profile whose keys assume the role, as source_profile"
            )
        }
        return try assumed(request, with: base, named: "profile '\(profile.name)' (\(place(profile, "role_arn")))")
    }

    private func sourceCredentials(
        _ name: String,
        of profile: SharedConfig.Profile,
        visited: [String]
    ) throws -> any CredentialsProviding {
        let source = try resolver.config().profile(name, namedBy: place(profile, "source_profile"))
        let namesItself = name == profile.name && source.hasStaticKeys
        guard namesItself || !visited.contains(name) else {
            throw IdentityError(
                "the profiles \((visited + [name]).joined(separator: " → ")) lead back to where they began",
                tried: [place(profile, "source_profile")],
                remedy: "let the last of them name a profile with keys"
            )
        }
        guard let found = try fromProfile(source, visited: visited) else {
            throw IdentityError(
                "profile '\(name)', the source of '\(profile.name)', has no credentials",
                tried: [place(profile, "source_profile")],
                remedy: "give it keys with `aws configure --profile \(name)`"
            )
        }
        return found
    }

    private func assumed(
        _ request: STSClient.AssumeRole,
        with base: any CredentialsProviding,
        named place: String
    ) throws -> any CredentialsProviding {
        try request.check(named: place)
        let endpoint = try resolver.endpoint(.sts, region: stsRegion, options: options)
        let client = STSClient(
            endpoint: endpoint.url,
            region: stsRegion,
            credentials: base,
            sender: resolver.sender,
            retry: resolver.retry,
            clock: resolver.clock
        )
        return RefreshingCredentials(logger: resolver.logger, now: resolver.now) {
            try await client.assume(request, with: base, named: place)
        }
    }

    private func place(_ profile: SharedConfig.Profile, _ key: String) -> String {
        profile.places[key] ?? "profile \(profile.name)"
    }

    private func titled(_ profile: SharedConfig.Profile, _ key: String) -> String {
        "profile '\(profile.name)', \(place(profile, key))"
    }

    private func unsupported(_ setting: String, in place: String) -> IdentityError {
        IdentityError(
            "\(setting) (\(place)) is not supported yet",
            remedy: Self.whatWorks
        )
    }
}
