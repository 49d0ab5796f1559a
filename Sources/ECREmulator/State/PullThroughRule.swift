internal import FoundationEssentials

/// Repositories whose images ECR brings from another registry when they are pulled first.
///
/// The rule is kept and told. No upstream can be reached from an emulator, and no secret be read.
struct PullThroughRule: Codable, Sendable, Equatable {
    /// As it was given, with or without its last slash.
    var prefix: String
    var upstreamURL: String
    var upstream: String?
    var createdAt: Date
    /// `nil` in what earlier emulators have saved, as are the members below.
    var updatedAt: Date?
    var credential: String?
    var customRole: String?
    var upstreamPrefix: String?

    var namespace: RepositoryNamespace { RepositoryNamespace(prefix) }

    /// What BatchGetImage answers where an image would have to be brought, and the secret to log in with can't be read.
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

    /// Which of ECR's kinds of upstream a host is.
    ///
    /// - Parameter url: A host, with or without `https://`.
    /// - Returns: `nil` for one that ECR can't cache.
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
    /// The rule by which a repository of that name is filled: the one with the longest prefix.
    func pullThroughRule(for repository: String) -> PullThroughRule? {
        (pullThroughRules ?? []).filter { $0.namespace.covers(repository) }
            .max { $0.namespace.length < $1.namespace.length }
    }
}
