public import Content

/// Why one image was not copied.
///
/// Code branches on ``reason``. People read ``description``, which always names the operation, the side and the image.
/// What to do next depends on who shows the error (the command names its flags), so `Reporting` derives it from
/// ``reason``, ``underlying`` and ``circumstance``.
public struct CopyError: Error, Sendable, Equatable {
    public enum Side: String, Sendable, Codable { case source, destination }

    public enum Reason: Sendable, Equatable {
        /// A permission is missing; `text` names the principal and the resource if AWS does.
        case denied(action: String, text: String)
        /// There are no usable credentials.
        case noCredentials(String)
        case repositoryMissing
        case imageMissing
        /// `TAG@DIGEST` was asked for, and the tag points at another digest.
        case tagMismatch
        case archived
        case keyUnusable(String)
        /// ECR can't store a blob without bytes.
        case emptyBlob(Digest)
        case tagImmutable(tag: Tag, holds: Digest?, wanted: Digest)
        case tagHolds(tag: Tag, holds: Digest, wanted: Digest)
        /// The tag must point at `expected` to be moved (``CopyOptions/ifCurrent``); it points at another digest, or
        /// doesn't exist.
        case tagMoved(tag: Tag, expected: Digest, holds: Digest?)
        /// A gate of a promotion does not let the image pass (``ImageAdmission``).
        case gateDenied(GateDenial)
        /// The registry can't hold this name as a tag, or lists it although it isn't a valid tag; `reason` is the rule
        /// it breaks.
        case tagUnfit(tag: String, reason: String)
        case childMissing(Digest, of: Digest)
        case blobMissing(Digest)
        case corrupt(expected: Digest, detail: String)
        case badManifest(ManifestError)
        case platformMissing(wanted: String, has: [String])
        /// Several images of the index match the requested platform.
        case platformAmbiguous(wanted: String, choices: [String])
        case quota(String)
        case throttled(String)
        /// The error might have passed, but too many attempts have failed before it (``RetryBudget``).
        case retriesUsedUp(String)
        case unreachable(String)
        case untrusted(String)
        case wrongEndpoint(String)
        /// A file or directory of this machine can't be used.
        case unusableFile(String)
        /// The registry behind a pull-through cache rule fails, or ECR can't use it.
        case upstream(Upstream)
        /// There is no record of a promotion that may be undone; the remedy is an imperative.
        case undoRefused(problem: String, remedy: String)
        case rejected(code: String, text: String)
        case unsupported(Unsupported)
    }

    /// What ECR says about the registry behind a pull-through cache rule.
    public struct Upstream: Sendable, Equatable {
        /// ECR's code for the failure, for example `UpstreamUnavailable`.
        public var code: String
        public var text: String
        /// The rule, if it is known.
        package var rule: CacheRule?

        package init(code: String, text: String, rule: CacheRule? = nil) {
            (self.code, self.text, self.rule) = (code, text, rule)
        }
    }

    /// What the gates of a promotion said about an image that does not pass.
    public struct GateDenial: Sendable, Equatable {
        /// Which gates denied the image, and why; it may quote remote text and is made printable when it is shown.
        public var text: String
        /// What the user can do, as an imperative; `nil` if the gates know nothing to do.
        public var remedy: String?

        public init(text: String, remedy: String? = nil) { (self.text, self.remedy) = (text, remedy) }
    }

    public var reason: Reason
    public var side: Side
    /// What the error is about.
    package var subject: Subject
    /// The API call or the registry request that failed, for example `PutImage`.
    public var operation: String
    /// The service's request id, for a support case.
    public var requestID: String?
    /// The credentials that were used, if the error is about permissions: the end of the key's id, and where it comes
    /// from.
    public var credentials: String?
    /// Whether the command copies nothing, so that nothing can have arrived.
    package var onlyReads = false
    /// The digests that the response named; its text may be longer than what is shown of it.
    package var digests: Set<Digest> = []
    /// The registry that was asked, if it is known and is not ECR.
    package var registry: PlainRegistry?
    /// The underlying error that this one explains, if any.
    package var underlying: UnderlyingError?
    /// What else was found out, if that changes what to do.
    package var circumstance: Circumstance?

    public init(_ reason: Reason, side: Side, image: ImageReference, operation: String, requestID: String? = nil) {
        self.init(reason, side: side, subject: .image(image), operation: operation, requestID: requestID)
    }

    package init(_ reason: Reason, side: Side, subject: Subject, operation: String, requestID: String? = nil) {
        (self.reason, self.side, self.operation, self.requestID) = (reason, side, operation, requestID)
        self.subject = subject
    }
}

extension CopyError {
    /// What an error is about.
    package enum Subject: Sendable, Equatable {
        /// An image, or a repository if the error is about no single image.
        case image(ImageReference)
        case registry(RegistryLocation)
        /// A name that the repository lists as a tag, although no reference can have it.
        case name(String, in: ImageReference)

        /// The repository that a destination names, or its registry if the source decides the repository.
        package init(_ destination: DestinationReference) {
            guard let repository = destination.repository else {
                self = .registry(destination.registry)
                return
            }
            let bare = ImageReference(registry: destination.registry, repository: repository)
            self = .image(bare.tagged(destination.tag))
        }

        package var image: ImageReference? { if case .image(let image) = self { image } else { nil } }
    }

    /// The image, or its repository if the error is about no single image; `nil` if it is about a registry, or about a
    /// name that no reference can have.
    public var image: ImageReference? { subject.image }

    /// How messages name what the error is about.
    public var place: String { "\(subject)" }
}

extension CopyError.Subject: CustomStringConvertible {
    package var description: String {
        switch self {
        case .image(let image): "\(image)"
        case .registry(let registry):
            "\(DestinationReference(registry: registry, repository: nil, tag: nil))"
        case .name(let name, let repository): "\(repository):\(quotable(name))"
        }
    }
}

extension CopyError {
    /// The kind of failure, which decides the exit status.
    package enum Kind: Sendable { case failed, refused, notPermitted }

    package var kind: Kind {
        switch reason {
        case .tagImmutable, .tagHolds, .tagMoved, .gateDenied, .undoRefused: .refused
        case .denied, .noCredentials: .notPermitted
        default: .failed
        }
    }
}

extension CopyError.Reason {
    /// The name of the reason for programs; unlike the text, it stays the same from version to version.
    public var name: String {
        switch self {
        case .denied: "denied"
        case .noCredentials: "noCredentials"
        case .repositoryMissing: "repositoryMissing"
        case .imageMissing: "imageMissing"
        case .tagMismatch: "tagMismatch"
        case .archived: "archived"
        case .keyUnusable: "keyUnusable"
        case .emptyBlob: "emptyBlob"
        case .tagImmutable: "tagImmutable"
        case .tagHolds: "tagHolds"
        case .tagMoved: "tagMoved"
        case .gateDenied: "gateDenied"
        case .tagUnfit: "tagUnfit"
        case .childMissing: "childMissing"
        case .blobMissing: "blobMissing"
        case .corrupt: "corrupt"
        case .badManifest: "badManifest"
        case .platformMissing: "platformMissing"
        case .platformAmbiguous: "platformAmbiguous"
        case .quota: "quota"
        case .throttled: "throttled"
        case .retriesUsedUp: "retriesUsedUp"
        case .unreachable: "unreachable"
        case .untrusted: "untrusted"
        case .wrongEndpoint: "wrongEndpoint"
        case .unusableFile: "unusableFile"
        case .upstream: "upstream"
        case .undoRefused: "undoRefused"
        case .rejected: "rejected"
        case .unsupported: "unsupported"
        }
    }
}

extension CopyError: CustomStringConvertible {
    public var description: String { ([headline] + details).joined(separator: "\n") }

    /// What failed, where and why, in one line.
    package var headline: String { "\(operation) failed at the \(side.rawValue) \(place): \(cause)" }

    /// Further details, one line each.
    package var details: [String] {
        [credentials.map { "  credentials: \($0)" }, requestID.map { "  request id: \($0)" }].compactMap { $0 }
    }

    /// What is wrong, in one line without a full stop; it is safe to print, whatever a remote host sent.
    public var cause: String { reason.text(at: side) }
}

extension CopyError.Reason {
    /// The reason in one line, for an error of this side.
    package func text(at side: CopyError.Side) -> String { printable(words(at: side), upTo: Self.longestText) }

    /// The longest text in bytes: a remote host's message and the sentence around it.
    private static let longestText = 2 * longestPrintable

    private func words(at side: CopyError.Side) -> String {
        switch self {
        case .denied(let action, let text): "not allowed to \(action)\(text.isEmpty ? "" : ": \(Self.said(text))")"
        case .noCredentials(let text): text
        case .repositoryMissing: "the repository does not exist"
        case .imageMissing: "the image does not exist"
        case .tagMismatch: "the tag does not point at that digest (any more)"
        case .archived: "the image is archived"
        case .keyUnusable(let text): "ECR can't use the repository's KMS key: \(printable(text))"
        case .emptyBlob(let digest): "the image has a blob without bytes (\(digest)), and ECR can't store one"
        case .tagImmutable(let tag, let holds, let wanted):
            "tag \(tag) is immutable\(holds.map { " and holds \($0)" } ?? ""); wanted \(wanted)"
        case .tagHolds(let tag, let holds, let wanted): "tag \(tag) holds \(holds), not \(wanted)"
        case .tagMoved(let tag, let expected, let holds):
            "tag \(tag) should hold \(expected) but \(holds.map { "holds \($0)" } ?? "does not exist")"
        case .gateDenied(let denial): denial.text
        case .tagUnfit(let tag, let reason) where side == .source:
            "the registry lists '\(quotable(tag))', which is not a tag: \(reason)"
        case .tagUnfit(let tag, let reason): "the registry can't hold the tag '\(quotable(tag))': \(reason)"
        case .childMissing(let child, let parent):
            "\(parent) names the manifest \(child), which the \(side.rawValue) does not have"
        case .blobMissing(let digest): "the \(side.rawValue) does not have the blob \(digest)"
        case .corrupt(let expected, let detail): "the bytes received are not \(expected): \(detail)"
        case .badManifest(let error): "\(error)"
        case .platformMissing(let wanted, let has):
            "there is no image for \(wanted); the index has "
                + "\(has.isEmpty ? "no platforms" : has.joined(separator: ", "))"
        case .platformAmbiguous(let wanted, let choices):
            "several images are for \(wanted): \(choices.joined(separator: ", "))"
        case .quota(let text): "a quota is used up: \(printable(text))"
        case .throttled(let text): "throttled: \(Self.said(text))"
        case .retriesUsedUp(let text): text
        case .unreachable(let text): "no answer: \(text)"
        case .untrusted(let text): "the server's certificate could not be verified: \(text)"
        case .wrongEndpoint(let text): text
        case .unusableFile(let text): text
        case .upstream(let upstream): "\(printable(upstream.code)): \(printable(upstream.text))"
        case .undoRefused(let problem, _): "can't undo: \(problem)"
        case .rejected(let code, let text): "\(printable(code)): \(Self.said(text))"
        case .unsupported(let what): "\(what)"
        }
    }

    /// A remote host's text, or a replacement if it is empty or blank.
    private static func said(_ text: String) -> String {
        text.allSatisfy(\.isWhitespace) ? "no reason was given" : printable(text)
    }
}
