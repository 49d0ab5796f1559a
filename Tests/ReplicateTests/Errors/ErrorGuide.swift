import Content

@testable import Replicate

/// Every error a run may end with: what is printed, what it means, what to do.
///
/// `docs/operations.md` has this as its table, row by row, and a test keeps each row to what the code prints.
enum ErrorGuide {
    struct Entry: Sendable, Hashable {
        /// As ``CopyError/Reason/name``.
        var reason: String
        /// What is printed after the colon; `…` stands for anything, or nothing.
        var says: String
        /// Of a run in which every image fails so.
        var exitCode: Int32
        /// In Markdown.
        var meaning: String

        init(_ reason: String, _ says: String, _ exitCode: Int32, _ meaning: String) {
            (self.reason, self.says, self.exitCode, self.meaning) = (reason, says, exitCode, meaning)
        }

        /// Whether this is about such an error; of several that are, the first is.
        func covers(_ error: CopyError) -> Bool {
            reason == error.reason.name && matchesWildcard(error.cause, says.replacing("…", with: "*"))
        }

        /// Its row in the table.
        var row: String { "| `\(says)` (\(reason)) | \(exitCode) | \(meaning) |" }
    }

    /// - Returns: `nil` for an error that nobody thought of.
    static func entry(for error: CopyError) -> Entry? { entries.first { $0.covers(error) } }

    static let entries = denials + credentials + absences + refusals + content + limits + network + other
}

/// Somebody may not.
extension ErrorGuide {
    static let denials = [
        Entry(
            "denied",
            "not allowed to sts:…",
            4,
            "The role can't be assumed: the caller may not (its identity policy), or the role doesn't let it in (its trust "
                + "policy, and the external id or second factor that this may ask for). Where AWS doesn't say which, both "
                + "statements are printed. The external id never is"
        ),
        Entry(
            "denied",
            "not allowed to s3:GetObject: …",
            4,
            "ECR gave an address for a layer, and S3 refuses it: most likely the policy of a VPC endpoint for S3 leaves out "
                + "the layers' bucket. What S3 says and the statement are printed. A 403 in other words than S3's is of "
                + "a proxy or firewall on the way"
        ),
        Entry(
            "denied",
            "not allowed to …with an explicit deny…",
            4,
            "Some policy forbids it, and no Allow beats a Deny. Whose it is is printed: the caller's, the repository's, the "
                + "organization's, a VPC endpoint's. Narrow that statement"
        ),
        Entry(
            "denied",
            "not allowed to …because no identity-based policy allows…",
            4,
            "The caller's own policies lack the action. Add the statement that is printed to the role, user or permission "
                + "set that is named"
        ),
        Entry(
            "denied",
            "not allowed to …because no resource-based policy allows…",
            4,
            "Across accounts the repository's policy must let the caller in as well (the registry's, where a repository is to "
                + "be created). Add the statement that is printed to it, as somebody of that account"
        ),
        Entry(
            "denied",
            "not allowed to …because no session policy allows…",
            4,
            "The role may, this session of it may not: it was begun with a policy of its own. Whoever begins it must add the "
                + "statement"
        ),
        Entry(
            "denied",
            "not allowed to …because no permissions boundary allows…",
            4,
            "The caller's permissions boundary leaves the action out. Who administers IAM in that account adds the statement"
        ),
        Entry(
            "denied",
            "not allowed to …because no service control policy allows…",
            4,
            "The organization of the caller's account leaves the action out. Who administers the organization adds it"
        ),
        Entry(
            "denied",
            "not allowed to …because no resource control policy allows…",
            4,
            "The organization of the account that owns the repository denies it to the caller: such policies only deny. Who "
                + "administers that organization narrows the Deny, or adds the exception. Nothing can be added that allows"
        ),
        Entry(
            "denied",
            "not allowed to …because no VPC endpoint policy allows…",
            4,
            "The request went through a VPC endpoint (`ecr.api` or `ecr.dkr`; which is printed) whose policy leaves it out. Add "
                + "the statement there"
        ),
        Entry(
            "denied",
            "not allowed to ecr:…",
            4,
            "AWS doesn't say whose policy is missing: in one account the caller's, across accounts the caller's and the "
                + "repository's. The statements are printed. [Permissions](permissions.md)"
        ),
        Entry(
            "denied",
            "not allowed to …",
            4,
            "Another registry knows you, or nobody, and refuses; log in as somebody who may"
        ),
    ]
}

/// AWS, or a registry, takes no credentials, or not these.
extension ErrorGuide {
    static let credentials = [
        Entry(
            "noCredentials",
            "there are no AWS credentials…",
            4,
            "What was tried is listed. Set keys, or name a profile or a role. A docker login for the registry is named, and "
                + "why it doesn't serve"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (ExpiredToken…",
            4,
            "The session has ended, and there was nothing to renew it with. Begin a new one"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (UnrecognizedClient…",
            4,
            "AWS doesn't know the access key id: it is wrong or deleted, or of another partition. In a region that must be "
                + "enabled first (all since 2019), it isn't, or the session is of the global STS endpoint"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (InvalidClientTokenId…",
            4,
            "The same, in STS's words"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (OptInRequired)…",
            4,
            "The region is not enabled for the account: `aws account enable-region`, in AWS's own partition"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (RegionDisabledException…",
            4,
            "The same, in STS's words"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (InvalidSignatureException): Signature …",
            4,
            "This machine's clock is off; by how much is printed. A signature is good for five minutes, and the "
                + "service's own time was tried already"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (InvalidSignatureException): Credential …",
            4,
            "An endpoint of another region answers than the reference names: check the endpoint flags and "
                + "`AWS_ENDPOINT_URL_ECR`"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (InvalidSignatureException): …",
            4,
            "The secret access key isn't the one of this access key id, or something on the way changes requests"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (SignatureDoesNotMatch): Signature …",
            4,
            "In STS's words: this machine's clock is off"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (SignatureDoesNotMatch): …",
            4,
            "In STS's words: the secret access key isn't the one of this access key id, or something on the way "
                + "changes requests"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (…",
            4,
            "The code in parentheses is AWS's. Look at keys, clock, proxy and endpoint"
        ),
        Entry(
            "noCredentials",
            "the role … could not be assumed: …MultiFactorAuthentication failed…",
            4,
            "Three codes of the second factor were refused: they are wrong, were used before, or are another device's. Run "
                + "again with the one that is shown now; check the device's clock and `mfa_serial`"
        ),
        Entry(
            "noCredentials",
            "the role … could not be assumed: …",
            4,
            "STS refuses for another reason than a missing permission, which is printed: a session that has ended, a region "
                + "that is not enabled"
        ),
        Entry(
            "noCredentials",
            "the registry does not accept the credentials: …",
            4,
            "ECR's registry wants a token of its own region: an endpoint flag sends `GetAuthorizationToken` elsewhere; or the "
                + "session that got the token was ended"
        ),
        Entry(
            "noCredentials",
            "not allowed to …",
            4,
            "A registry that isn't ECR wants other credentials than are stored for it, or has none; the files that were "
                + "read are named. The commands that log in or out are printed. [Logging in](registries.md#logging-in)"
        ),
        Entry(
            "noCredentials",
            "a reference without a registry needs a region…",
            4,
            "Pass `--region`, set `AWS_REGION`, or name the registry"
        ),
        Entry(
            "noCredentials",
            "…",
            4,
            "The text says what: a profile that isn't in the files, a role that can't be tried, a helper that failed"
        ),
    ]
}

/// An image or a tag isn't what it should be.
extension ErrorGuide {
    static let absences = [
        Entry(
            "repositoryMissing",
            "the repository does not exist",
            1,
            "ECR says so of a repository that is elsewhere, too: account and region are those of the reference. At the "
                + "destination: create it (the command is printed) or pass `--create-repository defaults`"
        ),
        Entry(
            "imageMissing",
            "the image does not exist",
            1,
            "No such tag or digest; `ecr-replicate ls` lists what there is"
        ),
        Entry(
            "tagMismatch",
            "the tag does not point at that digest (any more)",
            1,
            "`TAG@DIGEST` was asked for and the tag has moved; `inspect` shows where"
        ),
        Entry(
            "archived",
            "the image is archived",
            1,
            "ECR keeps it in the archive. Restore it with `aws ecr update-image-storage-class` (the whole command is printed), "
                + "wait until it is ACTIVE, run again"
        ),
        Entry(
            "keyUnusable",
            "ECR can't use the repository's KMS key: …",
            1,
            "The key is disabled, waits for deletion, or is deleted: the commands that help are printed. If ECR's grant on it was "
                + "revoked, nothing makes it again: push to a new repository"
        ),
    ]

    static let refusals = [
        Entry(
            "tagImmutable",
            "tag … is immutable…",
            3,
            "The repository's tags are fixed and this one holds another digest. Use a new tag, or exclude this one from "
                + "immutability. Nothing was moved (unless `ecr:DescribeRepositories` is denied)"
        ),
        Entry(
            "tagHolds",
            "tag … holds …, not …",
            3,
            "`--if-exists fail`, which `promote` implies. `--if-exists move` moves it"
        ),
        Entry(
            "tagMoved",
            "tag … should hold …",
            3,
            "`--if-current` named another digest, or the tag doesn't exist. Somebody was faster: look, then decide again"
        ),
    ]

    static let content = [
        Entry(
            "emptyBlob",
            "the image has a blob without bytes (…",
            1,
            "Plain registries store it, ECR can't. Build the image without the empty layer"
        ),
        Entry(
            "tagUnfit",
            "the registry can't hold the tag …",
            1,
            "ECR holds tags of up to 300 characters, and such that begin with `-` or `.`; other registries take 128 characters "
                + "and a letter, digit or underscore in front. Copy the image under another tag, or leave this one out with "
                + "`--exclude`"
        ),
        Entry(
            "tagUnfit",
            "the registry lists …, which is not a tag: …",
            1,
            "The source's list has a name that no registry can be asked for. Delete it there, or leave it out with `--exclude`"
        ),
        Entry(
            "childMissing",
            "… names the manifest …, which is not there",
            1,
            "The index is incomplete at the source. Push the missing image again, or take a part with `--platform`"
        ),
        Entry(
            "blobMissing",
            "the … does not have the blob …",
            1,
            "The source has the manifest and not the blob. Push the image again there"
        ),
        Entry(
            "corrupt",
            "the bytes received are not …",
            1,
            "Size or hash differed three times. Nothing of it is at the destination. If a second run says the same, what is "
                + "stored is damaged"
        ),
        Entry(
            "badManifest",
            "…",
            1,
            "Not JSON, too large, signed schema 1, and so on; the text says which. Push it again with a current tool"
        ),
        Entry(
            "platformMissing",
            "there is no image for …",
            1,
            "`--platform` names what the index doesn't have; what it has is listed"
        ),
        Entry(
            "platformAmbiguous",
            "several images are for …",
            1,
            "`--platform` fits several images of the index, such as two Windows builds. Name one of those that are listed, for "
                + "example `windows/amd64:10.0.20348.2582`"
        ),
    ]
}

/// A service, the way to it, or this machine is the trouble.
extension ErrorGuide {
    static let limits = [
        Entry(
            "quota",
            "a quota is used up: …",
            1,
            "ECR's `LimitExceededException`, or a registry that has no room: a hard limit, not a rate, hence not retried. Tags per "
                + "image (1,000) can't be raised; images per repository and repositories can, with the command that is printed"
        ),
        Entry(
            "throttled",
            "throttled: …",
            1,
            "Until the tries ran out, or at once where the service asks for a wait of more than five minutes or a limit for pulls "
                + "is used up: the wait is named, and how to log in. See [Throttles](#throttles)"
        ),
        Entry(
            "retriesUsedUp",
            "…; the retry budget of the … is used up",
            1,
            "So much failed at that side, or on the way to it, that nothing more is tried again. See what is wrong there, "
                + "then run again. [Retries](#retries)"
        ),
    ]

    static let network = [
        Entry(
            "unreachable",
            "no answer: …-starport-layer-bucket…",
            1,
            "Layers come from S3, and this machine doesn't get there: a VPC without internet access needs a gateway endpoint "
                + "for S3, whose policy allows the region's layers' bucket. [PrivateLink](permissions.md#privatelink)"
        ),
        Entry(
            "unreachable",
            "no answer: …Could not resolve host…",
            1,
            "A region that doesn't exist, DNS, or a VPC without the interface endpoint that is named and private DNS (which has no "
                + "dual-stack names)"
        ),
        Entry(
            "unreachable",
            "no answer: …the host of the proxy … can't be resolved…",
            1,
            "The host in `HTTPS_PROXY` doesn't exist"
        ),
        Entry(
            "unreachable",
            "no answer: …the proxy … answered …",
            1,
            "The proxy refuses: 407 wants a login in `HTTPS_PROXY`, or another than is there, 5xx doesn't get to this host itself, anything else doesn't "
                + "let it be reached"
        ),
        Entry(
            "unreachable",
            "no answer: … (curl 35)",
            1,
            "What answers there doesn't speak TLS 1.2: another port or scheme, or something in between"
        ),
        Entry(
            "unreachable",
            "no answer: …",
            1,
            "Refused, silent, or cut again and again: routes, firewalls, security groups, proxy, endpoint. What has arrived "
                + "stays. An upload that ECR closes without an answer has been asked about: a missing repository or "
                + "permission is said instead"
        ),
        Entry(
            "untrusted",
            "the server's certificate could not be verified: …no alternative certificate subject name…",
            1,
            "The certificate is for other names. A VPC endpoint is called by a name its certificate has"
        ),
        Entry(
            "untrusted",
            "the server's certificate could not be verified: …certificate has expired…",
            1,
            "This machine's clock, or the server's certificate"
        ),
        Entry(
            "untrusted",
            "the server's certificate could not be verified: … (curl 77)",
            1,
            "The file of `--ca-bundle`, `AWS_CA_BUNDLE` or the profile's `ca_bundle` can't be read, or holds no certificates"
        ),
        Entry(
            "untrusted",
            "the server's certificate could not be verified: …",
            1,
            "A certificate that no trusted CA signed: a proxy that looks into TLS, or a private registry; name its CA with "
                + "`--ca-bundle`. Or plain http where it isn't allowed"
        ),
        Entry(
            "wrongEndpoint",
            "…",
            1,
            "An endpoint is malformed or names a registry in another region or at AWS; check `AWS_ENDPOINT_URL_ECR` and the "
                + "endpoint flags"
        ),
    ]

    static let other = [
        Entry(
            "unusableFile",
            "…",
            1,
            "An image layout or archive isn't there, is none, is damaged, compressed or locked, has anything but regular files "
                + "in it, or holds several images and the reference names none: then they are listed. Or the disk is full. "
                + "The path is named"
        ),
        Entry(
            "upstream",
            "…: …",
            1,
            "A pull-through cache rule covers the source, and its upstream registry has trouble, or ECR with the rule's secret. "
                + "UpstreamTooManyRequests and UpstreamUnavailable were tried again before; the remedy is the code's own and "
                + "names the rule and its secret, where `ecr:DescribePullThroughCacheRules` is allowed"
        ),
        Entry(
            "rejected",
            "redirect not followed: …",
            1,
            "A redirect from https to plain http, to nowhere, or one too many. To http at the same host: a proxy that ends TLS "
                + "must send `X-Forwarded-Proto: https`"
        ),
        Entry(
            "rejected",
            "…upload address that begins with http: …",
            1,
            "A proxy that ends TLS does not tell the registry that it was asked over https: have it send "
                + "`X-Forwarded-Proto: https` and `Host`, or set the registry's own address (docker-registry: `http.host`)"
        ),
        Entry("rejected", "answer too large: …", 1, "What answers there is not a registry, or is broken"),
        Entry("rejected", "…: …", 1, "The registry's own answer, for which there is no better word"),
        Entry(
            "unsupported",
            "the registry refuses the manifest (…)…layers by urls…",
            1,
            "The image has foreign layers, whose bytes stay at the address in their `urls`, and this registry forbids that. "
                + "Take a platform without them, or allow the addresses (docker-registry: `validation.manifests.urls.allow`)"
        ),
        Entry(
            "unsupported",
            "…",
            1,
            "The text says what; for example `--platform` with a single image, `--newest` where the registry doesn't say "
                + "when images were pushed, or a name that several images of a layout have: then they are listed"
        ),
    ]
}
