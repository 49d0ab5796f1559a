internal import AWSIdentity
internal import Content
internal import Distribution
internal import ECRAPI
internal import Wire

extension CopyError {
    /// Says what to do next, where an error from below and the place it happened at tell more than its reason.
    mutating func advise(
        about error: any Error,
        side: Side,
        image: String,
        _ operation: String,
        at registry: PlainRegistry?
    ) {
        let place = ECRPlace(image: image)
        switch error {
        case let error as ECRError:
            if let denial = error.denial { return advise(DenialAdvice(denial, side: side, at: place, face: .api)) }
            guard error.isAuthentication else { return }
            let (code, message) = (error.code.rawValue, error.message)
            advice =
                CredentialAdvice(code: code, message: message, host: place?.host, pairingAdvice: error.pairingAdvice)
                .text
        case let error as RegistryError:
            if let place { advise(about: error, side: side, at: place) }
            if let registry { advice = Self.advice(about: error, at: registry) }
        case let error as STSError:
            if let denial = error.denial { return advise(DenialAdvice(denial, side: side, at: place, face: .tokens)) }
            advice =
                CredentialAdvice(
                    code: error.code,
                    message: error.message,
                    host: place?.host,
                    pairingAdvice: error.pairingAdvice
                ).text
        case let error as IdentityError:
            if let failure = error.failure, failure.reason != .badURL {
                advice = NetworkAdvice(failure, side: side, operation: operation, at: place).text ?? error.remedy
            } else if error.isPassing || error.failure != nil {
                advice = error.remedy
            } else {
                advice = error.refusal.flatMap { RoleAdvice($0, host: place?.host).text }
            }
        case let error as WireError:
            advice =
                NetworkAdvice(error, side: side, operation: operation, at: place, isPlainRegistry: isPlain).text
        default: break
        }
    }

    private mutating func advise(_ denial: DenialAdvice) { (advice, copyAdvice) = (denial.text, denial.allOfIt) }

    /// At a registry that is not ECR, people log in.
    private static func advice(about error: RegistryError, at registry: PlainRegistry) -> String? {
        let login = LoginAdvice(registry, login: error.login)
        return switch error.kind {
        case .denied where Self.namesQuota(error.message): nil
        case .denied, .unauthorized, .tokenExpired: login.refused
        case .pullLimit: login.usedUp(nil)
        case .insecureAddress: NetworkAdvice.lostScheme(at: registry.endpointAuthority)
        case .unsupported: unsupported(error)
        case .malformedAnswer where error.operation == .authorize:
            "the registry's operator must look at its token server, or at what answers in its place"
        default: nil
        }
    }

    /// Registries say `UNSUPPORTED`, or 405, of what they never do, whatever is sent.
    ///
    /// - Source: distribution/distribution, "Registry as a pull through cache" (405 to every push)
    private static func unsupported(_ error: RegistryError) -> String {
        switch error.operation {
        case .writeManifest, .startUpload, .upload:
            "the registry takes no pushes here: it may be read-only or a pull-through cache; push to the registry behind it"
        default: "check host and path: what answers there may not be a registry"
        }
    }

    /// ECR's registry says what its API says, in the words of a registry.
    private mutating func advise(about error: RegistryError, side: Side, at place: ECRPlace) {
        switch error.kind {
        case .denied where Self.namesQuota(error.message): break
        case .insecureAddress: advice = NetworkAdvice.lostScheme(at: place.host.name)
        case .unsupported:
            advice = "ECR does not accept the manifest or a parameter of it, and the text says which"
        case .denied:
            let denial = ECRError.Denial(sentence: error.message, action: Self.iamAction(error.operation))
            advise(DenialAdvice(denial, side: side, at: place, face: .registry))
        case .unauthorized, .tokenExpired:
            // One token serves every account of a region.
            advice =
                "the registry wants a token of region \(place.host.region): check the endpoint flags of the "
                + "\(side.rawValue), which may send GetAuthorizationToken to another region, or whether the session that "
                + "got the token was ended"
        default: break
        }
    }
}

/// What to do where a role can't be assumed.
struct RoleAdvice {
    private let refusal: RoleRefusal
    private let host: ECRHost?

    init(_ refusal: RoleRefusal, host: ECRHost?) { (self.refusal, self.host) = (refusal, host) }

    var text: String? {
        guard !refusal.isAboutMFA else {
            return
                "run again with the code that is shown now, for each is good once; if it is refused again, check the "
                + "clock of the device and mfa_serial in the profile"
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
            face: .tokens,
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
            "AWS doesn't say which of two is missing. That \(caller?.words ?? "the caller") may; add this to an identity "
            + "policy there:\n    \(identity.line)\n  or that the role lets it in; add this to the trust policy of \(role):"
        let (who, usual) = caller?.inPolicy ?? (.aws("ARN-OF-THE-CALLER"), [])
        text += "\n    \(PolicyStatement(principal: who, [denial.action], conditions: usual + conditions).line)"
        return text + (caller.map(DenialAdvice.pathHint) ?? "") + handshake
    }

    /// What was sent, so that a trust policy can go on asking for it.
    private var conditions: [PolicyStatement.Condition] {
        let id = PolicyStatement.Condition("StringEquals", "sts:ExternalId", "THE-EXTERNAL-ID-THAT-WAS-SENT")
        let factor = PolicyStatement.Condition("Bool", "aws:MultiFactorAuthPresent", "true")
        return (refusal.sentExternalID ? [id] : []) + (refusal.sentMFA ? [factor] : [])
    }

    /// The external id is a kind of password, and isn't shown.
    private var handshake: String {
        let id =
            refusal.sentExternalID
            ? "\n    an external id was sent; a trust policy that asks for sts:ExternalId must name the same"
            : "\n    no external id was sent; if the trust policy asks for sts:ExternalId, pass it with --external-id"
        return refusal.sentMFA
            ? id
            : id
                + "\n    no code of a second factor was sent; if the trust policy asks for aws:MultiFactorAuthPresent, set "
                + "mfa_serial in the profile instead: the statement above lets in without one"
    }
}

extension RoleRefusal {
    /// `nil` where the refusal is about something else than permission.
    var denial: ECRError.Denial? { ECRError.Denial(code: code, message: message, action: "sts:AssumeRole") }

    fileprivate var isAboutMFA: Bool { ECRError.Denial.isAboutMFA(message) }
}

extension STSError {
    /// `nil` where the refusal is about something else than permission.
    var denial: ECRError.Denial? { ECRError.Denial(code: code, message: message, action: "sts:\(operation)") }
}

extension ECRError.Denial {
    /// - Returns: `nil` unless that is how STS says that somebody may not.
    fileprivate init?(code: String, message: String, action: String) {
        guard ["AccessDenied", "AccessDeniedException"].contains(code), !Self.isAboutMFA(message) else { return nil }
        self.init(sentence: message, action: action)
    }

    /// A code that is wrong is `AccessDenied` as well.
    ///
    /// Its text begins `MultiFactorAuthentication failed with invalid MFA one time pass code`.
    fileprivate static func isAboutMFA(_ message: String) -> Bool {
        message.contains("MultiFactorAuthentication failed")
    }
}
