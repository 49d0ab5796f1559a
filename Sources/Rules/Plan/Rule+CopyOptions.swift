internal import Replicate

extension Rule {
    /// How the engine copies images under this rule.
    func copyOptions(isDryRun: Bool) -> CopyOptions {
        CopyOptions(
            ifExists: ifExists,
            referrers: referrers,
            createRepository: createRepository.forCopies,
            platforms: platforms,
            isDryRun: isDryRun
        )
    }
}

extension RuleRepositoryCreation {
    fileprivate var forCopies: CopyOptions.RepositoryCreation {
        switch self {
        case .never: .never
        case .defaults: .defaults
        case .likeSource: .likeSource
        }
    }
}
