internal import Content
internal import ECRAPI

/// A pull-through cache rule, which makes ECR fetch the images of some repositories from another registry.
///
/// - Source: ECR API Reference, `DescribePullThroughCacheRules`; ECR User Guide, "Sync an upstream registry"
public struct CacheRule: Sendable, Hashable {
    /// The beginning of the names that it is for; `ROOT` is for all others.
    public var prefix: String
    /// The registry that images come from.
    public var upstream: String?
    /// The ARN of the secret with the login for it.
    public var secret: String?
    public var region: String

    public init(prefix: String, upstream: String?, secret: String?, region: String) {
        (self.prefix, self.upstream, self.secret, self.region) = (prefix, upstream, secret, region)
    }

    var words: String {
        "the pull-through cache rule '\(quotable(prefix))'" + (upstream.map { " (upstream \(quotable($0)))" } ?? "")
    }

    /// What has ECR try the rule's login.
    var check: String {
        "aws ecr validate-pull-through-cache-rule --region \(region) --ecr-repository-prefix \(quotable(prefix))"
    }
}

extension ECRImageRepository {
    /// The pull-through cache rule that the repository is under.
    ///
    /// Asked once, after something failed: where it can't be found out, the failure is told without it.
    func cacheRule() async throws -> CacheRule? {
        var rules: [PullThroughCacheRule] = []
        do {
            for try await page in api.tryingOnly(1).pages(DescribePullThroughCacheRules(registryId: host.account)) {
                rules += page.pullThroughCacheRules
            }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            return nil
        }
        return rules.covering(reference.repository).map { rule in
            CacheRule(
                prefix: rule.ecrRepositoryPrefix,
                upstream: rule.upstreamRegistryUrl.map { url in
                    url + (rule.upstreamRepositoryPrefix.map { $0 == "ROOT" ? "" : "/\($0)" } ?? "")
                },
                secret: rule.credentialArn,
                region: host.region
            )
        }
    }

    /// Runs a question about the source, and names the pull-through cache rule where one explains what it throws.
    func namingCacheRule<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch var error as CopyError where side == .source {
            switch error.reason {
            case .repositoryMissing:
                guard let rule = try await cacheRule() else { throw error }
                error.advice = firstPull(by: rule, tag: (try? ImageReference(parsing: error.image))?.tag)
            case .upstream(let code, let text, nil):
                error.reason = .upstream(code: code, text: text, try await cacheRule())
            default: break
            }
            throw error
        }
    }

    /// What brings an image that a rule covers: ECR creates the repository when a tag of it is first pulled.
    private func firstPull(by rule: CacheRule, tag: Tag?) -> String {
        "\(rule.words) covers it: ECR creates the repository when an image is first pulled through it, by tag. Pull "
            + "it once, with ecr:BatchImportUpstreamImage and ecr:CreateRepository allowed, then run again:\n"
            + "    docker pull \(host.name)/\(reference.repository):\(tag?.value ?? "TAG")"
    }
}

extension CopyError {
    /// What to do about an upstream registry's trouble, by ECR's code for it.
    ///
    /// - Source: ECR API Reference, `BatchGetImage`, `GetDownloadUrlForLayer`, `CreatePullThroughCacheRule`;
    ///   docs/facts/ecr-api.md#batchgetimage
    static func upstreamRemedy(_ code: String, _ rule: CacheRule?) -> String {
        let name = rule?.words ?? "the pull-through cache rule of the repository"
        let secret =
            rule?.secret.map { "the secret \(quotable($0))" }
            ?? "its secret in Secrets Manager (ecr-pullthroughcache/…), if it has one"
        let check = rule.map { "; ECR tries it with\n    \($0.check)" } ?? ""
        return switch code.replacing("Exception", with: "") {
        case "UpstreamTooManyRequests":
            "run again later; if \(name) has no login for its upstream, give it one, for logins have higher limits"
        case "UpstreamUnavailable":
            "run again later, or copy from the upstream itself: the upstream of \(name) does not answer"
        case "UpstreamAccessDenied":
            "see that the upstream's login is valid and may pull this image: \(name) uses \(secret)\(check)"
        case "UnableToAccessSecret":
            "see that ECR may read \(secret), which \(name) uses: its name must begin with ecr-pullthroughcache/, in the same "
                + "account and region\(check)"
        case "SecretNotFound":
            "create \(secret), which \(name) uses, or name another in the rule: aws ecr update-pull-through-cache-rule\(check)"
        case "UnableToDecryptSecretValue":
            "see that the key of \(secret), which \(name) uses, is enabled and lets ECR decrypt with it\(check)"
        case "UnsupportedUpstreamRegistry":
            "name an upstream that ECR supports: it does not support that of \(name)"
        case "UnableToListUpstreamImageReferrers":
            "leave the signatures out with --referrers none, or see that the upstream of \(name) answers\(check)"
        default:
            "see that the image is at the upstream under this name, and that the upstream's login is valid: \(name) uses "
                + "\(secret)\(check)"
        }
    }
}
