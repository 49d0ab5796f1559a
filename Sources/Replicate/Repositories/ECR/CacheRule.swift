internal import Content
internal import ECRAPI

/// A pull-through cache rule, which makes ECR fetch the images of some repositories from another registry.
///
/// - Source: ECR API Reference, `DescribePullThroughCacheRules`; ECR User Guide, "Sync an upstream registry"
package struct CacheRule: Sendable, Hashable {
    /// The prefix of the repository names that the rule covers; `ROOT` covers all others.
    package var prefix: String
    /// The registry from which the images are fetched.
    package var upstream: String?
    /// The ARN of the secret that holds the login for it.
    package var secret: String?
    package var region: String

    package init(prefix: String, upstream: String?, secret: String?, region: String) {
        (self.prefix, self.upstream, self.secret, self.region) = (prefix, upstream, secret, region)
    }
}

extension ECRImageRepository {
    /// The pull-through cache rule that covers the repository.
    ///
    /// It is requested only after a failure; if it can't be found out, the failure is reported without it.
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

    /// Runs a request to the source, and adds the pull-through cache rule to an error that it explains.
    func namingCacheRule<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch var error as CopyError where side == .source {
            switch error.reason {
            case .repositoryMissing:
                guard let rule = try await cacheRule() else { throw error }
                error.circumstance = .cacheRule(rule, of: place)
            case .upstream(var upstream) where upstream.rule == nil:
                upstream.rule = try await cacheRule()
                error.reason = .upstream(upstream)
            default: break
            }
            throw error
        }
    }
}
