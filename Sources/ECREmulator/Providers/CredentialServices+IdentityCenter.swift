internal import FoundationEssentials
internal import Platform

extension CredentialServices {
    /// - Throws: `UnauthorizedException`, `ForbiddenException`, `InvalidRequestException`, `ResourceNotFoundException`
    func roleCredentials(_ exchange: Exchange) throws -> Answer {
        let center = aws.configuration.identityCenter
        let now = aws.now
        let given = exchange.headers["x-amz-sso_bearer_token"] ?? ""
        guard let signIn = aws.state.withLock({ $0.signIns.signIn(given, at: now) }) else {
            throw ServiceFault("UnauthorizedException", "Session token not found or invalid", status: 401)
        }
        guard let role = exchange.queryValue("role_name"), let account = exchange.queryValue("account_id") else {
            throw ServiceFault("InvalidRequestException", "role_name and account_id are required")
        }
        guard let owner = aws.configuration.accounts.first(where: { $0.id == account }) else {
            throw ServiceFault("ResourceNotFoundException", "Account not found", status: 404)
        }
        guard let assignment = center.assignments.first(where: { $0.account == account && $0.role == role }) else {
            throw ServiceFault("ForbiddenException", "No access", status: 403)
        }
        let arn = assignment.roleARN(in: owner.partition)
        let (id, session) = try openSession(of: arn, named: signIn.user, for: center.sessionLifetime)
        return json(
            .members([
                "roleCredentials": .members([
                    "accessKeyId": .text(id), "secretAccessKey": .text(session.secret),
                    "sessionToken": .text(session.token),
                    "expiration": .integer(Int64(session.expires.timeIntervalSince1970) * 1_000),
                ])
            ]),
            of: session
        )
    }

    private struct TokenRequest: Decodable {
        var clientId: String?
        var clientSecret: String?
        var grantType: String?
        var refreshToken: String?
    }

    /// Renews a sign-in.
    ///
    /// - Throws: `InvalidClientException`, `InvalidGrantException`, `UnsupportedGrantTypeException`,
    ///   `InvalidRequestException`
    func createToken(_ body: [UInt8]) throws -> Answer {
        guard let request = try? JSONDecoder().decode(TokenRequest.self, from: Data(body)) else {
            throw ServiceFault("InvalidRequestException", "Invalid request")
        }
        guard request.grantType == "refresh_token" else {
            throw ServiceFault("UnsupportedGrantTypeException", "Unsupported grant type")
        }
        let now = aws.now
        let lifetime = aws.configuration.identityCenter.tokenLifetime
        let renewed = try aws.state.withLock { state throws(ServiceFault) in
            try state.signIns.renew(
                request.refreshToken,
                clientID: request.clientId,
                clientSecret: request.clientSecret,
                for: lifetime,
                at: now
            )
        }
        return json(
            .members([
                "accessToken": .text(renewed.accessToken), "expiresIn": .integer(Int64(lifetime)),
                "refreshToken": renewed.refreshToken.map(JSON.text), "tokenType": "Bearer",
            ])
        )
    }
}
