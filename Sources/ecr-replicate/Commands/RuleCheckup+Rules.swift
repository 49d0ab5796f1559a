import Content
import Doctor
import FoundationEssentials
import IAMPolicies
import Promotion
import Replicate
import Rules

extension RuleCheckup {
    /// What the doctor checks for rules of a file.
    ///
    /// - Parameter selected: The rules; with all of the file's, its registries that no rule uses are checked too.
    init(_ file: RuleFile, _ selected: [Rules.Rule]) {
        let used = Set(
            selected.flatMap { rule in [rule.source.registry] + rule.destinations.map(\.registry) }.map(\.name)
        )
        let registries = file.registries.filter { selected.count == file.rules.count || used.contains($0.name) }
        self.init(file: file.name, registries: registries.map(Registry.init), rules: selected.map(Rule.init))
    }
}

extension RuleCheckup.Registry {
    init(_ registry: RuleRegistry) {
        let location: RegistryLocation? =
            switch registry.place {
            case .ecr(let host): .ecr(host)
            case .plain(let plain): .plain(plain)
            case .layout: nil
            }
        self.init(
            name: registry.name,
            location: location,
            folder: RuleCheckup.Folder(registry),
            words: registry.place.words,
            options: registry.options,
            kmsKeys: registry.kmsKeys
        )
    }
}

extension RuleCheckup.Folder {
    fileprivate init?(_ registry: RuleRegistry) {
        guard case .layout(let directory) = registry.place else { return nil }
        self.init(path: directory) { () throws(Unusable) in
            do throws(OutcomeProblem) {
                return try registry.layouts()
            } catch {
                throw Unusable(error.text, remedy: error.remedy ?? "check layout: in the rule file")
            }
        }
    }
}

extension RuleCheckup.Rule {
    init(_ rule: Rules.Rule) {
        let source = rule.source
        self.init(
            name: rule.name,
            source: source.registry.name,
            repositories: source.fixedRepositories.map { .named($0) }
                ?? .selected { source.pattern(selecting: $0) != nil },
            reference: { source.registry.reference(to: $0) },
            choose: { rule.image(from: $0) },
            destinations: rule.destinations.map { destination in
                RuleCheckup.Destination(
                    registry: destination.registry.name,
                    keepsRepositories: rule.keepsRepositories(at: destination)
                ) { repository, image in
                    rule.place(at: destination, of: repository, image)
                }
            },
            referrers: rule.referrers,
            createRepository: rule.createRepository.ofCopies,
            prunes: rule.prune != nil,
            gates: GateNeeds(rule.gates ?? GateSettings())
        )
    }
}

extension Rule {
    /// An image that the rule selects from the first page of a repository's tags.
    fileprivate func image(from listed: [RuleCheckup.Candidate]) -> ManifestID? {
        if let digest = tags.digests.first { return .digest(digest) }
        let candidates = listed.map { TagCandidate($0.tag, digest: $0.digest, pushedAt: $0.pushedAt) }
        return tags.select(from: candidates, now: Date()).chosen.last.map { .tag($0.tag) }
    }

    /// Where an image of a repository goes; without an image, only the repository is sure to be known.
    fileprivate func place(
        at destination: RuleDestination,
        of repository: RepositoryName,
        _ image: RuleCheckup.Candidate?
    ) -> DestinationReference? {
        guard let pattern = source.pattern(selecting: repository) else { return nil }
        let values = NameValues(registry: source.registry, repository: repository, selectedBy: pattern)
        func filled(_ template: NameTemplate, _ kind: NameValues.Kind) -> String? {
            template.filled(values.values(for: kind, tag: image?.tag, digest: image?.digest, match: tags.match))
        }
        guard let name = filled(destination.repository, .repository).flatMap({ try? RepositoryName(parsing: $0) })
        else {
            return nil
        }
        let reference = destination.registry.reference(to: name)
        let tag = filled(destination.tag, .tag).flatMap { try? Tag(parsing: $0, as: destination.registry.tagGrammar) }
        return DestinationReference(registry: reference.registry, repository: reference.repository, tag: tag)
    }
}

extension RuleRepositoryCreation {
    /// What a copy under the rule does if a destination's repository is missing.
    fileprivate var ofCopies: CopyOptions.RepositoryCreation {
        switch self {
        case .never: .never
        case .defaults: .defaults
        case .likeSource: .likeSource
        }
    }
}
