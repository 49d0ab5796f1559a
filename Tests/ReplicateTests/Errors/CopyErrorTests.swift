import AWSIdentity
import Content
import Distribution
import Platform
import Reporting
import Testing

@testable import Replicate

/// What people read when something fails: operation, side, image, cause, remedy, request id.
@Suite("Errors")
struct CopyErrorTests {
    private static let (one, two) = (Digest(of: [1]), Digest(of: [2]))
    private static let tag = tagged("v1")

    private typealias Row = (CopyError.Reason, CopyError.Side, cause: String, remedy: String, CopyError.Kind)

    private static let table: [Row] = [
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
            .noCredentials("there are none"), .destination, "there are none",
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --destination-profile",
            .notPermitted
        ),
        (
            .unusableFile("open /x: No such file or directory"), .source, "open /x: No such file or directory",
            "check the path, its permissions and the free space on the disk", .failed
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
            "list the images with: ecr-replicate ls a.test:5000/team/app", .failed
        ),
        (
            .tagMismatch, .source, "the tag does not point at that digest (any more)",
            "see what the tag holds: ecr-replicate inspect a.test:5000/team/app:v1", .failed
        ),
        (
            .archived, .source, "the image is archived",
            "restore it first (aws ecr update-image-storage-class --target-storage-class STANDARD), then run again",
            .failed
        ),
        (
            .keyUnusable("disabled"), .source, "ECR can't use the repository's KMS key: disabled",
            "check the state of the repository's key: aws kms describe-key --key-id KEY", .failed
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
            "tag v1 should hold \(one) but holds \(two)", "check what the tag holds now, then decide again",
            .refused
        ),
        (
            .tagMoved(tag: tag, expected: one, holds: nil), .destination,
            "tag v1 should hold \(one) but does not exist", "check what the tag holds now, then decide again",
            .refused
        ),
        (
            .gateDenied(.init(text: "1 of 2 gates denied the image: scan failed: 1 HIGH above LOW", remedy: "fix it")),
            .source, "1 of 2 gates denied the image: scan failed: 1 HIGH above LOW", "fix it", .refused
        ),
        (
            .gateDenied(.init(text: "1 of 1 gate denied the image: min-age is unknown: why")), .source,
            "1 of 1 gate denied the image: min-age is unknown: why",
            "read what each gate says, and promote an image that passes", .refused
        ),
        (
            .gateDenied(.init(text: "the signatures of the copy: 1 of 2 signatures did not arrive", remedy: "again")),
            .destination, "the signatures of the copy: 1 of 2 signatures did not arrive", "again", .refused
        ),
        (
            .gateDenied(.init(text: "the gates of rule 'r' could not be set up, so no image passes", remedy: "fix it")),
            .source, "the gates of rule 'r' could not be set up, so no image passes", "fix it", .refused
        ),
        (
            .undoRefused(problem: "there is no record", remedy: "promote again"), .destination,
            "can't undo: there is no record", "promote again", .refused
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
            .childMissing(one, of: two), .source, "\(two) names the manifest \(one), which the source does not have",
            "push the missing image again, or copy part of the index with --platform", .failed
        ),
        (
            .blobMissing(one), .source, "the source does not have the blob \(one)",
            "push the image again at the source", .failed
        ),
        (
            .corrupt(expected: one, detail: "others"), .source, "the bytes received are not \(one): others",
            "run again; if it happens again, the stored content is damaged: push the image again", .failed
        ),
        (
            .badManifest(.noConfig), .source, "the image manifest names no config",
            "push the image again with a current tool", .failed
        ),
        (
            .badManifest(.encoded("x-foo")), .source,
            "the manifest came with Content-Encoding 'x-foo', which was not requested and can't be decoded",
            "make the registry, or the proxy in front of it, send manifests as they are stored, without "
                + "Content-Encoding",
            .failed
        ),
        (
            .platformMissing(wanted: "a/b", has: ["c/d", "e/f"]), .source,
            "there is no image for a/b; the index has c/d, e/f", "choose one of those with --platform", .failed
        ),
        (
            .platformMissing(wanted: "a/b", has: []), .source, "there is no image for a/b; the index has no platforms",
            "leave out --platform", .failed
        ),
        (
            .platformAmbiguous(wanted: "windows/amd64", choices: ["windows/amd64:1", "windows/amd64:2"]), .source,
            "several images are for windows/amd64: windows/amd64:1, windows/amd64:2",
            "name one of them with --platform, or copy it by its digest", .failed
        ),
        (
            .quota("full"), .destination, "a quota is used up: full",
            "delete images that are no longer needed, or ask the registry's administrator for more space", .failed
        ),
        (
            .throttled("slow"), .destination, "throttled: slow",
            "run again later, with a smaller --jobs or fewer runs at once; blobs that arrived stay at the "
                + "destination", .failed
        ),
        (
            .retriesUsedUp("no answer: cut; the retry budget of the source is used up"), .source,
            "no answer: cut; the retry budget of the source is used up",
            "find out why so many requests failed there, then run again; blobs that arrived stay at the "
                + "destination", .failed
        ),
        (
            .unreachable("cut"), .destination, "no answer: cut",
            "check the registry's address, the network and the proxy, then run again; blobs that arrived stay at the "
                + "destination", .failed
        ),
        (
            .untrusted("bad"), .destination, "the server's certificate could not be verified: bad",
            "if a proxy or a private registry should answer there, pass its CA certificate with --ca-bundle "
                + "FILE", .failed
        ),
        (
            .wrongEndpoint("elsewhere"), .source, "elsewhere",
            "check the registry's address in the reference", .failed
        ),
        (
            .upstream(.init(code: "UpstreamUnavailable", text: "away")), .source, "UpstreamUnavailable: away",
            "run again later, or copy from the upstream itself: the upstream of the pull-through cache rule of the repository "
                + "does not answer", .failed
        ),
        (
            .rejected(code: "Odd", text: "words"), .source, "Odd: words",
            "run again with --log-level debug to see every request", .failed
        ),
    ]

    private static let furtherTable: [Row] = [
        (
            .unsupported(.referenceWithoutImage), .source, "the reference names neither a tag nor a digest",
            "add :TAG or @DIGEST", .failed
        ),
        (
            .unsupported(.destinationWithoutRepository), .destination,
            "the source is an image layout, which has no repository name to keep",
            "add the repository to the destination: HOST/REPO",
            .failed
        ),
        (
            .unsupported(.listOfRepositories), .source,
            "the registry has no list of its repositories (/v2/_catalog)",
            "name the repository: ecr-replicate ls a.test:5000/team/app:v1@\(two)REPO; many registries list their "
                + "repositories on their web pages only, or to administrators", .failed
        ),
        (
            .unsupported(.newestWithoutPushTimes), .source,
            "the newest images can't be chosen, because this registry doesn't say when images were pushed",
            "leave out --newest, or choose by tag with --match", .failed
        ),
        (
            .unsupported(.platformOfSingleImage), .source,
            "a platform can only be chosen from an index, and this is a single image", "leave out --platform", .failed
        ),
        (
            .unsupported(.foreignLayers("refused")), .destination, "refused",
            "choose a platform without such layers with --platform, or make the registry allow these urls "
                + "(docker-registry: validation.manifests.urls.allow)", .failed
        ),
        (
            .unsupported(.buildCache(answer: nil)), .destination,
            "this is a BuildKit build cache: an index that lists layers (\(MediaType.buildKitCacheConfig)), and the "
                + "registry accepts only indexes of manifests",
            "write the cache as an image manifest: add image-manifest=true,oci-mediatypes=true to --cache-to "
                + "type=registry; to copy the other tags without it, pass --exclude TAG with --all-tags", .failed
        ),
        (
            .unsupported(.indexOfBlobs(one, type: "text/x", answer: "no")), .destination,
            "the index \(one) lists 'text/x', which is not a manifest, and the registry accepts only indexes of "
                + "manifests: no",
            "build the index again without that entry; to copy the other tags without it, pass --exclude TAG with "
                + "--all-tags", .failed
        ),
        (.unsupported(.uploadInParts("too small")), .destination, "too small", "leave out --upload api", .failed),
        (
            .unsupported(.referrers(most: 9)), .source,
            "there are more than 9 referrers, and at most 9 are copied for one image",
            "delete the referrers at the source that are no longer needed", .failed
        ),
        (
            .unsupported(.manifestMemory(1 << 20)), .source, "the image's manifests need more than 1.0 MB of memory",
            "copy fewer platforms with --platform", .failed
        ),
        (
            .unsupported(.damagedLayout("damaged")), .source, "damaged",
            "create the layout again from the original images", .failed
        ),
        (
            .unsupported(.ambiguousName("two are called v1", example: "oci:d@1")), .source, "two are called v1",
            "name one by its digest, as in oci:d@1", .failed
        ),
        (
            .unsupported(.ambiguousName("two are called v1", example: "oci:d@1")), .destination, "two are called v1",
            "use another tag, or remove one of the images from the layout first", .failed
        ),
        (
            .unsupported(.sharedTag("two are called v1", example: "oci:d@1")), .source, "two are called v1",
            "copy each by its digest, as in oci:d@1, with a tag of its own", .failed
        ),
        (
            .unsupported(.unmappedKey("alias/build")), .destination,
            "the source's repository is encrypted with the KMS key 'alias/build', and no key is named for it at the "
                + "destination",
            "name the key to use: --kms-key alias/build=KEY, or in a rule file 'alias/build: KEY' among the kmsKeys of "
                + "the destination's registry; KEY is an ARN, an id or an alias there, and alias/aws/ecr stands for "
                + "AWS's own key", .failed
        ),
        (
            .unsupported(.keyOfOtherRegion("arn:aws:kms:us-east-1:111122223333:key/1", region: "eu-west-1")),
            .destination,
            "a repository in eu-west-1 can't be encrypted with the KMS key 'arn:aws:kms:us-east-1:111122223333:key/1' "
                + "of another region",
            "name a key of eu-west-1 with --kms-key, or in kmsKeys of a rule file", .failed
        ),
        (
            .unsupported(.writingToArchive), .destination, "images can't be written to archives",
            "copy the image to a directory: oci:DIR", .failed
        ),
        (
            .unsupported(.other("not this")), .source, "not this", "this image can't be copied as it is", .failed
        ),
    ]

    private static let rows = table + furtherTable

    /// At least one of every reason.
    static var examples: [CopyError.Reason] { rows.map(\.0) }

    private static func tagged(_ text: String) -> Content.Tag {
        guard let tag = try? Content.Tag(parsing: text) else { preconditionFailure(text) }
        return tag
    }

    @Test("have a cause, a remedy and a request id", arguments: rows.indices)
    func texts(_ index: Int) {
        let (reason, side, cause, remedy, kind) = Self.rows[index]
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

    @Test("name no flag, which only the command has")
    func withoutFlags() {
        for error in Self.rows.map({ CopyError($0.0, side: $0.1, image: "a.test/app", operation: "asking") })
            + ErrorTextCase.all.map(\.error)
        {
            #expect(!error.cause.contains("--") && !error.headline.contains("--"), "\(error)")
        }
    }

    @Test("have the underlying error's remedy")
    func underlyingRemedies() {
        func remedy(_ error: any Error) -> String {
            CopyError(explaining: error, side: .source, image: "a.test/app", "asking").remedy
        }
        #expect(remedy(IdentityError("expired", remedy: "get others")) == "get others")
        #expect(remedy(LoginError("locked", remedy: "log in")) == "log in")
        #expect(remedy(LayoutError("odd", remedy: "wait")) == "wait")
        let pipe = SystemError(call: "open", path: "/x", code: 0, problem: "is a FIFO")
        #expect(remedy(pipe).hasPrefix("put a regular file there"))
        let missing = SystemError(call: "open", path: "/x", code: 2)
        #expect(remedy(missing) == "check the path, its permissions and the free space on the disk")
    }

    @Test("name the policies of a copy only if something is copied")
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
