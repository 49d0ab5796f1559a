internal import Content
internal import ECRAPI
internal import Replicate

/// The checks of what happens at a destination after the copy, or besides it.
extension Doctor {
    func forecast(_ ecr: ECRProbe, _ tag: Tag?, _ examination: inout Examination) async throws {
        let question = GetLifecyclePolicy(registryId: ecr.host.account, repositoryName: ecr.name)
        let none = (ECRError.Code.lifecyclePolicyNotFound, "no policy: images are kept")
        guard let policy = try await examination.look("lifecycle", question, at: ecr, absent: none) else { return }
        guard let forecast = LifecycleForecast(policy.lifecyclePolicyText) else {
            return examination.note(.warning, "lifecycle", "this program can't read the repository's policy")
        }
        guard let expiry = forecast.expiry(of: tag) else {
            return examination.note(
                .ok,
                "lifecycle",
                "the policy does not affect \(tag.map { "tag \($0)" } ?? "the image")"
            )
        }
        examination.note(.warning, "lifecycle", expiry, remedy: "check that this policy is meant for this image")
    }

    /// - Parameter isCallersOwn: Whether the registry belongs to the caller; only then can its settings be read.
    func lookAtRegistry(
        _ ecr: ECRProbe,
        isCallersOwn: Bool,
        _ examination: inout Examination
    ) async throws {
        if let rules = try await cacheRules(ecr, &examination) {
            if let warning = Self.warning(of: ecr.name, rules) {
                examination.note(.warning, "pull-through", warning.text, remedy: warning.remedy)
            } else {
                examination.note(.ok, "pull-through", "no rule covers the repository")
            }
        }
        try await lookAtMounting(ecr, isCallersOwn: isCallersOwn, &examination)
    }

    /// The registry's pull-through cache rules; `nil` if they can't be read, which a finding says.
    func cacheRules(_ ecr: ECRProbe, _ examination: inout Examination) async throws -> [PullThroughCacheRule]? {
        let question = DescribePullThroughCacheRules(registryId: ecr.host.account)
        return try await examination.look("pull-through", question, at: ecr)?.pullThroughCacheRules
    }

    /// What to say about a repository that is the cache of another registry; `nil` if it isn't.
    static func warning(
        of name: RepositoryName,
        _ rules: [PullThroughCacheRule]
    ) -> (text: String, remedy: String)? {
        rules.covering(name).map { rule in
            (
                "\(name) is a cache of \(rule.upstreamRegistryUrl ?? "another registry"): pulls may overwrite tags",
                "choose a repository outside \(rule.ecrRepositoryPrefix)/"
            )
        }
    }

    func lookAtMounting(
        _ ecr: ECRProbe,
        isCallersOwn: Bool,
        _ examination: inout Examination
    ) async throws {
        guard isCallersOwn,
            let setting = try await examination.look("mounting", GetAccountSetting(.blobMounting), at: ecr)
        else { return }
        let isOn = setting.value == "ENABLED"
        examination.note(
            .ok,
            "mounting",
            isOn
                ? "on: layers that another repository has are not uploaded again"
                : "off: layers are uploaded to each repository"
        )
    }
}
