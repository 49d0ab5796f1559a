internal import Content
internal import FoundationEssentials
internal import Platform
internal import Wire

/// Roles that are assumed with other credentials.
extension CredentialsChain {
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
        @Sendable func nothing(_ problem: String, _ tried: String, _ remedy: String? = nil) -> IdentityError {
            IdentityError(
                "profile '\(profile.name)' takes its keys from \(problem), and there are none",
                tried: [place, tried],
                remedy: remedy ?? "provide them, or name a source_profile"
            )
        }
        switch source {
        case "Environment":
            guard let keys = try environmentKeys() else {
                throw nothing("the environment", "environment (AWS_ACCESS_KEY_ID is not set)")
            }
            return try lasting(keys)
        case "EcsContainer":
            guard let container = try containerCredentials() else {
                throw nothing("the container", "\(ContainerCredentials.relativeVariable) is not set")
            }
            return container
        case "Ec2InstanceMetadata":
            guard !resolver.environment.says(InstanceMetadata.disabledVariable) else {
                throw nothing("the instance", "\(InstanceMetadata.disabledVariable) is true")
            }
            return try instanceCredentials(profile) {
                nothing("the instance", "instance metadata (\($0.words))", $0.remedy)
            }
        default:
            throw IdentityError(
                "'\(quotable(source, upTo: 40))' is not a credential_source",
                tried: [place],
                remedy: "use Environment, EcsContainer or Ec2InstanceMetadata"
            )
        }
    }

    func client(_ base: any CredentialsProviding) throws -> STSClient {
        STSClient(
            endpoint: try resolver.endpoint(.sts, region: stsRegion, options: options).url,
            region: stsRegion,
            credentials: base,
            sender: surroundings.sender,
            retry: surroundings.retry,
            clocks: resolver.clocks
        )
    }

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
            attended(request, with: base, client, serial, place)
        }
    }

    /// Refuses a role from another partition than that of the STS endpoint: keys are never valid in both.
    func checkPartition(of request: STSClient.AssumeRole, named place: String) throws {
        let ours = Partition(region: stsRegion)
        guard let role = ARN(request.roleARN), let theirs = Partition(rawValue: role.partition), theirs != ours else {
            return
        }
        throw IdentityError(
            "the role \(request.roleARN), from \(place), is of partition \(theirs.rawValue), and \(stsRegion) is in "
                + ours.rawValue,
            remedy: "name a role of \(ours.rawValue): keys of one partition aren't known in another"
        )
    }

    /// Returns a session that is opened once, with a person's MFA code.
    private func attended(
        _ request: STSClient.AssumeRole,
        with base: any CredentialsProviding,
        _ client: STSClient,
        _ serial: String,
        _ place: String
    ) -> any CredentialsProviding {
        let answered = Lock(false)
        let surroundings = surroundings
        return refreshing(by: client.clock, renews: false) {
            guard !answered.withLock({ $0 }) else {
                throw IdentityError(
                    "the session of the role \(request.roleARN) is over, or its code was refused, and a code is asked for once",
                    tried: [place],
                    remedy: "run again, with a longer duration_seconds if the run takes longer than the session"
                )
            }
            var request = request
            request.tokenCode = try await surroundings.code(of: serial, for: request.roleARN, place)
            answered.withLock { $0 = true }
            for _ in 1..<Self.questions {
                do {
                    return try await client.assume(request, with: base, named: place)
                } catch let error as IdentityError where error.refusal?.isOfCode == true {
                    // A wrong code costs nothing, and the person is still at the terminal. STS gives the same answer
                    // for a code that was used before, for example for the other side's role.
                    request.tokenCode = try await surroundings.code(
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

    /// How often a person is asked for a code before STS's refusal is final.
    private static let questions = 3
}
