public import Content

/// Why one image was not copied.
///
/// Code branches on ``reason``. People read ``description``, which always names the operation, the side, the
/// image and the next thing to do.
public struct CopyError: Error, Sendable, Equatable {
    public enum Side: String, Sendable, Codable { case source, destination }

    public enum Reason: Sendable, Equatable {
        /// The principal and the resource as AWS names them, where it does; with what to do where there is no IAM.
        case denied(action: String, text: String, remedy: String? = nil)
        /// With what to do about it, where the identity knows better than we do.
        case noCredentials(String, remedy: String? = nil)
        case repositoryMissing
        case imageMissing
        /// `TAG@DIGEST` was asked for, and the tag points elsewhere.
        case tagMismatch
        case archived
        case keyUnusable(String)
        /// ECR can't store a blob without bytes.
        case emptyBlob(Digest)
        case tagImmutable(tag: Tag, holds: Digest?, wanted: Digest)
        case tagHolds(tag: Tag, holds: Digest, wanted: Digest)
        /// `--if-current` names what the tag must hold; it holds something else, or nothing.
        case tagMoved(tag: Tag, expected: Digest, holds: Digest?)
        /// A name that the registry at this side can't hold as a tag, or lists although it is none; with the rule it breaks.
        case tagUnfit(tag: String, reason: String)
        case childMissing(Digest, of: Digest)
        case blobMissing(Digest)
        case corrupt(expected: Digest, detail: String)
        case badManifest(ManifestError)
        case platformMissing(wanted: String, has: [String])
        /// Several images of the index are for the platform that was asked for.
        case platformAmbiguous(wanted: String, choices: [String])
        case quota(String)
        case throttled(String)
        /// It might have passed, but too much has failed before it (``RetryBudget``).
        case retriesUsedUp(String)
        case unreachable(String)
        case untrusted(String)
        case wrongEndpoint(String)
        /// A file or directory of this machine; with what to do about it, where that is known.
        case unusableFile(String, remedy: String? = nil)
        /// The registry that ECR fetches from has trouble, or ECR with it; with the rule that names it, if it is known.
        case upstream(code: String, text: String, CacheRule?)
        case rejected(code: String, text: String)
        case unsupported(String, remedy: String? = nil)
    }

    public var reason: Reason
    public var side: Side
    public var image: String
    /// The API call or the registry request that failed, for example `PutImage`.
    public var operation: String
    /// The service's request identifier, for a support case.
    public var requestID: String?
    /// With which credentials it was asked, where it is about who may: the end of the key's id, and where it is from.
    public var credentials: String?
    /// Whether nothing was to be brought anywhere, so that nothing can have arrived.
    public var onlyReads = false
    /// What to do next, where more is known than the reason tells; it may have several lines.
    public var advice: String?
    /// What the answer named by digest; such a text may be longer than what is shown of it.
    public var digests: Set<Digest> = []
    /// What else helps a copy, and is not said where nothing is copied.
    public var copyAdvice: String?

    public init(_ reason: Reason, side: Side, image: String, operation: String, requestID: String? = nil) {
        self.reason = reason
        self.side = side
        self.image = image
        self.operation = operation
        self.requestID = requestID
    }
}

extension CopyError {
    /// What kind of failure this is, for an exit status.
    public enum Kind: Sendable { case failed, refused, notPermitted }

    public var kind: Kind {
        switch reason {
        case .tagImmutable, .tagHolds, .tagMoved: .refused
        case .denied, .noCredentials: .notPermitted
        default: .failed
        }
    }
}

extension CopyError.Reason {
    /// For programs: stays as it is from version to version, unlike the words.
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
        case .rejected: "rejected"
        case .unsupported: "unsupported"
        }
    }
}

extension CopyError: CustomStringConvertible {
    public var description: String { text(next: remedy) }

    /// All there is to say, where ``remedy`` has been said of another image before.
    public var descriptionAsBefore: String { text(next: "as above") }

    private func text(next: String) -> String {
        """
        \(operation) failed at the \(side.rawValue) \(image): \(cause)
          next: \(next)\(credentials.map { "\n  credentials: \($0)" } ?? "")\(requestID.map { "\n  request id: \($0)" } ?? "")
        """
    }

    /// What is wrong, in words, without a full stop, on one line; fit to be shown, whatever a remote wrote.
    public var cause: String { printable(words, upTo: Self.longestCause) }

    /// In bytes: a remote's text and the sentence around it.
    private static let longestCause = 2 * longestPrintable

    private var words: String {
        switch reason {
        case .denied(let action, let text, _): "not allowed to \(action)\(text.isEmpty ? "" : ": \(Self.said(text))")"
        case .noCredentials(let text, _): text
        case .repositoryMissing: "the repository does not exist"
        case .imageMissing: "there is no such image"
        case .tagMismatch: "the tag does not point at that digest (any more)"
        case .archived: "the image is archived"
        case .keyUnusable(let text): "ECR can't use the repository's KMS key: \(printable(text))"
        case .emptyBlob(let digest): "the image has a blob without bytes (\(digest)), and ECR can't store one"
        case .tagImmutable(let tag, let holds, let wanted):
            "tag \(tag) is immutable\(holds.map { " and holds \($0)" } ?? ""); wanted \(wanted)"
        case .tagHolds(let tag, let holds, let wanted): "tag \(tag) holds \(holds), not \(wanted)"
        case .tagMoved(let tag, let expected, let holds):
            "tag \(tag) should hold \(expected) but \(holds.map { "holds \($0)" } ?? "does not exist")"
        case .tagUnfit(let tag, let reason) where side == .source:
            "the registry lists '\(quotable(tag))', which is not a tag: \(reason)"
        case .tagUnfit(let tag, let reason): "the registry can't hold the tag '\(quotable(tag))': \(reason)"
        case .childMissing(let child, let parent): "\(parent) names the manifest \(child), which is not there"
        case .blobMissing(let digest): "the blob \(digest) can't be had"
        case .corrupt(let expected, let detail): "what came is not \(expected): \(detail)"
        case .badManifest(let error): "\(error)"
        case .platformMissing(let wanted, let has):
            "there is no image for \(wanted); it has \(has.isEmpty ? "no platforms" : has.joined(separator: ", "))"
        case .platformAmbiguous(let wanted, let choices):
            "several images are for \(wanted): \(choices.joined(separator: ", "))"
        case .quota(let text): "a quota is used up: \(printable(text))"
        case .throttled(let text): "throttled: \(Self.said(text))"
        case .retriesUsedUp(let text): text
        case .unreachable(let text): "no answer: \(text)"
        case .untrusted(let text): "the server could not prove who it is: \(text)"
        case .wrongEndpoint(let text): text
        case .unusableFile(let text, _): text
        case .upstream(let code, let text, _): "\(printable(code)): \(printable(text))"
        case .rejected(let code, let text): "\(printable(code)): \(Self.said(text))"
        case .unsupported(let text, _): text
        }
    }

    /// A remote's text, which may be nothing but white space.
    private static func said(_ text: String) -> String {
        text.allSatisfy(\.isWhitespace) ? "no reason was given" : printable(text)
    }

    /// What to do next.
    public var remedy: String {
        let next = advice ?? usualRemedy
        guard !onlyReads, let copyAdvice else { return next }
        return "\(next)\n    \(copyAdvice)"
    }

    private var usualRemedy: String {
        switch reason {
        case .denied(_, _, let remedy?): remedy
        case .denied(let action, _, nil):
            "grant \(action) to the identity used for the \(side.rawValue) (and, across accounts, in the policy of "
                + "the repository)"
        case .noCredentials(_, let remedy?): remedy
        case .noCredentials(_, nil):
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --\(side.rawValue)-profile"
        case .repositoryMissing: missingRepository
        case .imageMissing: "list what is there with: ecr-replicate ls \(repositoryOfImage)"
        case .tagMismatch: "look with: ecr-replicate inspect \(image.prefix { $0 != "@" })"
        case .archived:
            ECRServiceAdvice(image: image)?.archived
                ?? "restore it first (aws ecr update-image-storage-class --target-storage-class STANDARD), then run again"
        case .keyUnusable(let text):
            ECRServiceAdvice(image: image)?.key(text)
                ?? "look at the state of the repository's key: aws kms describe-key --key-id KEY"
        case .emptyBlob: "build the image again without the empty layer"
        case .tagImmutable: "use a new tag, or exclude this one from the repository's immutability"
        case .tagHolds: "pass --if-exists move to move it, or use another tag"
        case .tagMoved: "look at what the tag holds now, and decide again"
        case .tagUnfit where side == .source: "delete the tag at the source, or leave it out with --exclude"
        case .tagUnfit:
            "set another tag at the source (ecr-replicate retag) and copy that, or leave this one out with --exclude"
        case .childMissing: "the index is incomplete; push the missing image again, or copy with --platform"
        case .blobMissing: "push the image again at the source"
        case .corrupt: "run again; if it repeats, what is stored is damaged and must be pushed anew"
        case .badManifest(.encoded):
            "have the registry, or the proxy in front of it, send manifests without Content-Encoding, as they are stored"
        case .badManifest(.notJSON) where isPlain:
            "see what answers there: a sign-in page or a proxy may answer in the registry's place; else push the image again "
                + "with a current tool"
        case .badManifest: "this can't be copied as it is; push the image again with a current tool"
        case .platformMissing(_, let has) where has.isEmpty: "leave out --platform"
        case .platformMissing: "choose one of those with --platform"
        case .platformAmbiguous: "name one of them with --platform, or copy it by its digest"
        case .quota(let text):
            ECRServiceAdvice(image: image)?.quota(text)
                ?? "delete what is no longer needed, or ask the registry's administrator for more room"
        case .throttled where onlyReads: "run again later, or fewer runs at once"
        case .throttled: "run again later, with a smaller --jobs or fewer runs at once\(rest)"
        case .retriesUsedUp: "too much failed in a short time: see what is wrong there, then run again\(rest)"
        case .unreachable:
            "\(isPlain ? "check the registry's address, the network and the proxy" : "check the network, the endpoint and the proxy"), then run again\(rest)"
        case .untrusted: "if a proxy or a private registry is meant to answer there, name its CA with --ca-bundle FILE"
        case .unusableFile(_, let remedy): remedy ?? "check the path, its permissions and the room on the disk"
        case .wrongEndpoint where isPlain: "check the registry's address in the reference"
        case .wrongEndpoint: "check AWS_ENDPOINT_URL_ECR and the endpoint flags of the \(side.rawValue)"
        case .upstream(let code, _, let rule): Self.upstreamRemedy(code, rule)
        case .rejected(let code, _) where code.hasPrefix("HTTP 5"):
            "the server failed, and its log says why; run again later\(rest)"
        case .rejected(let code, _) where code == "HTTP 413":
            "a proxy in front of the registry limits the size of a request: raise that limit (nginx: client_max_body_size)"
        case .rejected: "see the text; --log-level debug shows every request"
        case .unsupported(_, let remedy): remedy ?? "this can't be done with what is there"
        }
    }

    /// ECR says the same of a repository that isn't there and of one that is elsewhere.
    private var missingRepository: String {
        guard let place = ECRPlace(image: image) else {
            return side == .destination
                ? "create it, or pass --create-repository defaults; if it exists, check account and region"
                : "check the name, account and region"
        }
        let (account, region) = (place.host.account, place.host.region)
        let looked = "ECR looked in account \(account), region \(region), as the reference says"
        return side == .destination
            ? "create it, as somebody of account \(account):\n    aws ecr create-repository --region \(region) "
                + "--repository-name \(place.repository)\n  or pass --create-repository defaults; if it exists, check the "
                + "reference: \(looked)"
            : "check name, account and region: \(looked); what is there lists\n    aws ecr describe-repositories --region "
                + "\(region) --registry-id \(account)"
    }

    /// Whether it is about a registry that is not ECR.
    var isPlain: Bool {
        if case .plain? = (try? ImageReference(parsing: image))?.registry { true } else { false }
    }

    private var rest: String { onlyReads ? "" : "; what has arrived stays" }

    private var repositoryOfImage: String {
        let bare = image.prefix { $0 != "@" }
        guard let colon = bare.lastIndex(of: ":"), !bare[colon...].contains("/") else { return String(bare) }
        return String(bare[..<colon])
    }
}
