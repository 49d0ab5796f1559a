package import Content
package import FoundationEssentials
package import IAMPolicies
package import Replicate

/// What the doctor checks for a rule file: its registries, and what its rules copy.
package struct RuleCheckup: Sendable {
    /// The rule file's name.
    package var file: String
    package var registries: [Registry]
    package var rules: [Rule]

    package init(file: String, registries: [Registry], rules: [Rule]) {
        (self.file, self.registries, self.rules) = (file, registries, rules)
    }

    /// A registry of the file, with the identity and the endpoints to use there.
    package struct Registry: Sendable {
        package var name: String
        /// Where it is; `nil` for a directory of layouts.
        package var location: RegistryLocation?
        /// The directory of layouts; `nil` for other registries.
        package var folder: Folder?
        /// Where it is, in words.
        package var words: String
        package var options: SideOptions
        /// The KMS key to use here for each key of a source.
        package var kmsKeys: [String: String]

        package init(
            name: String,
            location: RegistryLocation?,
            folder: Folder? = nil,
            words: String,
            options: SideOptions,
            kmsKeys: [String: String] = [:]
        ) {
            (self.name, self.location, self.folder, self.words) = (name, location, folder, words)
            (self.options, self.kmsKeys) = (options, kmsKeys)
        }
    }

    /// A rule: which repositories it copies, and where to.
    package struct Rule: Sendable {
        package var name: String
        /// The name of the source's registry.
        package var source: String
        package var repositories: Repositories
        /// The source's repository as a reference.
        package var reference: @Sendable (RepositoryName) -> ImageReference
        /// Chooses the image to read, from the first page of a repository's images.
        package var choose: @Sendable ([Candidate]) -> ManifestID?
        package var destinations: [Destination]
        package var referrers: CopyOptions.Referrers
        package var createRepository: CopyOptions.RepositoryCreation
        /// Whether images that the source no longer has are deleted.
        package var prunes: Bool
        /// What else to say about the rule, as a warning.
        package var warning: String?
        /// What the rule's gates ask for.
        package var gates: GateNeeds

        package init(
            name: String,
            source: String,
            repositories: Repositories,
            reference: @escaping @Sendable (RepositoryName) -> ImageReference,
            choose: @escaping @Sendable ([Candidate]) -> ManifestID?,
            destinations: [Destination],
            referrers: CopyOptions.Referrers,
            createRepository: CopyOptions.RepositoryCreation,
            prunes: Bool,
            warning: String? = nil,
            gates: GateNeeds = GateNeeds()
        ) {
            (self.name, self.source, self.repositories) = (name, source, repositories)
            (self.reference, self.choose, self.destinations) = (reference, choose, destinations)
            (self.referrers, self.createRepository, self.prunes) = (referrers, createRepository, prunes)
            (self.warning, self.gates) = (warning, gates)
        }
    }

    /// Which repositories a rule copies.
    package enum Repositories: Sendable {
        /// Those that the rule names.
        case named([RepositoryName])
        /// Those of the registry's list for which this holds.
        case selected(@Sendable (RepositoryName) -> Bool)

        var isList: Bool { if case .selected = self { true } else { false } }
    }

    /// A tag of the source that the rule may copy.
    package struct Candidate: Sendable {
        package var tag: Tag
        package var digest: Digest?
        package var pushedAt: Date?

        package init(tag: Tag, digest: Digest? = nil, pushedAt: Date? = nil) {
            (self.tag, self.digest, self.pushedAt) = (tag, digest, pushedAt)
        }
    }

    /// One destination of a rule.
    package struct Destination: Sendable {
        /// The name of its registry.
        package var registry: String
        /// Whether every image stays in its repository, so that no layers move.
        package var keepsRepositories: Bool
        /// Where a repository's image goes; `nil` if its name needs a value that is not known, such as a tag.
        package var place: @Sendable (RepositoryName, Candidate?) -> DestinationReference?

        package init(
            registry: String,
            keepsRepositories: Bool = false,
            place: @escaping @Sendable (RepositoryName, Candidate?) -> DestinationReference?
        ) {
            (self.registry, self.keepsRepositories, self.place) = (registry, keepsRepositories, place)
        }
    }
}

extension RuleCheckup {
    /// The rules that read from the registry.
    func readers(of registry: Registry) -> [Rule] { rules.filter { $0.source == registry.name } }

    func isWritten(_ registry: Registry) -> Bool {
        rules.contains { rule in rule.destinations.contains { $0.registry == registry.name } }
    }

    /// Whether a rule writes more than tags to the registry.
    func receivesLayers(_ registry: Registry) -> Bool {
        rules.contains { rule in
            rule.destinations.contains { $0.registry == registry.name && !$0.keepsRepositories }
        }
    }
}
