import Content

@testable import Replicate

/// Every error a run may end with: what is printed, what it means, what to do.
///
/// `docs/operations.md` has this as its table, row by row, and a test keeps each row to what the code prints.
enum ErrorGuide {
    struct Entry: Sendable, Hashable {
        /// The name of the reason (``CopyError/Reason/name``).
        var reason: String
        /// What is printed after the colon; `…` stands for anything, or nothing.
        var says: String
        /// The exit status of a run in which every image fails with this error.
        var exitCode: Int32
        /// What it means and what to do, in Markdown.
        var meaning: String

        init(_ reason: String, _ says: String, _ exitCode: Int32, _ meaning: String) {
            (self.reason, self.says, self.exitCode, self.meaning) = (reason, says, exitCode, meaning)
        }

        /// Whether the entry describes the error; the first entry that does is used.
        func covers(_ error: CopyError) -> Bool {
            reason == error.reason.name && matchesWildcard(error.cause, says.replacing("…", with: "*"))
        }

        /// The entry's row in the table.
        var row: String { "| `\(says)` (\(reason)) | \(exitCode) | \(meaning) |" }
    }

    /// - Returns: `nil` for an error without an entry.
    static func entry(for error: CopyError) -> Entry? { entries.first { $0.covers(error) } }

    static let entries = denials + credentials + absences + refusals + content + limits + network + other
}

/// Errors about missing permissions.
extension ErrorGuide {
    static let denials = [
        Entry(
            "denied",
            "not allowed to sts:…",
            4,
            "The role can't be assumed. Either the caller's identity policy doesn't allow it, or the role's trust "
                + "policy refuses the caller, its external id or its second factor. If AWS doesn't say which, the error "
                + "prints both statements. It never prints the external id"
        ),
        Entry(
            "denied",
            "not allowed to s3:GetObject: …",
            4,
            "ECR issued an address for a layer, and S3 refuses it. Most likely the policy of a VPC endpoint for "
                + "S3 doesn't allow the layers' bucket: the error prints S3's answer and the statement. A 403 that "
                + "isn't in S3's format comes from a proxy or a firewall"
        ),
        Entry(
            "denied",
            "not allowed to …with an explicit deny…",
            4,
            "A policy denies the action, and a Deny overrides every Allow. The error names the kind of policy: "
                + "the caller's, the repository's, the organization's or a VPC endpoint's. Narrow its Deny statement"
        ),
        Entry(
            "denied",
            "not allowed to …because no identity-based policy allows…",
            4,
            "The caller's own policies don't allow the action. Add the printed statement to the role, user or "
                + "permission set that the error names"
        ),
        Entry(
            "denied",
            "not allowed to …because no resource-based policy allows…",
            4,
            "Across accounts, the repository's policy must allow the caller too (the registry's policy, if a "
                + "repository is to be created). Add the printed statement to it, with an identity of that account"
        ),
        Entry(
            "denied",
            "not allowed to …because no session policy allows…",
            4,
            "The role's policies allow the action, but the session has a session policy that doesn't. Add the "
                + "statement where the session is started"
        ),
        Entry(
            "denied",
            "not allowed to …because no permissions boundary allows…",
            4,
            "The caller's permissions boundary doesn't allow the action. An IAM administrator of that account "
                + "must add the printed statement"
        ),
        Entry(
            "denied",
            "not allowed to …because no service control policy allows…",
            4,
            "A service control policy of the caller's organization doesn't allow the action. An administrator of "
                + "the organization must allow it"
        ),
        Entry(
            "denied",
            "not allowed to …because no resource control policy allows…",
            4,
            "A resource control policy of the organization that owns the repository denies the action. Such "
                + "policies only deny, so an administrator of that organization must narrow the Deny or add an "
                + "exception"
        ),
        Entry(
            "denied",
            "not allowed to …because no VPC endpoint policy allows…",
            4,
            "The request went through a VPC endpoint (`ecr.api` or `ecr.dkr`; the error says which) whose policy "
                + "doesn't allow the action. Add the printed statement there"
        ),
        Entry(
            "denied",
            "not allowed to ecr:…",
            4,
            "AWS doesn't say which policy is missing: within one account it is the caller's, across accounts the "
                + "caller's and the repository's. The error prints the statements. [Permissions](permissions.md)"
        ),
        Entry(
            "denied",
            "not allowed to …",
            4,
            "A registry other than ECR refuses, with or without a login. Log in with an account that has "
                + "permission"
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
            "The error lists the sources that were tried. Set keys, or name a profile or a role. If docker has a "
                + "login for the registry, the error says why it can't be used"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (ExpiredToken…",
            4,
            "The session has expired and can't be renewed. Start a new one"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (UnrecognizedClient…",
            4,
            "AWS doesn't know the access key id: it is wrong, deleted, or of another partition. In a region that "
                + "must be enabled first (all regions since 2019), either the region isn't enabled, or the session "
                + "comes from the global STS endpoint"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (InvalidClientTokenId…",
            4,
            "STS doesn't know the access key id, for the same reasons"
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
            "STS isn't activated in the region: `aws account enable-region`, in AWS's own partition"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (InvalidSignatureException): Signature …",
            4,
            "This machine's clock is wrong; the error says by how much. A signature is valid for five minutes, "
                + "and signing with the service's own time has failed too"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (InvalidSignatureException): Credential …",
            4,
            "The endpoint belongs to another region than the reference: check the endpoint flags and "
                + "`AWS_ENDPOINT_URL_ECR`"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (InvalidSignatureException): …",
            4,
            "The secret access key doesn't belong to this access key id, or a proxy changes requests"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (SignatureDoesNotMatch): Signature …",
            4,
            "STS says that this machine's clock is wrong"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (SignatureDoesNotMatch): …",
            4,
            "STS says that the secret access key doesn't belong to this access key id, or a proxy changes "
                + "requests"
        ),
        Entry(
            "noCredentials",
            "AWS does not accept the credentials (…",
            4,
            "The code in parentheses is AWS's. Check keys, clock, proxy and endpoint"
        ),
        Entry(
            "noCredentials",
            "the role … could not be assumed: …MultiFactorAuthentication failed…",
            4,
            "STS refused three codes of the second factor: they are wrong, were used before, or belong to another "
                + "device. Run again with the current code; check the device's clock and `mfa_serial`"
        ),
        Entry(
            "noCredentials",
            "the role … could not be assumed: …",
            4,
            "STS refuses for another reason than a missing permission, such as an expired session or a region "
                + "that isn't enabled. The error has STS's text"
        ),
        Entry(
            "noCredentials",
            "the registry does not accept the credentials: …",
            4,
            "ECR's registry requires a token of its own region. Either an endpoint flag sends "
                + "`GetAuthorizationToken` to another region, or the session that got the token has ended"
        ),
        Entry(
            "noCredentials",
            "not allowed to …",
            4,
            "A registry other than ECR requires a login, and the stored one is missing or is refused. The error "
                + "names the files that were read, and the commands that log in or out. [Logging "
                + "in](registries.md#logging-in)"
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
            "The text names the problem, such as a missing profile, a role that can't be assumed, or a helper "
                + "that failed"
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
            "ECR answers this also for a repository that exists in another account or region: check the "
                + "reference. At the destination, create the repository (the error prints the command) or pass "
                + "`--create-repository defaults`"
        ),
        Entry(
            "imageMissing",
            "the image does not exist",
            1,
            "The repository doesn't have this tag or digest; `ecr-replicate ls` lists its tags"
        ),
        Entry(
            "tagMismatch",
            "the tag does not point at that digest (any more)",
            1,
            "The reference was `TAG@DIGEST`, and the tag has moved; `inspect` shows its current digest"
        ),
        Entry(
            "archived",
            "the image is archived",
            1,
            "The image is in ECR's archive. Restore it with `aws ecr update-image-storage-class` (the error "
                + "prints the whole command), wait until it is ACTIVE, and run again"
        ),
        Entry(
            "keyUnusable",
            "ECR can't use the repository's KMS key: …",
            1,
            "The key is disabled, is waiting for deletion, or is deleted: the error prints the commands that "
                + "help. If ECR's grant on the key was revoked, it can't be restored: push to a new repository"
        ),
    ]

    static let refusals = [
        Entry(
            "tagImmutable",
            "tag … is immutable…",
            3,
            "The repository's tags are immutable, and this one holds another digest. Use a new tag, or exclude "
                + "this one from immutability. Nothing was moved (unless `ecr:DescribeRepositories` is denied)"
        ),
        Entry(
            "tagHolds",
            "tag … holds …, not …",
            3,
            "`--if-exists fail`, the default of `promote`, prevents the change. `--if-exists move` moves the tag"
        ),
        Entry(
            "tagMoved",
            "tag … should hold …",
            3,
            "`--if-current` named another digest, or the tag doesn't exist. Another client has changed the tag: "
                + "look at it, then decide again"
        ),
        Entry(
            "gateDenied",
            "… denied the image: …",
            3,
            "A gate of the promotion failed or could not be decided, and the text says which, and why. Nothing was "
                + "written. [Promotion](promotion.md) explains each gate"
        ),
        Entry(
            "gateDenied",
            "the signatures of the copy: …",
            3,
            "What was verified at the source could not be verified at the destination, so no tag was set. Copy the "
                + "image again with its referrers"
        ),
        Entry(
            "gateDenied",
            "the gates of rule … could not be set up…",
            3,
            "A key or a list that the rule's gates name can't be read, so the rule copies nothing"
        ),
        Entry(
            "undoRefused",
            "can't undo: …",
            3,
            "There is no record of a promotion that may be undone, and the text says why. `ecr-replicate history` "
                + "lists the records"
        ),
    ]

    static let content = [
        Entry(
            "emptyBlob",
            "the image has a blob without bytes (…",
            1,
            "Plain registries store an empty blob, and ECR can't. Build the image without the empty layer"
        ),
        Entry(
            "tagUnfit",
            "the registry can't hold the tag …",
            1,
            "ECR's tags have up to 300 characters and may begin with `-` or `.`. Other registries allow 128 "
                + "characters, beginning with a letter, digit or underscore. Copy the image under another tag, or leave "
                + "this tag out with `--exclude`"
        ),
        Entry(
            "tagUnfit",
            "the registry lists …, which is not a tag: …",
            1,
            "The source's list has a name that isn't a valid tag, so it can't be requested. Delete it there, or "
                + "leave it out with `--exclude`"
        ),
        Entry(
            "childMissing",
            "… names the manifest …, which the … does not have",
            1,
            "The index is incomplete at the source. Push the missing image again, or copy part of the index with "
                + "`--platform`"
        ),
        Entry(
            "blobMissing",
            "the … does not have the blob …",
            1,
            "The source has the manifest but not the blob. Push the image again there"
        ),
        Entry(
            "corrupt",
            "the bytes received are not …",
            1,
            "Size or hash differed three times. None of these bytes are at the destination. If a second run "
                + "reports the same, the stored content is damaged"
        ),
        Entry(
            "badManifest",
            "…",
            1,
            "The manifest is not JSON, is too large, has signed schema 1, or similar; the text says which. Push "
                + "the image again with a current tool"
        ),
        Entry(
            "platformMissing",
            "there is no image for …",
            1,
            "The index doesn't have the platform in `--platform`; the error lists the platforms that it has"
        ),
        Entry(
            "platformAmbiguous",
            "several images are for …",
            1,
            "`--platform` matches several images of the index, such as two Windows builds. Name one of those in "
                + "the error, for example `windows/amd64:10.0.20348.2582`"
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
            "A hard limit was reached, which is not a rate, so the request isn't retried: ECR's "
                + "`LimitExceededException`, or a registry without space. The limit of 1,000 tags for an image can't be "
                + "raised; those for images in a repository and for repositories can, with the printed command"
        ),
        Entry(
            "throttled",
            "throttled: …",
            1,
            "The request was throttled until its attempts were used up, or the service asked for a wait of more "
                + "than five minutes, or a pull limit was reached. The error says how long to wait, and how to log in. "
                + "[Throttles](#throttles)"
        ),
        Entry(
            "retriesUsedUp",
            "…; the retry budget of the … is used up",
            1,
            "So many requests to that side have failed that no more are retried. Find out what is wrong there, "
                + "then run again. [Retries](#retries)"
        ),
    ]

    static let network = [
        Entry(
            "unreachable",
            "no answer: …-starport-layer-bucket…",
            1,
            "Layers come from S3, which this machine can't reach. A VPC without internet access needs a gateway "
                + "endpoint for S3 whose policy allows the region's layer bucket. "
                + "[PrivateLink](permissions.md#privatelink)"
        ),
        Entry(
            "unreachable",
            "no answer: …Could not resolve host…",
            1,
            "The region doesn't exist, DNS fails, or a VPC lacks the interface endpoint that the error names, or "
                + "private DNS (which has no dual-stack names)"
        ),
        Entry(
            "unreachable",
            "no answer: …the host of the proxy … can't be resolved…",
            1,
            "DNS does not know the host in `HTTPS_PROXY`"
        ),
        Entry(
            "unreachable",
            "no answer: …the proxy … answered …",
            1,
            "The proxy refuses the request. 407: it requires a login in `HTTPS_PROXY`, or a different one. 5xx: "
                + "it can't reach the host itself. Any other status: it doesn't allow the host"
        ),
        Entry(
            "unreachable",
            "no answer: … (curl 35)",
            1,
            "The server doesn't speak TLS 1.2: the port or the scheme is wrong, or a device in between interferes"
        ),
        Entry(
            "unreachable",
            "no answer: …",
            1,
            "The connection is refused, gets no answer, or is cut repeatedly: check routes, firewalls, security "
                + "groups, proxy and endpoint. Blobs that arrived stay at the destination. If ECR closes an upload "
                + "without an answer, the cause is looked up, and the error names the missing repository or permission"
        ),
        Entry(
            "untrusted",
            "the server's certificate could not be verified: …no alternative certificate subject name…",
            1,
            "The certificate is for other names. Call a VPC endpoint by a name in its certificate"
        ),
        Entry(
            "untrusted",
            "the server's certificate could not be verified: …certificate has expired…",
            1,
            "Either this machine's clock is wrong, or the server's certificate has expired"
        ),
        Entry(
            "untrusted",
            "the server's certificate could not be verified: … (curl 77)",
            1,
            "The file in `--ca-bundle`, `AWS_CA_BUNDLE` or the profile's `ca_bundle` can't be read, or has no "
                + "certificates"
        ),
        Entry(
            "untrusted",
            "the server's certificate could not be verified: …",
            1,
            "The certificate isn't signed by a trusted CA. If it belongs to a proxy that decrypts TLS, or to a "
                + "private registry, pass its CA certificate with `--ca-bundle`. Or the address uses plain http, which "
                + "isn't allowed there"
        ),
        Entry(
            "wrongEndpoint",
            "…",
            1,
            "An endpoint is malformed, or belongs to a registry in another region or at AWS; check "
                + "`AWS_ENDPOINT_URL_ECR` and the endpoint flags"
        ),
    ]

    static let other = [
        Entry(
            "unusableFile",
            "…",
            1,
            "An image layout or archive is missing, invalid, damaged, compressed or locked, or contains files that "
                + "aren't regular files. Or it has several images and the reference names none; the error lists them. "
                + "Or the disk is full. The error names the path"
        ),
        Entry(
            "upstream",
            "…: …",
            1,
            "A pull-through cache rule covers the source, and either its upstream registry or ECR's access to the "
                + "rule's secret fails. UpstreamTooManyRequests and UpstreamUnavailable were retried. The remedy "
                + "depends on the code, and names the rule and its secret if `ecr:DescribePullThroughCacheRules` is "
                + "allowed"
        ),
        Entry(
            "rejected",
            "redirect not followed: …",
            1,
            "The redirect leads from https to plain http or has no valid address, or there were too many. If it "
                + "leads to http at the same host: a proxy that terminates TLS must send `X-Forwarded-Proto: https`"
        ),
        Entry(
            "rejected",
            "…upload address that begins with http: …",
            1,
            "A proxy that terminates TLS doesn't tell the registry that the request came over https. Make it send "
                + "`X-Forwarded-Proto: https` and `Host`, or set the registry's own address (docker-registry: "
                + "`http.host`)"
        ),
        Entry(
            "rejected",
            "answer too large: …",
            1,
            "The server is not a registry, or it is broken"
        ),
        Entry(
            "rejected",
            "…: …",
            1,
            "The registry's own answer, which no other row describes"
        ),
        Entry(
            "unsupported",
            "the registry refuses the manifest (…)…layers by urls…",
            1,
            "The image has foreign layers, whose bytes stay at the address in their `urls`, and this registry "
                + "doesn't allow that. Copy a platform without them, or allow the addresses (docker-registry: "
                + "`validation.manifests.urls.allow`)"
        ),
        Entry(
            "unsupported",
            "…",
            1,
            "The text says what isn't supported; for example `--platform` with a single image, `--newest` where "
                + "the registry doesn't report push times, or a name that several images of a layout have, which the "
                + "error lists"
        ),
    ]
}
