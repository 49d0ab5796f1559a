internal import AWSIdentity
internal import Content
internal import Distribution
internal import Platform
internal import Replicate

/// What to do about an error about which only the reason is known.
struct UsualAdvice {
    let error: CopyError

    var text: String {
        switch error.reason {
        case .denied(let action, _):
            "grant \(action) to the identity used for the \(error.side.rawValue) (and, across accounts, in the policy of "
                + "the repository)"
        case .noCredentials: credentials
        case .repositoryMissing: missingRepository
        case .imageMissing: "list the images with: ecr-replicate ls \(repositoryOfImage)"
        case .tagMismatch: "see what the tag holds: ecr-replicate inspect \(error.place.prefix { $0 != "@" })"
        case .archived:
            ECRServiceAdvice(error.image)?.archived
                ?? "restore it first (aws ecr update-image-storage-class --target-storage-class STANDARD), then run again"
        case .keyUnusable where error.operation == "CreateRepository": keyOfNewRepository
        case .keyUnusable(let text):
            ECRServiceAdvice(error.image)?.key(text)
                ?? "check the state of the repository's key: aws kms describe-key --key-id KEY"
        case .emptyBlob: "build the image again without the empty layer"
        case .tagImmutable: "use a new tag, or exclude this one from the repository's immutability"
        case .tagHolds: "pass --if-exists move to move it, or use another tag"
        case .undoRefused(_, let remedy): remedy
        case .gateDenied(let denial): denial.remedy ?? "read what each gate says, and promote an image that passes"
        case .tagMoved: "check what the tag holds now, then decide again"
        case .tagUnfit where error.side == .source: "delete the tag at the source, or leave it out with --exclude"
        case .tagUnfit:
            "set another tag at the source (ecr-replicate retag) and copy that, or leave this one out with --exclude"
        case .childMissing: "push the missing image again, or copy part of the index with --platform"
        case .blobMissing: "push the image again at the source"
        case .corrupt: "run again; if it happens again, the stored content is damaged: push the image again"
        case .badManifest(.encoded):
            "make the registry, or the proxy in front of it, send manifests as they are stored, without "
                + "Content-Encoding"
        case .badManifest(.notJSON) where isPlain:
            "check that the registry answers there, and not a sign-in page or a proxy; if it does, push the image "
                + "again with a current tool"
        case .badManifest: "push the image again with a current tool"
        case .platformMissing(_, let has) where has.isEmpty: "leave out --platform"
        case .platformMissing: "choose one of those with --platform"
        case .platformAmbiguous: "name one of them with --platform, or copy it by its digest"
        case .quota(let text):
            ECRServiceAdvice(error.image)?.quota(text)
                ?? "delete images that are no longer needed, or ask the registry's administrator for more space"
        case .throttled where error.onlyReads: "run again later, or fewer runs at once"
        case .throttled: "run again later, with a smaller --jobs or fewer runs at once\(rest)"
        case .retriesUsedUp: "find out why so many requests failed there, then run again\(rest)"
        case .unreachable:
            "\(isPlain ? "check the registry's address, the network and the proxy" : "check the network, the endpoint and the proxy"), then run again\(rest)"
        case .untrusted:
            "if a proxy or a private registry should answer there, pass its CA certificate with --ca-bundle FILE"
        case .unusableFile: file
        case .wrongEndpoint where isPlain: "check the registry's address in the reference"
        case .wrongEndpoint: "check AWS_ENDPOINT_URL_ECR and the endpoint flags of the \(error.side.rawValue)"
        case .upstream(let upstream): CacheRuleAdvice(upstream.rule).trouble(upstream.code)
        case .rejected(let code, _) where code.hasPrefix("HTTP 5"):
            "look for the reason in the server's log, and run again later\(rest)"
        case .rejected(let code, _) where code == "HTTP 413":
            "a proxy in front of the registry limits the size of a request: raise that limit (nginx: client_max_body_size)"
        case .rejected: "run again with --log-level debug to see every request"
        case .unsupported(let what): UnsupportedAdvice(what, error).text
        }
    }

    private var credentials: String {
        switch error.underlying {
        case .identity(let cause): cause.remedy
        case .login(let cause): cause.remedy
        case .ecr, .sts: "check the keys, whether they have expired, and this machine's clock"
        case .registry, .wire, .layout, .file, nil:
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --\(error.side.rawValue)-profile"
        }
    }

    private var file: String {
        switch error.underlying {
        case .layout(let cause): cause.remedy
        case .file(let cause) where cause.problem != nil:
            "put a regular file there, or create the layout again: only regular files are read from a layout"
        default: "check the path, its permissions and the free space on the disk"
        }
    }

    /// The advice about a missing repository; ECR reports the same error when the repository is in another account or
    /// region.
    private var missingRepository: String {
        guard let place else {
            return error.side == .destination
                ? "create it, or pass --create-repository defaults; if it exists, check account and region"
                : "check the name, account and region"
        }
        let (account, region) = (place.host.account, place.host.region)
        let looked = "ECR looked in account \(account), region \(region), as the reference says"
        return error.side == .destination
            ? "create it, with credentials of account \(account):\n    aws ecr create-repository --region \(region) "
                + "--repository-name \(place.repository)\n  or pass --create-repository defaults; if it exists, check the "
                + "reference: \(looked)"
            : "check name, account and region: \(looked); list the repositories with\n    aws ecr describe-repositories --region "
                + "\(region) --registry-id \(account)"
    }

    /// The advice about a KMS key with which a repository can't be created.
    private var keyOfNewRepository: String {
        "check that the key is enabled and is in \(place.map { "region \($0.host.region)" } ?? "the repository's region"), "
            + "and that the identity used for the destination may use it: ecr-replicate iam-policy --kms-key ARN prints "
            + "the permissions"
    }

    /// The repository that the error is about; `nil` if it is not in ECR.
    var place: ECRPlace? { ECRPlace(error.image) }

    /// Whether the error is about a registry that is not ECR.
    private var isPlain: Bool { if case .plain? = error.image?.registry { true } else { false } }

    private var rest: String { error.onlyReads ? "" : "; blobs that arrived stay at the destination" }

    private var repositoryOfImage: String {
        let bare = error.place.prefix { $0 != "@" }
        guard let colon = bare.lastIndex(of: ":"), !bare[colon...].contains("/") else { return String(bare) }
        return String(bare[..<colon])
    }
}
