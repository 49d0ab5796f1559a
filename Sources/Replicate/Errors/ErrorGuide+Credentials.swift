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
