internal import FoundationEssentials
internal import Wire

/// A role that is taken with another issuer's token, as EKS gives to service accounts.
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

    /// - Parameter client: A client, which needs no credentials.
    /// - Throws: ``IdentityError``, `CancellationError`.
    func credentials(_ client: STSClient) async throws -> AWSCredentials {
        // The file is read each time, because the token is replaced while the program runs.
        guard let text = try environment.text(ofFile: tokenFile, limit: Self.tokenLengths.upperBound + 2) else {
            throw IdentityError(
                "the web identity token \(tokenFile) is not there",
                tried: [place],
                remedy: "see whether the service account is bound to a role, and its token mounted"
            )
        }
        let token = String(trimmed(text))
        guard Self.tokenLengths.contains(token.utf8.count) else {
            throw IdentityError(
                "the web identity token \(tokenFile) has \(token.utf8.count) bytes",
                tried: [place],
                remedy: "let the file hold a token of 4 to 20,000 bytes"
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
            "let the role's trust policy admit this identity provider, with the token's subject and audience"
        case "ExpiredTokenException", "ExpiredToken": "see why the token in the file isn't renewed any more"
        case "InvalidIdentityToken", "IDPRejectedClaim":
            "see whether the identity provider is registered in the role's account, with the token's issuer and audience"
        case "RegionDisabledException": "enable STS for that region in the account's settings"
        default: error.retryAdvice == .never ? "correct what STS names" : "run again: STS is not well at the moment"
        }
    }
}
