internal import AWSIdentity
internal import Content
internal import Distribution
internal import ECRAPI
internal import Replicate
internal import Wire

/// What to do about an error whose underlying error and place tell more than its reason.
struct UnderlyingAdvice {
    /// What to do next; `nil` if the underlying error and the place tell no more than the reason.
    private(set) var text: String?
    /// Further advice for a command that copies.
    private(set) var forCopy: String?
    /// The advice about logins, if a registry that is not ECR answered.
    private(set) var login: LoginAdvice?

    init(_ error: CopyError) {
        let place = ECRPlace(error.image)
        switch error.underlying {
        case .ecr(let cause):
            if let denial = cause.denial {
                advise(DenialAdvice(denial, side: error.side, at: place, endpoint: .api))
                return
            }
            guard cause.isAuthentication else { return }
            text =
                CredentialAdvice(
                    code: cause.code.rawValue,
                    message: cause.message,
                    host: place?.host,
                    pairingAdvice: cause.pairingAdvice
                ).text
        case .registry(let cause):
            if let place { advise(about: cause, side: error.side, at: place) }
            if let registry = error.registry {
                login = LoginAdvice(registry, login: cause.login)
                text = Self.advice(about: cause, at: registry)
            }
        case .sts(let cause):
            if let denial = cause.denial {
                advise(DenialAdvice(denial, side: error.side, at: place, endpoint: .tokens))
                return
            }
            text =
                CredentialAdvice(
                    code: cause.code,
                    message: cause.message,
                    host: place?.host,
                    pairingAdvice: cause.pairingAdvice
                ).text
        case .identity(let cause):
            if let failure = cause.failure, failure.reason != .badURL {
                text =
                    NetworkAdvice(failure, side: error.side, operation: error.operation, at: place).text ?? cause.remedy
            } else if cause.isPassing || cause.failure != nil {
                text = cause.remedy
            } else {
                text = cause.refusal.flatMap { RoleAdvice($0, host: place?.host).text }
            }
        case .wire(let cause):
            let isPlain = if case .plain? = error.image?.registry { true } else { false }
            text =
                NetworkAdvice(
                    cause,
                    side: error.side,
                    operation: error.operation,
                    at: place,
                    isPlainRegistry: isPlain
                ).text
        case .login, .layout, .file, nil: break
        }
    }

    private mutating func advise(_ denial: DenialAdvice) { (text, forCopy) = (denial.text, denial.allOfIt) }

    /// The advice about an error of a registry that is not ECR, where people log in.
    private static func advice(about error: RegistryError, at registry: PlainRegistry) -> String? {
        let login = LoginAdvice(registry, login: error.login)
        return switch error.kind {
        case .denied where CopyError.namesQuota(error.message): nil
        case .denied, .unauthorized, .tokenExpired: login.refused
        case .pullLimit: login.usedUp(nil)
        case .insecureAddress: NetworkAdvice.lostScheme(at: registry.endpointAuthority)
        case .unsupported: unsupported(error)
        case .malformedAnswer where error.operation == .authorize:
            "tell the registry's operator: the token server, or another server in its place, sends a malformed answer"
        default: nil
        }
    }

    /// The advice when a registry doesn't support the operation at all, which it reports as `UNSUPPORTED` or 405.
    ///
    /// - Source: distribution/distribution, "Registry as a pull through cache" (405 to every push)
    private static func unsupported(_ error: RegistryError) -> String {
        switch error.operation {
        case .writeManifest, .startUpload, .upload:
            "the registry accepts no pushes: it may be read-only or a pull-through cache; push to the registry behind "
                + "it"
        default: "check the host and the path: the server there may not be a registry"
        }
    }

    /// Sets the advice about an error of ECR's registry API, which reports ECR's errors with the codes of a registry.
    private mutating func advise(about error: RegistryError, side: CopyError.Side, at place: ECRPlace) {
        switch error.kind {
        case .denied where CopyError.namesQuota(error.message): break
        case .insecureAddress: text = NetworkAdvice.lostScheme(at: place.host.name)
        case .unsupported:
            text = "correct the manifest or the parameter that the error names: ECR does not accept it"
        case .denied:
            let denial = ECRError.Denial(sentence: error.message, action: CopyError.iamAction(error.operation))
            advise(DenialAdvice(denial, side: side, at: place, endpoint: .registry))
        case .unauthorized, .tokenExpired:
            // One token is valid for all accounts in a region.
            text =
                "the registry requires a token of region \(place.host.region): check whether the endpoint flags of "
                + "the \(side.rawValue) send GetAuthorizationToken to another region, and whether the session that "
                + "got the token has ended"
        default: break
        }
    }
}
