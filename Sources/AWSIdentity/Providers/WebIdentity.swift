internal import Content
internal import FoundationEssentials
internal import Wire

/// A role that is assumed with another issuer's token, which EKS gives to service accounts.
///
/// - Source: docs/facts/identity.md#web-identity
struct WebIdentity: Sendable {
    let tokenFile: String
    let role: STSClient.AssumeRole
    /// Where the role is configured, for errors.
    let place: String
    let environment: AWSEnvironment

    /// The lengths of tokens that STS accepts, in bytes.
    private static let tokenLengths = 4...20_000

    /// Reads the token and assumes the role.
    ///
    /// - Parameter client: A client, which needs no credentials.
    /// - Throws: ``IdentityError``, `CancellationError`.
    func credentials(_ client: STSClient) async throws -> AWSCredentials {
        // The file is read each time, because the token is replaced while the program runs.
        guard let text = try environment.text(ofFile: tokenFile, limit: Self.tokenLengths.upperBound + 2) else {
            throw IdentityError(
                "the web identity token \(tokenFile) does not exist",
                tried: [place],
                remedy: "check that the service account is bound to a role and that its token is mounted"
            )
        }
        let token = String(trimmed(text))
        guard Self.tokenLengths.contains(token.utf8.count) else {
            throw IdentityError(
                "the web identity token \(tokenFile) has \(token.utf8.count) bytes",
                tried: [place],
                remedy: "write a token of 4 to 20,000 bytes to the file"
            )
        }
        do {
            return try await client.assumeRoleWithWebIdentity(role, token: token)
        } catch let error as STSError {
            throw IdentityError(
                "the role \(role.roleARN) could not be assumed with \(tokenFile): \(error.code): \(error.message)",
                tried: [place],
                remedy: Self.remedy(error),
                requestID: error.requestID,
                isPassing: error.retryAdvice != .never
            )
        } catch let error as WireError {
            throw IdentityError(unreachable: role.roleARN, error, place)
        }
    }

    private static func remedy(_ error: STSError) -> String {
        switch error.code {
        case "AccessDenied", "AccessDeniedException":
            "allow this identity provider, with the token's subject and audience, in the role's trust policy"
        case "ExpiredTokenException", "ExpiredToken": "check why the token in the file is no longer renewed"
        case "InvalidIdentityToken", "IDPRejectedClaim":
            "check that the identity provider is registered in the role's account, with the token's issuer and audience"
        case "RegionDisabledException": "enable STS for that region in the account's settings"
        default: error.usualRemedy
        }
    }
}
