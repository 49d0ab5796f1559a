internal import Replicate

extension Rule {
    /// How the engine copies images under this rule.
    ///
    /// - Parameters:
    ///   - admissions: The gates; those of a rule that were not set up admit nothing.
    ///   - additions: Makes further referrers of each image, which are put before its tags; `nil` makes none.
    func copyOptions(
        isDryRun: Bool,
        _ admissions: RuleAdmissions = .none,
        additions: (any ReferrerMaking)? = nil
    ) -> CopyOptions {
        var options = CopyOptions(
            ifExists: ifExists,
            referrers: referrers,
            createRepository: createRepository.forCopies,
            platforms: platforms,
            isDryRun: isDryRun
        )
        options.admission = admissions.admission(of: self)
        options.additions = additions
        return options
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
