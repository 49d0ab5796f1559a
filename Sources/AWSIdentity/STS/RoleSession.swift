internal import Content
internal import FoundationEssentials
internal import Wire

extension CredentialsChain {
    /// Returns the name of a role session: flag, profile, or `ecr-replicate-USER`, which an auditor can search for.
    func sessionName(_ configured: String?) throws -> String {
        if let name = options.sessionName ?? configured { return name }
        let environment = resolver.environment
        let user = (environment["USER"] ?? environment["LOGNAME"] ?? "").unicodeScalars
            .map { STSClient.AssumeRole.sessionCharacters.contains($0) ? String($0) : "-" }
            .joined()
        let suffix = user.isEmpty ? String(Int(context.clocks.localNow().timeIntervalSince1970)) : user
        return String("ecr-replicate-\(suffix)".prefix(STSClient.AssumeRole.sessionNameLengths.upperBound))
    }
}

extension STSClient.AssumeRole {
    static let sessionNameLengths = 2...64
    static let externalIDLengths = 2...1_224
    /// - Source: STS API Reference, AssumeRole, `RoleArn`
    static let roleARNLengths = 20...2_048
    static let durations = 900...43_200
    static let sessionCharacters = Set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-".unicodeScalars
    )

    /// Checks the parameters before anything is sent.
    ///
    /// - Throws: ``IdentityError``
    /// - Source: docs/facts/identity.md#sts
    func check(named place: String) throws {
        if let wrong = RoleARNText(roleARN) {
            throw IdentityError(
                "'\(quotable(roleARN, upTo: 100))', from \(place), is not the ARN of a role: \(wrong.problem)",
                remedy: wrong.remedy
            )
        }
        guard Self.roleARNLengths.contains(roleARN.utf8.count) else {
            throw IdentityError(
                "the ARN of a role, from \(place), has \(roleARN.utf8.count) characters",
                remedy: "write it as arn:aws:iam::ACCOUNT:role/NAME"
            )
        }
        guard Self.sessionNameLengths.contains(sessionName.utf8.count),
            sessionName.unicodeScalars.allSatisfy(Self.sessionCharacters.contains)
        else {
            throw IdentityError(
                "'\(quotable(sessionName, upTo: 100))' is not a session name",
                tried: [place],
                remedy: "use 2 to 64 letters, digits and _ + = , . @ -"
            )
        }
        // The external id is a kind of password, so the text doesn't quote it.
        if let externalID, !Self.externalIDLengths.contains(externalID.utf8.count) {
            throw IdentityError(
                "the external id for \(roleARN) has \(externalID.utf8.count) characters",
                tried: [place],
                remedy: "use 2 to 1,224 characters"
            )
        }
        if let duration, !Self.durations.contains(duration) {
            throw IdentityError(
                "duration_seconds = \(duration) for \(roleARN) is out of range",
                tried: [place],
                remedy: "use 900 to 43,200 seconds"
            )
        }
    }
}

extension STSClient {
    /// Assumes a role, and explains a failure.
    func assume(
        _ request: AssumeRole,
        with base: any CredentialsProviding,
        named place: String
    ) async throws -> AWSCredentials {
        do {
            return try await assumeRole(request)
        } catch let error as STSError {
            throw IdentityError(
                "the role \(request.roleARN) could not be assumed: \(error.code): \(error.message)",
                // The signing credentials may need a renewal, which may fail; STS's message matters more.
                tried: [
                    "\(place), with \((try? await base.credentials()).map { "\($0)" } ?? "expired credentials")"
                ],
                remedy: error.remedy,
                requestID: error.requestID,
                refusal: error.retryAdvice != .never
                    ? nil
                    : RoleRefusal(
                        roleARN: request.roleARN,
                        sentExternalID: request.externalID != nil,
                        sentMFA: request.serialNumber != nil,
                        code: error.code,
                        message: error.message,
                        pairingAdvice: error.pairingAdvice
                    ),
                isPassing: error.retryAdvice != .never
            )
        } catch let error as WireError {
            throw IdentityError(unreachable: request.roleARN, error, place)
        }
    }
}

extension STSError {
    fileprivate var remedy: String {
        switch code {
        case "AccessDenied", "AccessDeniedException":
            "allow sts:AssumeRole for those credentials, and allow them in the role's trust policy; check its external id"
        case "ExpiredToken", "ExpiredTokenException": "get new credentials: the ones that assume the role have expired"
        case "InvalidClientTokenId", "UnrecognizedClientException":
            "check the access key id: AWS doesn't know it, or it belongs to another partition (aws, aws-cn, aws-us-gov)"
        case "SignatureDoesNotMatch", "InvalidSignatureException":
            "check the secret access key and this machine's clock"
        case "RegionDisabledException": "enable STS for that region in the account's settings"
        default: usualRemedy
        }
    }

    /// The remedy for a code that says nothing more.
    var usualRemedy: String {
        retryAdvice == .never ? "correct the request as STS says" : "run again: STS is throttling or failing"
    }
}

extension IdentityError {
    init(unreachable role: String, _ error: WireError, _ place: String) {
        self.init(
            "the role \(role) could not be assumed: \(error)",
            tried: [place],
            remedy: "check that this machine reaches STS, or name another endpoint in AWS_ENDPOINT_URL_STS",
            failure: error
        )
    }
}

/// STS's refusal to let a role be assumed, for code that explains it.
public struct RoleRefusal: Sendable, Equatable {
    public let roleARN: String
    /// Whether an external id was sent; its value is a kind of password and isn't kept.
    public let sentExternalID: Bool
    /// Whether an MFA code was sent.
    public let sentMFA: Bool
    /// The error's code, for example `AccessDenied`.
    public let code: String
    /// STS's own message.
    public let message: String
    /// The advice for signing keys whose form shows that they don't belong together.
    package let pairingAdvice: String?

    /// Whether STS refused the MFA code, as wrong or already used, and named no other cause.
    ///
    /// - Source: docs/facts/identity.md#sts
    var refusesCode: Bool {
        sentMFA && code == "AccessDenied"
            && message.contains("MultiFactorAuthentication failed with invalid MFA one time pass code")
    }

    public init(roleARN: String, sentExternalID: Bool, sentMFA: Bool, code: String, message: String) {
        self.init(
            roleARN: roleARN,
            sentExternalID: sentExternalID,
            sentMFA: sentMFA,
            code: code,
            message: message,
            pairingAdvice: nil
        )
    }

    init(
        roleARN: String,
        sentExternalID: Bool,
        sentMFA: Bool,
        code: String,
        message: String,
        pairingAdvice: String?
    ) {
        (self.roleARN, self.sentExternalID, self.sentMFA) = (roleARN, sentExternalID, sentMFA)
        (self.code, self.message, self.pairingAdvice) = (code, message, pairingAdvice)
    }
}
