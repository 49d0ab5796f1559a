package import Content
package import Replicate

/// A rule file that was read and found correct.
package struct RuleFile: Sendable {
    /// The name that the file was read by.
    package var name: String
    /// The digest of the file's bytes, without the values of its variables.
    package var digest: Digest
    package var registries: [RuleRegistry]
    package var rules: [Rule]

    /// The rules with these names, in the order of the file; all rules for no names.
    ///
    /// - Throws: ``UnknownRule`` for the first name that no rule has.
    package func rules(named names: [String]) throws(UnknownRule) -> [Rule] {
        let known = rules.map(\.name)
        for name in names where !known.contains(name) {
            throw UnknownRule(name: name, file: self.name, known: known)
        }
        return names.isEmpty ? rules : rules.filter { names.contains($0.name) }
    }

    /// The other rules of the file.
    package func rules(beside chosen: [Rule]) -> [Rule] {
        rules.filter { rule in !chosen.contains { $0.name == rule.name } }
    }
}

/// The name of a rule that a file does not have.
package struct UnknownRule: Error, Sendable, CustomStringConvertible {
    package let name: String
    package let file: String
    package let known: [String]

    package var description: String {
        let meant = nearest(to: name, among: known).map { "Did you mean '\($0)'?" }
        return "\(quotable(file)) has no rule '\(quotable(name, upTo: 200))'. "
            + (meant ?? "The rules are \(known.prefix(20).joined(separator: ", "))")
    }
}

/// A registry that rules name, with the identity and the endpoints to use there.
package struct RuleRegistry: Sendable, Hashable {
    package var name: String
    package var place: Place
    /// The identity and endpoints; empty for registries that are not ECR.
    package var options: SideOptions
    /// For repositories made like the source's: the key here, by the source's key.
    package var kmsKeys: [String: String]
    /// The external id as the file writes it, with its variables, so that a saved plan doesn't hold their values.
    package var writtenExternalID: String?

    /// Where the registry is.
    package enum Place: Sendable, Hashable {
        case ecr(ECRHost)
        case plain(PlainRegistry)
        /// A directory; each repository is an image layout at `DIRECTORY/REPOSITORY`.
        case layout(directory: String)

        /// The place in words, for people.
        package var words: String {
            switch self {
            case .ecr(let host): host.name
            case .plain(let registry): registry.description
            case .layout(let directory): "the layouts in \(directory)"
            }
        }

        var isECR: Bool { if case .ecr = self { true } else { false } }

        /// Whether the registry knows when an image was pushed.
        var knowsPushTimes: Bool { if case .ecr = self { true } else { false } }
    }

    /// The reference to a repository here, without tag and digest.
    package func reference(to repository: RepositoryName) -> ImageReference {
        switch place {
        case .ecr(let host): ImageReference(registry: .ecr(host), repository: repository)
        case .plain(let registry): ImageReference(registry: .plain(registry), repository: repository)
        case .layout(let directory):
            ImageReference(
                registry: .layout(ImageLayout(path: "\(directory)/\(repository)")),
                repository: .unnamed
            )
        }
    }

    /// What tags are allowed here.
    package var tagGrammar: Tag.Grammar { if case .plain = place { .distribution } else { .ecr } }
}

extension RuleRegistry {
    /// The address of a registry whose host is written with `http://`; `nil` for others.
    package var plainAddress: String? {
        if case .plain(let registry) = place, registry.scheme == .http { registry.description } else { nil }
    }
}
