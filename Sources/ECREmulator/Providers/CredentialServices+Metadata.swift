internal import FoundationEssentials
internal import Platform

/// A session token of the metadata service's second version.
struct MetadataToken: Expiring {
    var expires: Date
}

extension CredentialServices {
    /// The valid lifetimes of a token, in seconds.
    private static let tokenLifetimes = 1...21_600

    private func service() throws(ServiceFault) -> EmulatorConfiguration.InstanceMetadata {
        guard let service = aws.configuration.metadata else { throw Self.notFound }
        return service
    }

    /// - Throws: `400` without a lifetime; the configured status where the second version is off.
    func metadataToken(_ exchange: Exchange) throws -> Answer {
        if case .onlyFirst(let status) = try service().versions {
            throw ServiceFault("\(status)", OutgoingResponse.phrase(status), status: status)
        }
        guard let seconds = exchange.headers["x-aws-ec2-metadata-token-ttl-seconds"].flatMap({ Int($0) }),
            Self.tokenLifetimes.contains(seconds)
        else { throw ServiceFault("BadRequest", "Bad Request") }
        let now = aws.now
        let token = RandomText.mixed(54) + "=="
        aws.state.withLock {
            $0.metadataTokens.insert(.init(expires: now.addingTimeInterval(Double(seconds))), for: token, at: now)
        }
        return Answer(
            status: 200,
            headers: [("Content-Type", "text/plain"), ("x-aws-ec2-metadata-token-ttl-seconds", "\(seconds)")],
            body: .bytes(Array(token.utf8))
        )
    }

    /// Answers the name of the instance's role.
    ///
    /// - Throws: `401` without a valid token, `404` without a role.
    func metadataRole(_ exchange: Exchange) throws -> Answer {
        let role = try role(exchange)
        return Answer(status: 200, headers: [("Content-Type", "text/plain")], body: .bytes(Array(role.name.utf8)))
    }

    func metadataCredentials(_ exchange: Exchange, _ name: String) throws -> Answer {
        let role = try role(exchange)
        guard role.name == name else { throw Self.notFound }
        let (id, session) = try openSession(of: role.arn, named: "i-0123456789abcdef0", for: service().sessionLifetime)
        return json(
            .members([
                "Code": "Success", "LastUpdated": .text(Instant.extended(aws.now)), "Type": "AWS-HMAC",
                "AccessKeyId": .text(id), "SecretAccessKey": .text(session.secret), "Token": .text(session.token),
                "Expiration": .text(Instant.extended(session.expires)),
            ]),
            of: session
        )
    }

    private func role(_ exchange: Exchange) throws -> RoleName {
        let service = try service()
        let now = aws.now
        if let token = exchange.headers["x-aws-ec2-metadata-token"] {
            let isGood = aws.state.withLock { $0.metadataTokens[token].map { $0.expires > now } ?? false }
            guard isGood else { throw ServiceFault("Unauthorized", "Unauthorized", status: 401) }
        } else if service.versions == .onlySecond {
            throw ServiceFault("Unauthorized", "Unauthorized", status: 401)
        }
        guard let role = service.roleARN.flatMap({ RoleName(arn: $0) }) else { throw Self.notFound }
        return role
    }
}
