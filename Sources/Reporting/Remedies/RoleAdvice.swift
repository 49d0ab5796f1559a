internal import AWSIdentity
internal import Content
internal import ECRAPI
internal import IAMPolicies
internal import Replicate

/// What to do if a role can't be assumed.
struct RoleAdvice {
    private let refusal: RoleRefusal
    private let host: ECRHost?

    init(_ refusal: RoleRefusal, host: ECRHost?) { (self.refusal, self.host) = (refusal, host) }

    var text: String? {
        guard !refusal.isAboutMFA else {
            return
                "run again with the device's current code, because each code can be used only once; if it is refused "
                + "again, check the device's clock and mfa_serial in the profile"
        }
        guard let denial = refusal.denial else {
            return CredentialAdvice(
                code: refusal.code,
                message: refusal.message,
                host: host,
                roleARN: refusal.roleARN,
                pairingAdvice: refusal.pairingAdvice
            ).text
        }
        let advice = DenialAdvice(
            denial,
            side: .source,
            at: nil,
            endpoint: .tokens,
            on: refusal.roleARN,
            conditions: conditions
        )
        guard denial.reason == .unstated, !denial.isExplicit else {
            return denial.reason == .resourcePolicy && !denial.isExplicit ? advice.text + handshake : advice.text
        }
        let caller = advice.principal
        let identity = PolicyStatement([denial.action], on: [refusal.roleARN])
        let role = Principal(arn: refusal.roleARN)?.words ?? "the role"
        var text =
            "one of two statements is missing, and AWS doesn't say which. Add this to an identity policy of "
            + "\(caller?.words ?? "the caller"):\n    \(identity.line)\n  or add this to the trust policy of \(role):"
        let (who, usual) = caller?.inPolicy ?? (.aws("ARN-OF-THE-CALLER"), [])
        text += "\n    \(PolicyStatement(principal: who, [denial.action], conditions: usual + conditions).line)"
        return text + (caller.map(DenialAdvice.pathHint) ?? "") + handshake
    }

    /// The conditions for a trust policy that goes on requiring the external id and the second factor that were sent.
    private var conditions: [PolicyStatement.Condition] {
        let id = PolicyStatement.Condition("StringEquals", "sts:ExternalId", "THE-EXTERNAL-ID-THAT-WAS-SENT")
        let factor = PolicyStatement.Condition("Bool", "aws:MultiFactorAuthPresent", "true")
        return (refusal.sentExternalID ? [id] : []) + (refusal.sentMFA ? [factor] : [])
    }

    /// What the trust policy requires besides; the external id is not shown, because it is a kind of password.
    private var handshake: String {
        let id =
            refusal.sentExternalID
            ? "\n    an external id was sent; if the trust policy requires sts:ExternalId, it must name that id"
            : "\n    no external id was sent; if the trust policy requires sts:ExternalId, pass it with --external-id"
        return refusal.sentMFA
            ? id
            : id
                + "\n    no MFA code was sent; if the trust policy requires aws:MultiFactorAuthPresent, set "
                + "mfa_serial in the profile instead: the statement above does not require one"
    }
}
