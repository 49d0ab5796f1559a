internal import Replicate

extension Rule {
    /// How the engine copies images under this rule.
    func copyOptions(isDryRun: Bool) -> CopyOptions {
        CopyOptions(
            ifExists: ifExists,
            referrers: referrers,
            createRepository: createRepository == .never ? .never : .defaults,
            platforms: platforms,
            isDryRun: isDryRun
        )
    }
}
