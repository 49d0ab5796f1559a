internal import FoundationEssentials

/// A rule for repositories whose images ECR imports from another registry on the first pull.
///
/// The emulator stores and returns the rule. It can't reach an upstream or read a secret.
struct PullThroughRule: PrefixedSetting, Codable, Equatable {
    /// The prefix as given, with or without its final slash.
    var prefix: String
    var upstreamURL: String
    var upstream: String?
    var createdAt: Date
    /// The time of the last update; `nil` in state saved by earlier emulators, as are the members below.
    var updatedAt: Date?
    var credential: String?
    var customRole: String?
    var upstreamPrefix: String?

    static func missing(_ prefix: String, _ account: String) -> ServiceFault {
        ServiceFault(
            "PullThroughCacheRuleNotFoundException",
            "The pull through cache rule with the prefix '\(prefix)' does not exist in the registry with id '\(account)'"
        )
    }

    static func duplicate(_ prefix: String, _ account: String) -> ServiceFault {
        ServiceFault(
            "PullThroughCacheRuleAlreadyExistsException",
            "A pull through cache rule with the prefix '\(prefix)' already exists in the registry with id '\(account)'"
        )
    }

    /// The error of BatchGetImage when an image would have to be imported and the secret for the login can't be read.
    ///
    /// - Source: the service model: "usually caused because of an issue with the Secrets Manager secret";
    ///   docs/facts/ecr-api.md#pull-through-cache-rules
    var unreachable: ServiceFault {
        ServiceFault(
            "UnableToGetUpstreamImageException",
            "The image could not be pulled from the upstream registry '\(upstreamURL)' by the pull through cache rule with "
                + "the prefix '\(prefix)'"
        )
    }

    /// Returns ECR's kind of upstream for a host.
    ///
    /// - Parameter url: A host, with or without `https://`.
    /// - Returns: `nil` for a host that ECR can't cache.
    /// - Source: the service model, `CreatePullThroughCacheRule`, `upstreamRegistryUrl`
    static func upstream(of url: String) -> String? {
        let host = String(url.trimmingPrefix("https://").prefix { $0 != "/" }).lowercased()
        let known = [
            "public.ecr.aws": "ecr-public", "quay.io": "quay", "registry.k8s.io": "k8s",
            "registry-1.docker.io": "docker-hub", "ghcr.io": "github-container-registry",
            "registry.gitlab.com": "gitlab-container-registry", "cgr.dev": "chainguard",
        ]
        if let kind = known[host] { return kind }
        if host.hasSuffix(".azurecr.io") || host.hasSuffix(".azurecr.us") { return "azure-container-registry" }
        if let service = ServiceHost(host)?.service, case .registry = service { return "ecr" }
        return nil
    }

    static let upstreams = [
        "ecr", "ecr-public", "quay", "k8s", "docker-hub", "github-container-registry", "azure-container-registry",
        "gitlab-container-registry", "chainguard",
    ]
}

extension EmulatedRegistry {
    /// Returns the rule that covers a repository: the one with the longest prefix.
    func pullThroughRule(for repository: String) -> PullThroughRule? {
        pullThroughRules?.covering(repository)
    }
}
