import Content
import Reporting
import Testing

@testable import Replicate

/// What people read when something fails: operation, side, image, cause, remedy, request id.
@Suite("Errors")
struct CopyErrorTests {
    private static let (one, two) = (Digest(of: [1]), Digest(of: [2]))
    private static let tag = tagged("v1")

    private static let table: [(CopyError.Reason, CopyError.Side, cause: String, remedy: String, CopyError.Kind)] = [
        (
            .denied(action: "ecr:PutImage", text: "because"), .destination, "not allowed to ecr:PutImage: because",
            "grant ecr:PutImage to the identity used for the destination (and, across accounts, in the policy of "
                + "the repository)", .notPermitted
        ),
        (
            .denied(action: "ecr:BatchGetImage", text: ""), .source, "not allowed to ecr:BatchGetImage",
            "grant ecr:BatchGetImage to the identity used for the source (and, across accounts, in the policy of "
                + "the repository)", .notPermitted
        ),
        (
            .denied(action: "upload", text: "no", remedy: "log in"), .destination, "not allowed to upload: no",
            "log in", .notPermitted
        ),
        (
            .noCredentials("there are none"), .destination, "there are none",
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --destination-profile",
            .notPermitted
        ),
        (
            .noCredentials("expired", remedy: "get others"), .source, "expired", "get others", .notPermitted
        ),
        (
            .unusableFile("open /x: No such file or directory"), .source, "open /x: No such file or directory",
            "check the path, its permissions and the room on the disk", .failed
        ),
        (
            .repositoryMissing, .destination, "the repository does not exist",
            "create it, or pass --create-repository defaults; if it exists, check account and region", .failed
        ),
        (
            .repositoryMissing, .source, "the repository does not exist", "check the name, account and region",
            .failed
        ),
        (
            .imageMissing, .source, "the image does not exist",
            "list what is there with: ecr-replicate ls a.test:5000/team/app", .failed
        ),
        (
            .tagMismatch, .source, "the tag does not point at that digest (any more)",
            "look with: ecr-replicate inspect a.test:5000/team/app:v1", .failed
        ),
        (
            .archived, .source, "the image is archived",
            "restore it first (aws ecr update-image-storage-class --target-storage-class STANDARD), then run again",
            .failed
        ),
        (
            .keyUnusable("disabled"), .source, "ECR can't use the repository's KMS key: disabled",
            "look at the state of the repository's key: aws kms describe-key --key-id KEY", .failed
        ),
        (
            .emptyBlob(.ofNothing), .destination,
            "the image has a blob without bytes (\(Digest.ofNothing)), and ECR can't store one",
            "build the image again without the empty layer", .failed
        ),
        (
            .tagImmutable(tag: tag, holds: one, wanted: two), .destination,
            "tag v1 is immutable and holds \(one); wanted \(two)",
            "use a new tag, or exclude this one from the repository's immutability", .refused
        ),
        (
            .tagImmutable(tag: tag, holds: nil, wanted: two), .destination, "tag v1 is immutable; wanted \(two)",
            "use a new tag, or exclude this one from the repository's immutability", .refused
        ),
        (
            .tagHolds(tag: tag, holds: one, wanted: two), .destination, "tag v1 holds \(one), not \(two)",
            "pass --if-exists move to move it, or use another tag", .refused
        ),
        (
            .tagMoved(tag: tag, expected: one, holds: two), .destination,
            "tag v1 should hold \(one) but holds \(two)", "look at what the tag holds now, and decide again",
            .refused
        ),
        (
            .tagMoved(tag: tag, expected: one, holds: nil), .destination,
            "tag v1 should hold \(one) but does not exist", "look at what the tag holds now, and decide again",
            .refused
        ),
        (
            .tagUnfit(tag: "-x", reason: "a tag can't begin with . or -"), .destination,
            "the registry can't hold the tag '-x': a tag can't begin with . or -",
            "set another tag at the source (ecr-replicate retag) and copy that, or leave this one out with --exclude",
            .failed
        ),
        (
            .tagUnfit(tag: "a\u{1B} b", reason: "only letters, digits and _ . - are allowed"), .source,
            "the registry lists 'a? b', which is not a tag: only letters, digits and _ . - are allowed",
            "delete the tag at the source, or leave it out with --exclude", .failed
        ),
        (
            .childMissing(one, of: two), .source, "\(two) names the manifest \(one), which is not there",
            "the index is incomplete; push the missing image again, or copy with --platform", .failed
        ),
        (
            .blobMissing(one), .source, "the source does not have the blob \(one)",
            "push the image again at the source", .failed
        ),
        (
            .corrupt(expected: one, detail: "others"), .source, "the bytes received are not \(one): others",
            "run again; if it repeats, what is stored is damaged and must be pushed anew", .failed
        ),
        (
            .badManifest(.noConfig), .source, "the image manifest names no config",
            "this can't be copied as it is; push the image again with a current tool", .failed
        ),
        (
            .badManifest(.encoded("x-foo")), .source,
            "the manifest came with Content-Encoding 'x-foo', which was not requested and can't be decoded",
            "have the registry, or the proxy in front of it, send manifests without Content-Encoding, as they are stored",
            .failed
        ),
        (
            .platformMissing(wanted: "a/b", has: ["c/d", "e/f"]), .source,
            "there is no image for a/b; it has c/d, e/f", "choose one of those with --platform", .failed
        ),
        (
            .platformMissing(wanted: "a/b", has: []), .source, "there is no image for a/b; it has no platforms",
            "leave out --platform", .failed
        ),
        (
            .platformAmbiguous(wanted: "windows/amd64", choices: ["windows/amd64:1", "windows/amd64:2"]), .source,
            "several images are for windows/amd64: windows/amd64:1, windows/amd64:2",
            "name one of them with --platform, or copy it by its digest", .failed
        ),
        (
            .quota("full"), .destination, "a quota is used up: full",
            "delete what is no longer needed, or ask the registry's administrator for more room", .failed
        ),
        (
            .throttled("slow"), .destination, "throttled: slow",
            "run again later, with a smaller --jobs or fewer runs at once; what has arrived stays", .failed
        ),
        (
            .retriesUsedUp("no answer: cut; the retry budget of the source is used up"), .source,
            "no answer: cut; the retry budget of the source is used up",
            "too much failed in a short time: see what is wrong there, then run again; what has arrived stays", .failed
        ),
        (
            .unreachable("cut"), .destination, "no answer: cut",
            "check the registry's address, the network and the proxy, then run again; what has arrived stays", .failed
        ),
        (
            .untrusted("bad"), .destination, "the server's certificate could not be verified: bad",
            "if a proxy or a private registry is meant to answer there, name its CA with --ca-bundle FILE", .failed
        ),
        (
            .wrongEndpoint("elsewhere"), .source, "elsewhere",
            "check the registry's address in the reference", .failed
        ),
        (
            .upstream(code: "UpstreamUnavailable", text: "away", nil), .source, "UpstreamUnavailable: away",
            "run again later, or copy from the upstream itself: the upstream of the pull-through cache rule of the repository "
                + "does not answer", .failed
        ),
        (
            .rejected(code: "Odd", text: "words"), .source, "Odd: words",
            "run again with --log-level debug to see every request", .failed
        ),
        (.unsupported("not this"), .source, "not this", "this can't be done with what is there", .failed),
        (.unsupported("not this", remedy: "but that"), .source, "not this", "but that", .failed),
        (.unusableFile("locked", remedy: "wait"), .destination, "locked", "wait", .failed),
    ]

    /// At least one of every reason.
    static var examples: [CopyError.Reason] { table.map(\.0) }

    private static func tagged(_ text: String) -> Content.Tag {
        guard let tag = try? Content.Tag(parsing: text) else { preconditionFailure(text) }
        return tag
    }

    @Test("say all there is to say", arguments: table.indices)
    func texts(_ index: Int) {
        let (reason, side, cause, remedy, kind) = Self.table[index]
        let image = "a.test:5000/team/app:v1@\(Self.two)"
        var error = CopyError(reason, side: side, image: image, operation: "PutImage")
        #expect(error.explanation == "PutImage failed at the \(side) \(image): \(cause)\n  next: \(remedy)")
        error.requestID = "r-1"
        #expect(error.explanation.hasSuffix("\n  request id: r-1"))
        #expect(error.kind == kind)
        // Where nothing was to arrive, nothing has.
        error.onlyReads = true
        #expect(!error.explanation.contains("arrived"))
    }

    @Test("name the policies of a copy only where something is copied")
    func onlyReads() {
        let denied = ErrorTextCase.denied(
            "ecr:PutImage",
            "because no identity-based policy allows the ecr:PutImage action"
        )
        var error = CopyError(explaining: denied, side: .source, image: ErrorTextCase.destination, "asking")
        #expect(error.remedy.contains("iam-policy --principal arn:aws:iam::111122223333:role/build SOURCE DESTINATION"))
        error.onlyReads = true
        #expect(error.remedy.contains(#"{"Effect":"Allow""#) && !error.remedy.contains("iam-policy"))
    }
}
