internal import FoundationEssentials
internal import Platform

/// Emulates the services that give a client its first keys: Identity Center, the credentials endpoint of a container, and
/// the metadata service of an instance.
///
/// They open sessions of roles as AssumeRole does: ECR accepts the keys, policies apply, and the keys expire.
///
/// - Source: docs/facts/identity.md#order
struct CredentialServices: Sendable {
    let aws: EmulatedAWS
    let route: IdentityRoute

    func answer(_ exchange: Exchange) async throws -> Answer {
        let body = try await exchange.message()
        var answer: Answer
        do {
            answer = try perform(exchange, body)
        } catch let fault as ServiceFault {
            answer = self.answer(fault)
        }
        answer.bytesIn = Int64(body.count)
        return answer
    }

    private func perform(_ exchange: Exchange, _ body: [UInt8]) throws -> Answer {
        let isRead = exchange.method == (route == .metadataToken ? "PUT" : route == .createToken ? "POST" : "GET")
        guard isRead else { throw ServiceFault("MethodNotAllowed", "Method Not Allowed", status: 405) }
        return switch route {
        case .roleCredentials: try roleCredentials(exchange)
        case .createToken: try createToken(body)
        case .container: try containerCredentials(exchange)
        case .metadataToken: try metadataToken(exchange)
        case .metadataRole: try metadataRole(exchange)
        case .metadataCredentials(let role): try metadataCredentials(exchange, role)
        case .metadata: throw Self.notFound
        }
    }

    /// Answers a fault in the format of the addressed service.
    func answer(_ fault: ServiceFault) -> Answer {
        var answer = Answer(status: fault.status, errorCode: fault.code)
        switch route {
        case .roleCredentials:
            answer.body = .bytes(JSON.members(["message": .text(fault.message), "__type": .text(fault.code)]).bytes)
        case .createToken:
            let error = JSON.members([
                "error": .text(Self.oauthName(fault.code)), "error_description": .text(fault.message),
            ])
            answer.body = .bytes(error.bytes)
        case .container:
            answer.body = .bytes(JSON.members(["code": .text(fault.code), "message": .text(fault.message)]).bytes)
        case .metadataToken, .metadataRole, .metadataCredentials, .metadata:
            answer.headers = [("Content-Type", "text/html")]
            answer.body = .bytes(Array("<html><body>\(fault.status) - \(fault.message)</body></html>".utf8))
            return answer
        }
        answer.headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", fault.code)]
        if let seconds = fault.retryAfter { answer.headers.append(("Retry-After", "\(seconds)")) }
        return answer
    }

    /// Converts a code to its OAuth name: `InvalidGrantException` becomes `invalid_grant`.
    private static func oauthName(_ code: String) -> String {
        let name = code.hasSuffix("Exception") ? String(code.dropLast("Exception".count)) : code
        return name.reduce(into: "") { words, letter in
            if letter.isUppercase, !words.isEmpty { words += "_" }
            words += letter.lowercased()
        }
    }

    static let notFound = ServiceFault("NotFound", "Not Found", status: 404)

    /// Opens a session of a role for the client of one of these services.
    func openSession(of arn: String, named name: String, for seconds: Double) throws -> (String, Identities.Session) {
        guard let role = RoleName(arn: arn) else { throw Self.notFound }
        let now = aws.now
        return aws.state.withLock { $0.identities.openSession(of: role, named: name, for: seconds, now: now) }
    }

    func json(_ json: JSON, of session: Identities.Session? = nil) -> Answer {
        var answer = Answer(
            status: 200,
            headers: [("Content-Type", "application/json")],
            body: .bytes(json.bytes)
        )
        answer.key = session.map {
            RegistryKey(account: $0.principal.account, region: aws.configuration.homeRegion)
        }
        return answer
    }
}

extension CredentialServices {
    /// - Throws: `400` without the configured token, `403` for a wrong one.
    fileprivate func containerCredentials(_ exchange: Exchange) throws -> Answer {
        guard let container = aws.configuration.container else { throw Self.notFound }
        if let expected = container.authorization {
            guard let given = exchange.headers["authorization"], !given.isEmpty else {
                throw ServiceFault("InvalidRequestException", "Service account token cannot be empty")
            }
            guard given == expected else {
                throw ServiceFault("AccessDeniedException", "Unauthorized Exception", status: 403)
            }
        }
        let (id, session) = try openSession(of: container.roleARN, named: "container", for: container.sessionLifetime)
        return json(
            .members([
                "AccessKeyId": .text(id), "SecretAccessKey": .text(session.secret), "Token": .text(session.token),
                "Expiration": .text(Instant.extended(session.expires)),
                "AccountId": .text(session.principal.account), "RoleArn": .text(container.roleARN),
            ]),
            of: session
        )
    }
}
