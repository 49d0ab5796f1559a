internal import Content
internal import FoundationEssentials
internal import Platform
internal import Wire

/// Roles that are assumed with other credentials or with a token.
extension CredentialsChain {
    /// Returns the provider of the role that a profile names.
    ///
    /// - Parameter visited: The profiles whose `source_profile` led here, first to last.
    func assumedByProfile(
        _ profile: SharedConfig.Profile,
        visited: [String]
    ) throws -> any CredentialsProviding {
        let request = STSClient.AssumeRole(
            roleARN: profile["role_arn"] ?? "",
            sessionName: try sessionName(profile["role_session_name"]),
            externalID: profile["external_id"],
            // A value that isn't a number is ignored, as in the AWS CLI.
            duration: profile["duration_seconds"].flatMap { Int($0) },
            serialNumber: profile["mfa_serial"]
        )
        let place = profile.place(of: "role_arn")
        let visited = visited + [profile.name]
        let base =
            switch try resolver.config().source(of: profile, visited: visited) {
            case .profile(let source): try sourceCredentials(source, of: profile, visited: visited)
            case .machine(let source): try sourceCredentials(from: source, of: profile)
            }
        return try assumed(request, with: base, named: "profile '\(profile.name)' (\(place))")
    }

    private func sourceCredentials(
        _ source: SharedConfig.Profile,
        of profile: SharedConfig.Profile,
        visited: [String]
    ) throws -> any CredentialsProviding {
        guard let found = try fromProfile(source, visited: visited) else {
            throw IdentityError(
                "profile '\(source.name)', the source of '\(profile.name)', has no credentials",
                tried: [profile.place(of: "source_profile")],
                remedy: "give it keys with `aws configure --profile \(source.name)`"
            )
        }
        return found
    }

    private func sourceCredentials(
        from source: String,
        of profile: SharedConfig.Profile
    ) throws -> any CredentialsProviding {
        let place = profile.place(of: "credential_source")
        @Sendable func noKeys(_ source: String, _ tried: String, _ remedy: String? = nil) -> IdentityError {
            IdentityError(
                "profile '\(profile.name)' takes its keys from \(source), which has none",
                tried: [place, tried],
                remedy: remedy ?? "provide keys there, or name a source_profile"
            )
        }
        switch source {
        case "Environment":
            guard let keys = try environmentKeys() else {
                throw noKeys("the environment", "environment (AWS_ACCESS_KEY_ID is not set)")
            }
            return try fixed(keys)
        case "EcsContainer":
            guard let container = try containerCredentials() else {
                throw noKeys("the container", "\(ContainerCredentials.relativeVariable) is not set")
            }
            return container
        case "Ec2InstanceMetadata":
            guard !resolver.environment.isTrue(InstanceMetadata.disabledVariable) else {
                throw noKeys("the instance", "\(InstanceMetadata.disabledVariable) is true")
            }
            return try instanceCredentials(profile) {
                noKeys("the instance", "instance metadata (\($0.problem))", $0.remedy)
            }
        default:
            throw IdentityError(
                "'\(quotable(source, upTo: 40))' is not a credential_source",
                tried: [place],
                remedy: "use Environment, EcsContainer or Ec2InstanceMetadata"
            )
        }
    }

    /// Returns a client of STS in the side's region.
    func client(_ base: any CredentialsProviding) throws -> STSClient {
        STSClient(
            endpoint: try resolver.endpoint(.sts, region: stsRegion, options: options).url,
            region: stsRegion,
            credentials: base,
            sender: context.sender,
            retry: context.retry,
            clocks: resolver.clocks
        )
    }

    /// Returns the provider of a role's sessions.
    ///
    /// - Parameter place: The place that names the role, for errors.
    func assumed(
        _ request: STSClient.AssumeRole,
        with base: any CredentialsProviding,
        named place: String
    ) throws -> any CredentialsProviding {
        try request.check(named: place)
        try checkPartition(of: request, named: place)
        let client = try client(base)
        guard let serial = request.serialNumber else {
            return refreshing(by: client.clock) { try await client.assume(request, with: base, named: place) }
        }
        // A code works once, and its session is valid in every region.
        return shared(.secondFactor, profile: "\(place) \(request.roleARN)") {
            assumedWithCode(request, with: base, client, serial, place)
        }
    }

    /// Refuses a role of another partition than the STS endpoint's: keys are never valid in both.
    private func checkPartition(of request: STSClient.AssumeRole, named place: String) throws {
        let ours = Partition(region: stsRegion)
        guard let role = ARN(request.roleARN), let theirs = Partition(rawValue: role.partition), theirs != ours else {
            return
        }
        throw IdentityError(
            "the role \(request.roleARN), from \(place), is in partition \(theirs.rawValue), but \(stsRegion) is in "
                + ours.rawValue,
            remedy: "name a role of \(ours.rawValue): keys of one partition are not valid in another"
        )
    }

    /// Returns the provider of a session that is opened once, with an MFA code from the user.
    private func assumedWithCode(
        _ request: STSClient.AssumeRole,
        with base: any CredentialsProviding,
        _ client: STSClient,
        _ serial: String,
        _ place: String
    ) -> any CredentialsProviding {
        let wasAnswered = Lock(false)
        let context = context
        return refreshing(by: client.clock, renews: false) {
            guard !wasAnswered.withLock({ $0 }) else {
                throw IdentityError(
                    "the session of the role \(request.roleARN) has ended, or its code was refused; a run opens one session",
                    tried: [place],
                    remedy: "run again, with a longer duration_seconds if the run takes longer than the session"
                )
            }
            var request = request
            request.tokenCode = try await context.code(of: serial, for: request.roleARN, place)
            wasAnswered.withLock { $0 = true }
            for _ in 1..<Self.mostCodes {
                do {
                    return try await client.assume(request, with: base, named: place)
                } catch let error as IdentityError where error.refusal?.refusesCode == true {
                    // A wrong code does no harm, and the user is still at the terminal. STS gives the same answer to a
                    // code that was used before, for example for the other side's role.
                    request.tokenCode = try await context.code(
                        of: serial,
                        for: request.roleARN,
                        place,
                        preface: "STS refused that code. A code can be used once; wait for the next.\n"
                    )
                }
            }
            return try await client.assume(request, with: base, named: place)
        }
    }

    /// How often the user is asked for a code before STS's refusal is final.
    private static let mostCodes = 3

    /// Returns the provider of a role that is assumed with a web identity token.
    ///
    /// - Parameter usesEnvironment: Whether to read the variables that EKS sets; each wins over the profile's key.
    /// - Returns: `nil` if no token is configured.
    func fromWebIdentity(
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
                "a web identity token is configured, but no role to assume with it",
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
        // The request is unsigned, so the keys aren't used.
        let unused = StaticCredentials(AWSCredentials(accessKeyID: "", secretAccessKey: "", source: "none"))
        let client = try client(unused)
        return refreshing(by: client.clock) { try await identity.credentials(client) }
    }
}
