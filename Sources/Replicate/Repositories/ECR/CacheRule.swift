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
                error.circumstance = .cacheRule(rule, of: place)
            case .upstream(let code, let text, nil):
                error.reason = .upstream(code: code, text: text, try await cacheRule())
            default: break
            }
            throw error
        }
    }
}
