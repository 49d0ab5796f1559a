internal import Content
internal import Promotion
internal import Replicate

extension Rule {
    /// How the engine copies images under this rule.
    ///
    /// - Parameters:
    ///   - admissions: The gates; those of a rule that were not set up admit nothing.
    ///   - run: The run, which verifies signatures once more at the destination.
    ///   - additions: Makes further referrers of each image, which are put before its tags; `nil` makes none.
    func copyOptions(
        isDryRun: Bool,
        _ admissions: RuleAdmissions = .none,
        additions: (any ReferrerMaking)? = nil,
        in run: CopyRun? = nil
    ) -> CopyOptions {
        var options = CopyOptions(
            ifExists: ifExists,
            referrers: referrers,
            createRepository: createRepository.forCopies,
            platforms: platforms,
            isDryRun: isDryRun
        )
        // A repository may have images for one platform beside indexes.
        options.matchesSingleImages = true
        options.admission = admissions.admission(of: self)
        options.additions = additions
        if let run, let gates = options.admission as? GateAdmission, referrers == .all {
            let destinations = destinations
            options.additions = gates.confirming(additions) { place in
                let registry = destinations.map(\.registry).first {
                    $0.reference(to: place.repository).registry == place.registry
                }
                return try await run.repository(of: place, .destination, registry?.options ?? SideOptions())
            }
        }
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
