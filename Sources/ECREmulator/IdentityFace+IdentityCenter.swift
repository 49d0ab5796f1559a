internal import FoundationEssentials
internal import Platform

extension IdentityFace {
    /// - Throws: `UnauthorizedException`, `ForbiddenException`, `InvalidRequestException`, `ResourceNotFoundException`
    func roleCredentials(_ exchange: Exchange) throws -> Answer {
        let center = aws.configuration.identityCenter
        let now = aws.now
        let given = exchange.headers["x-amz-sso_bearer_token"]
        guard aws.state.withLock({ $0.signIns.contains { $0.accessToken == given && $0.expires > now } }) else {
            throw ServiceFault("UnauthorizedException", "Session token not found or invalid", status: 401)
        }
        guard let role = exchange.queryValue("role_name"), let account = exchange.queryValue("account_id") else {
            throw ServiceFault("InvalidRequestException", "role_name and account_id are required")
        }
        guard let owner = aws.configuration.accounts.first(where: { $0.id == account }) else {
            throw ServiceFault("ResourceNotFoundException", "Account not found", status: 404)
        }
        guard center.assignments.contains(.init(account: account, role: role)) else {
            throw ServiceFault("ForbiddenException", "No access", status: 403)
        }
        let arn = "arn:\(owner.partition.rawValue):iam::\(account):role/\(role)"
        let (id, session) = try openSession(of: arn, named: "signed-in", for: center.sessionLifetime)
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

    /// Prolongs a sign-in; the old access token is good until it expires, the old refresh token is used up.
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
            guard
                state.signIns.contains(where: {
                    $0.clientID == request.clientId && $0.clientSecret == request.clientSecret
                })
            else { throw ServiceFault("InvalidClientException", "Invalid client") }
            guard let token = request.refreshToken,
                let index = state.signIns.firstIndex(where: {
                    $0.refreshToken == token && $0.clientID == request.clientId
                })
            else { throw ServiceFault("InvalidGrantException", "Invalid refresh token provided") }
            var renewed = state.signIns[index]
            renewed.accessToken = RandomText.mixed(400)
            renewed.refreshToken = RandomText.mixed(400)
            renewed.expires = now.addingTimeInterval(lifetime)
            state.signIns[index].refreshToken = nil
            state.signIns.append(renewed)
            return renewed
        }
        return json(
            .members([
                "accessToken": .text(renewed.accessToken), "expiresIn": .integer(Int64(lifetime)),
                "refreshToken": renewed.refreshToken.map(JSON.text), "tokenType": "Bearer",
            ])
        )
    }
}
