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
        Entry("unreachable", "no answer: …nobody knows the proxy…", 1, "`HTTPS_PROXY` names nobody"),
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
            "the server could not prove who it is: …no alternative certificate subject name…",
            1,
            "The certificate is for other names. A VPC endpoint is called by a name its certificate has"
        ),
        Entry(
            "untrusted",
            "the server could not prove who it is: …certificate has expired…",
            1,
            "This machine's clock, or the server's certificate"
        ),
        Entry(
            "untrusted",
            "the server could not prove who it is: … (curl 77)",
            1,
            "The file of `--ca-bundle`, `AWS_CA_BUNDLE` or the profile's `ca_bundle` can't be read, or holds no certificates"
        ),
        Entry(
            "untrusted",
            "the server could not prove who it is: …",
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
