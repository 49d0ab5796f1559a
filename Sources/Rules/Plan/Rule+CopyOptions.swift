internal import Replicate

extension Rule {
    /// How the engine copies images under this rule.
    ///
    /// - Parameter admissions: The gates; those of a rule that were not set up admit nothing.
    func copyOptions(isDryRun: Bool, _ admissions: RuleAdmissions = .none) -> CopyOptions {
        var options = CopyOptions(
            ifExists: ifExists,
            referrers: referrers,
            createRepository: createRepository.forCopies,
            platforms: platforms,
            isDryRun: isDryRun
        )
        options.admission = admissions.admission(of: self)
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
