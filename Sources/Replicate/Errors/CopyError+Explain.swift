internal import AWSIdentity
package import Content
internal import Distribution
internal import ECRAPI
internal import Platform
internal import Wire

extension CopyError {
    /// Explains an underlying error for the image at hand.
    ///
    /// One table, so that the same trouble reads the same wherever it comes from.
    init(explaining error: any Error, repository: any RepositoryPlace, _ operation: String, _ id: ManifestID? = nil) {
        let image = repository.reference.tagged(id?.tag, digest: id?.digest)
        var registry: PlainRegistry?
        if case .plain(let plain) = repository.reference.registry { registry = plain }
        self.init(explaining: error, side: repository.side, image: image, operation, at: registry)
        // The repository's token was issued for these credentials.
        if error is RegistryError, registry == nil, kind == .notPermitted { credentials = repository.credentials }
        if reason == .repositoryMissing, let ecr = repository as? ECRImageRepository, circumstance == nil {
            circumstance = ecr.templateInUse.map { .pushDidNotCreate($0, of: ecr.place) }
        }
    }

    /// Explains an underlying error for this image.
    ///
    /// - Parameter registry: The registry where it happened, if that is not ECR.
    package init(
        explaining error: any Error,
        side: Side,
        image: ImageReference,
        _ operation: String,
        at registry: PlainRegistry? = nil
    ) {
        self.init(explaining: error, side: side, subject: .image(image), operation, at: registry)
    }

    package init(
        explaining error: any Error,
        side: Side,
        subject: Subject,
        _ operation: String,
        at registry: PlainRegistry? = nil
    ) {
        switch error {
        case let error as CopyError: self = error
        case let failure as BlobFailure: self = failure.error
        case let spent as RetryBudgetSpent:
            self = Self(explaining: spent.reason, side: side, subject: subject, operation, at: registry)
                .spending(spent.budget)
        case let long as RetryWaitTooLong:
            self = Self(explaining: long.reason, side: side, subject: subject, operation, at: registry)
                .asking(toWait: long.wait)
        default:
            self.init(naming: error, side: side, subject: subject, operation, at: registry)
            self.registry = registry
            underlying = UnderlyingError(error)
        }
    }

    private init(
        naming error: any Error,
        side: Side,
        subject: Subject,
        _ operation: String,
        at registry: PlainRegistry?
    ) {
        switch error {
        case let error as ECRError:
            self.init(
                Self.reason(of: error),
                side: side,
                subject: subject,
                operation: error.operation,
                requestID: error.requestID
            )
            if kind == .notPermitted { credentials = error.credentials }
            digests = error.digests
        case let error as RegistryError:
            self.init(
                registry == nil ? Self.reason(of: error) : Self.reasonAtPlainRegistry(of: error),
                side: side,
                subject: subject,
                operation: operation,
                requestID: error.requestID
            )
            digests = error.digests
        case let error as IdentityError:
            let tried = error.tried.isEmpty ? "" : "; tried \(error.tried.joined(separator: ", "))"
            let text = error.problem + tried
            let reason: Reason? =
                if let failure = error.failure {
                    Self.reason(of: failure, text)
                } else if error.isPassing {
                    .throttled(text)
                } else {
                    error.refusal?.denial.map { .denied(action: $0.action, text: text) }
                }
            self.init(
                reason ?? .noCredentials(text),
                side: side,
                subject: subject,
                operation: "finding credentials",
                requestID: error.requestID
            )
        case let error as LoginError:
            self.init(
                .noCredentials(error.problem),
                side: side,
                subject: subject,
                operation: "finding credentials"
            )
        case let error as STSError:
            self.init(
                Self.reason(of: error),
                side: side,
                subject: subject,
                operation: error.operation,
                requestID: error.requestID
            )
        case let error as KMSError:
            self.init(
                Self.reason(of: error),
                side: side,
                subject: subject,
                operation: "kms:\(error.operation)",
                requestID: error.requestID
            )
            if kind == .notPermitted { credentials = error.credentials }
        case let error as LayoutError:
            self.init(.unusableFile("\(error)"), side: side, subject: subject, operation: operation)
        case is SystemError:
            self.init(.unusableFile("\(error)"), side: side, subject: subject, operation: operation)
        case let error as ManifestError:
            self.init(.badManifest(error), side: side, subject: subject, operation: operation)
        case let error as WireError:
            self.init(Self.reason(of: error), side: side, subject: subject, operation: operation)
        default:
            self.init(
                .rejected(code: "unexpected", text: "\(error)"),
                side: side,
                subject: subject,
                operation: operation
            )
        }
    }

    /// Returns this error as one that might have passed, but whose retry budget is used up.
    func spending(_ budget: String) -> CopyError {
        var error = self
        error.reason = .retriesUsedUp("\(cause); the retry budget of the \(budget) is used up")
        return error
    }

    /// Returns this error as one for which the service asks for a longer wait than a run accepts.
    private func asking(toWait wait: Duration) -> CopyError {
        var error = self
        let said = if case .throttled(let text) = reason { text } else { cause }
        error.reason = .throttled("\(said.isEmpty ? "" : "\(said); ")the service asks to wait \(wait.inWords)")
        if error.circumstance == nil { error.circumstance = .longWait(wait) }
        return error
    }

    private static func reason(of error: ECRError) -> Reason {
        switch error.code {
        case .repositoryNotFound: .repositoryMissing
        case .imageNotFound: .imageMissing
        case .accessDenied:
            .denied(action: error.denial?.action ?? "ecr:\(error.operation)", text: error.message)
        case _ where error.isAuthentication:
            .noCredentials("AWS does not accept the credentials (\(error.code.rawValue)): \(error.message)")
        case .limitExceeded: .quota(error.message)
        case _ where error.isUpstream: .upstream(Upstream(code: error.code.rawValue, text: error.message))
        case .kms: .keyUnusable(error.kmsError ?? error.message)
        default:
            error.isThrottling
                ? .throttled(error.message) : .rejected(code: error.code.rawValue, text: error.message)
        }
    }

    private static func reason(of error: STSError) -> Reason {
        if error.retryAdvice != .never { return .throttled(error.message) }
        return error.denial == nil
            ? .noCredentials("AWS does not accept the credentials (\(error.code)): \(error.message)")
            : .denied(action: "sts:\(error.operation)", text: error.message)
    }

    private static func reason(of error: KMSError) -> Reason {
        if let denial = error.denial { return .denied(action: denial.action, text: error.message) }
        if error.isAuthentication {
            return .noCredentials("AWS does not accept the credentials (\(error.code)): \(error.message)")
        }
        return error.isThrottling ? .throttled(error.message) : .rejected(code: error.code, text: error.message)
    }

    private static func reason(of error: RegistryError) -> Reason {
        let text = error.message
        return switch error.kind {
        case .repositoryMissing: .repositoryMissing
        case .manifestUnknown: .imageMissing
        case .denied, .other, .serverFault, .unsupported:
            if namesQuota(text) { .quota(text) } else { refusal(error) }
        case .unauthorized, .tokenExpired: .noCredentials("the registry does not accept the credentials: \(text)")
        case .tooManyRequests, .pullLimit: .throttled(text)
        default: refusal(error)
        }
    }

    /// The reason for a refusal, with only the registry's own words.
    private static func refusal(_ error: RegistryError) -> Reason {
        let text = error.message
        return switch error.kind {
        case .denied:
            // One request may need two actions: a PUT with bytes also uploads a part.
            .denied(action: ECRError.Denial(sentence: text, action: iamAction(error.operation)).action, text: text)
        default:
            .rejected(
                code: error.codes.first?.code ?? (error.status == 0 ? "malformed answer" : "HTTP \(error.status)"),
                text: text
            )
        }
    }

    /// The reason for an error at a registry without IAM, where permissions are named after what is done.
    private static func reasonAtPlainRegistry(of error: RegistryError) -> Reason {
        switch error.kind {
        case .denied where !namesQuota(error.message):
            .denied(action: plainAction(error.operation), text: error.message)
        case .unauthorized, .tokenExpired:
            .noCredentials("not allowed to \(plainAction(error.operation)): \(error.message)")
        default: reason(of: error)
        }
    }

    private static func plainAction(_ operation: RegistryError.Operation) -> String {
        switch operation {
        case .ping: "use the registry"
        case .readManifest: "read the manifest"
        case .writeManifest: "write the manifest"
        case .findBlob, .readBlob: "read the blob"
        case .startUpload, .upload: "upload"
        case .listTags: "list the tags"
        case .listRepositories: "list the repositories"
        case .listReferrers: "list the referrers"
        case .authorize: "get a token"
        }
    }

    /// - Parameter text: The text to use instead of the error's own.
    private static func reason(of error: WireError, _ text: String? = nil) -> Reason {
        let text = text ?? "\(error)"
        return switch error.reason {
        case .certificate, .plainHTTP: .untrusted(text)
        case .badRedirect: .rejected(code: "redirect not followed", text: text)
        case .answerTooLarge: .rejected(code: "answer too large", text: text)
        case .badURL: .wrongEndpoint(text)
        case .file: .unusableFile(text)
        default: .unreachable(text)
        }
    }
}

extension CopyError.UnderlyingError {
    fileprivate init?(_ error: any Error) {
        switch error {
        case let error as ECRError: self = .ecr(error)
        case let error as RegistryError: self = .registry(error)
        case let error as STSError: self = .sts(error)
        case let error as IdentityError: self = .identity(error)
        case let error as WireError: self = .wire(error)
        case let error as LoginError: self = .login(error)
        case let error as LayoutError: self = .layout(error)
        case let error as SystemError: self = .file(error)
        default: return nil
        }
    }
}

extension RepositoryPlace {
    /// Runs a request and explains what it throws.
    func explained<Result>(
        _ operation: String,
        _ id: ManifestID? = nil,
        _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            return try await body()
        } catch is CancellationError {
            throw CancellationError()
        } catch let drained as Drained {
            // A question to a person was interrupted.
            throw drained
        } catch {
            throw CopyError(explaining: error, repository: self, operation, id)
        }
    }
}
