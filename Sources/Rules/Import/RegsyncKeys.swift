/// The keys of regsync that have no equivalent in a rule file, with the reasons.
///
/// - Source: docs/facts/rule-files-of-others.md#regsync
enum RegsyncKeys {
    /// The reason for a note where `referrers` and `digestTags` differ.
    static let oneKindOfReferrer =
        "regsync copies referrers or the tags of digests (sha256-….sig), and referrers: all copies both"

    private static let schedule = "a rule has no schedule; run sync --watch INTERVAL, or run sync from a scheduler"
    private static let pacing = "requests are paced by what each registry answers; --jobs and --limit-rate set limits"
    private static let cache = "nothing is cached between two runs"

    /// Keys that `defaults` and a step share.
    private static let settings = [
        "backup":
            "the image that a tag held before is not copied to another tag; with ifExists: fail, a tag is never moved",
        "interval": schedule,
        "schedule": schedule,
        "ratelimit": "a step does not wait for the source's rate limit; requests that it refuses are repeated later",
        "referrerFilters": "referrers are copied all or none",
        "referrerSource": "referrers are read from the image's own repository",
        "referrerTarget": "referrers are written to the image's own repository",
        "referrerSlow": "referrers are copied all or none, so their annotations need not be read",
        "fastCheck": "what a registry holds is believed, as with this key; --repair checks it",
        "fastCopy": "what a registry holds is believed, as with this key; --repair checks it",
        "forceRecursive": "pass --repair to check everything below an image that the target holds",
        "includeExternal": "layers with URLs of their own are copied if the source has their bytes",
        "mediaTypes": "images of every media type are copied",
        "hooks": "no command is run before or after a copy",
    ]

    static let defaults = settings.merging(
        [
            "parallel": pacing,
            "blobLimit": "layers of any size are copied",
            "cacheCount": cache,
            "cacheTime": cache,
            "skipDockerConfig": "the logins of docker login are used where a registry asks for one",
            "userAgent": "the user agent is fixed",
        ]
    ) { first, _ in first }

    static let step = settings

    static let tags: [String: String] = [:]
    static let repos: [String: String] = [:]

    private static let login =
        "credentials are not copied; log in with docker login, or set up docker's credential helper"
    private static let awsLogin =
        "credentials are not copied; ECR is asked with AWS credentials, of which profile: or roleArn: choose others"
    private static let upload = "a blob is sent in one request"
    private static let mirror = "a registry has no mirrors; name the mirror as the registry"

    static func registry(isECR: Bool) -> [String: String] {
        let login = isECR ? awsLogin : login
        return [
            "user": login, "pass": login, "token": login, "credHelper": login, "credExpire": login, "credHost": login,
            "regcert": "certificates are not copied; pass the file with --ca-bundle",
            "clientCert": "client certificates are not supported",
            "clientKey": "client certificates are not supported",
            "mirrors": mirror,
            "priority": mirror,
            "repoAuth": "a token is always asked for one repository",
            "blobChunk": upload,
            "blobMax": upload,
            "reqPerSec": pacing,
            "reqConcurrent": pacing,
            "api": "the kind of a registry's API is known from its host",
            "apiOpts": "the kind of a registry's API is known from its host",
        ]
    }
}
