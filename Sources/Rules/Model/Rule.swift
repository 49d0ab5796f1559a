package import Content
package import Promotion
package import Replicate

/// What one rule copies, and where to.
package struct Rule: Sendable {
    package var name: String
    /// Where the rule begins in its file.
    package var position: FilePosition
    package var source: RuleSource
    package var destinations: [RuleDestination]
    package var tags: TagRule
    /// The platforms to copy; with none, the whole image.
    package var platforms: [ImagePlatform]
    package var referrers: CopyOptions.Referrers
    package var ifExists: CopyOptions.IfExists
    package var createRepository: RuleRepositoryCreation
    /// What an image must pass before it is copied; `nil` if the rule doesn't say.
    package var gates: GateSettings?
    package var prune: RulePrune?
}

/// The repositories that a rule copies.
package struct RuleSource: Sendable {
    package var registry: RuleRegistry
    /// A repository is copied if one of these matches.
    package var patterns: [RepositoryPattern]
    /// A repository that one of these matches is left out.
    package var excluded: [RepositoryPattern]

    /// The repositories, if the rule names each of them, so that the registry need not be asked for its list.
    package var fixedRepositories: [RepositoryName]? {
        let names = patterns.compactMap(\.literal)
        guard names.count == patterns.count else { return nil }
        var seen: Set<RepositoryName> = []
        return names.filter { name in seen.insert(name).inserted && !excluded.contains { $0.matches(name) } }
    }

    /// The pattern that selects a repository; `nil` if the rule does not copy it.
    package func pattern(selecting repository: RepositoryName) -> RepositoryPattern? {
        guard !excluded.contains(where: { $0.matches(repository) }) else { return nil }
        return patterns.first { $0.matches(repository) }
    }
}

/// One destination of a rule, with the templates of its names.
package struct RuleDestination: Sendable {
    package var registry: RuleRegistry
    package var repository: NameTemplate
    package var tag: NameTemplate
}

/// What to do if a destination's repository is missing.
package enum RuleRepositoryCreation: String, Sendable, CaseIterable {
    case never, defaults
    case likeSource = "like-source"
}

/// Deletion of what the source no longer has.
package struct RulePrune: Sendable, Hashable {
    /// The most images to delete at one destination; if there are more, none is deleted.
    package var maxDelete: Int
}
