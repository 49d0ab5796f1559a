internal import Content
internal import Replicate

/// What to do about a pull-through cache rule, or about the registry behind it.
struct CacheRuleAdvice {
    private let rule: CacheRule?

    /// - Parameter rule: `nil` if the rule is not known.
    init(_ rule: CacheRule?) { self.rule = rule }

    private var name: String {
        guard let rule else { return "the pull-through cache rule of the repository" }
        return "the pull-through cache rule '\(quotable(rule.prefix))'"
            + (rule.upstream.map { " (upstream \(quotable($0)))" } ?? "")
    }

    /// The command that makes ECR try the rule's login.
    private var check: String {
        guard let rule else { return "" }
        return "; to let ECR test the rule, run:\n    aws ecr validate-pull-through-cache-rule --region "
            + "\(rule.region) --ecr-repository-prefix \(quotable(rule.prefix))"
    }

    /// How to pull an image that the rule covers: ECR creates the repository when one of its tags is first pulled.
    func firstPull(of place: ECRPlace, _ tag: Tag?) -> String {
        "\(name) covers it: ECR creates the repository when an image is first pulled through it, by tag. Pull "
            + "it once, with ecr:BatchImportUpstreamImage and ecr:CreateRepository allowed, then run again:\n"
            + "    docker pull \(place.host.name)/\(place.repository):\(tag?.value ?? "TAG")"
    }

    /// What to do about an error of the upstream registry, by ECR's code for it.
    ///
    /// - Source: ECR API Reference, `BatchGetImage`, `GetDownloadUrlForLayer`, `CreatePullThroughCacheRule`;
    ///   docs/facts/ecr-api.md#batchgetimage
    func trouble(_ code: String) -> String {
        let secret =
            rule?.secret.map { "the secret \(quotable($0))" }
            ?? "its secret in Secrets Manager (ecr-pullthroughcache/…), if it has one"
        return switch code.replacing("Exception", with: "") {
        case "UpstreamTooManyRequests":
            "run again later; if \(name) has no login for its upstream, add one: the limits are higher with a login"
        case "UpstreamUnavailable":
            "run again later, or copy from the upstream itself: the upstream of \(name) does not answer"
        case "UpstreamAccessDenied":
            "check that the upstream's login is valid and may pull this image: \(name) uses \(secret)\(check)"
        case "UnableToAccessSecret":
            "check that ECR may read \(secret), which \(name) uses: its name must begin with ecr-pullthroughcache/, "
                + "and it must be in the same account and region\(check)"
        case "SecretNotFound":
            "create \(secret), which \(name) uses, or name another in the rule: aws ecr update-pull-through-cache-rule\(check)"
        case "UnableToDecryptSecretValue":
            "check that the key of \(secret), which \(name) uses, is enabled and that ECR may decrypt with it\(check)"
        case "UnsupportedUpstreamRegistry":
            "use an upstream that ECR supports: it does not support the upstream of \(name)"
        case "UnableToListUpstreamImageReferrers":
            "leave the signatures out with --referrers none, or check that the upstream of \(name) answers\(check)"
        default:
            "check that the upstream has the image under this name, and that the upstream's login is valid: \(name) "
                + "uses \(secret)\(check)"
        }
    }
}
