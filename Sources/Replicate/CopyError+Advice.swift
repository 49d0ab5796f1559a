internal import AWSIdentity
internal import Content
internal import Distribution
internal import ECRAPI
internal import Wire

extension CopyError {
    /// What to do next, where an error from below and the place it happened at tell more than its reason.
    static func advice(about error: any Error, side: Side, image: String, _ operation: String) -> String? {
        let place = ECRPlace(image: image)
        switch error {
        case let error as ECRError:
            if let denial = error.denial { return DenialAdvice(denial, side: side, at: place, face: .api).text }
            guard error.isAuthentication else { return nil }
            return CredentialAdvice(code: error.code.rawValue, message: error.message, region: place?.host.region).text
        case let error as RegistryError: return place.flatMap { advice(about: error, side: side, at: $0) }
        case let error as STSError:
            if let denial = error.denial { return DenialAdvice(denial, side: side, at: place, face: .tokens).text }
            return CredentialAdvice(code: error.code, message: error.message, region: place?.host.region).text
        case let error as IdentityError:
            if let failure = error.failure, failure.reason != .badURL {
                return NetworkAdvice(failure, side: side, operation: operation, at: place).text ?? error.remedy
            }
            if error.isPassing || error.failure != nil { return error.remedy }
            return error.refusal.flatMap { RoleAdvice($0, region: place?.host.region).text }
        case let error as WireError:
            return NetworkAdvice(error, side: side, operation: operation, at: place).text
        default: return nil
        }
    }

    /// ECR's registry says what its API says, in the words of a registry.
    private static func advice(about error: RegistryError, side: Side, at place: ECRPlace) -> String? {
        switch error.kind {
        case .denied:
            let denial = ECRError.Denial(sentence: error.message, action: iamAction(error.operation))
            return DenialAdvice(denial, side: side, at: place, face: .registry).text
        case .unauthorized, .tokenExpired:
            return
                "the registry wants a token of account \(place.host.account) in \(place.host.region): check the endpoint "
                + "flags of the \(side.rawValue), which may send GetAuthorizationToken to another region"
        default: return nil
        }
    }
}

/// What to do where a role can't be assumed.
struct RoleAdvice {
    private let refusal: RoleRefusal
    private let region: String?

    init(_ refusal: RoleRefusal, region: String?) { (self.refusal, self.region) = (refusal, region) }

    var text: String? {
        guard let denial = refusal.denial else {
            return CredentialAdvice(code: refusal.code, message: refusal.message, region: region).text
        }
        guard denial.reason == .unstated, !denial.isExplicit else {
            let text = DenialAdvice(denial, side: .source, at: nil, face: .tokens).text
            return denial.reason == .resourcePolicy ? text + handshake : text
        }
        let caller = denial.principal.flatMap { Principal(arn: $0) }
        let identity = PolicyStatement([denial.action], on: [refusal.roleARN])
        let role = Principal(arn: refusal.roleARN)?.words ?? "the role"
        var text =
            "AWS doesn't say which of two is missing. That \(caller?.words ?? "the caller") may; add this to an identity "
            + "policy there:\n    \(identity.line)\n  or that the role lets it in; add this to the trust policy of \(role):"
        let (who, usual) = caller?.inPolicy ?? (.aws("ARN-OF-THE-CALLER"), nil)
        let condition =
            refusal.sentExternalID
            ? PolicyStatement.Condition("StringEquals", "sts:ExternalId", "THE-EXTERNAL-ID-THAT-WAS-SENT") : usual
        text += "\n    \(PolicyStatement(principal: who, [denial.action], condition: condition).line)"
        return text + (caller.map(DenialAdvice.pathHint) ?? "") + handshake
    }

    /// The external id is a kind of password, and isn't shown.
    private var handshake: String {
        refusal.sentExternalID
            ? "\n    an external id was sent; a trust policy that asks for sts:ExternalId must name the same"
            : "\n    no external id was sent; if the trust policy asks for sts:ExternalId, pass it with --external-id"
    }
}

extension RoleRefusal {
    /// `nil` where the refusal is about something else than permission.
    var denial: ECRError.Denial? {
        guard ["AccessDenied", "AccessDeniedException"].contains(code) else { return nil }
        return ECRError.Denial(sentence: message, action: "sts:AssumeRole")
    }
}

extension STSError {
    fileprivate var denial: ECRError.Denial? {
        guard ["AccessDenied", "AccessDeniedException"].contains(code) else { return nil }
        return ECRError.Denial(sentence: message, action: "sts:\(operation)")
    }
}
