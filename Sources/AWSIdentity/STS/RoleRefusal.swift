/// That STS didn't give out a role, for whoever explains it.
public struct RoleRefusal: Sendable, Equatable {
    public let roleARN: String
    /// Whether one went along; which one stays here, for it is a kind of password.
    public let sentExternalID: Bool
    /// Whether a code of a second factor went along.
    public let sentMFA: Bool
    /// STS's name for it, for example `AccessDenied`.
    public let code: String
    /// In STS's words.
    public let message: String
    /// What to do, where the form of the keys that signed tells that they don't belong together.
    package let pairingAdvice: String?

    /// Whether the code of the second factor is wrong, or was used before, and nothing else is said to be.
    ///
    /// - Source: docs/facts/identity.md#sts
    var isOfCode: Bool {
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
