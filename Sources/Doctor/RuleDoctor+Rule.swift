internal import Content
internal import ECRAPI
internal import Replicate

extension RuleCheckup.Registry {
    /// Why the rules of a registry are not checked.
    var closedText: String {
        location == nil
            ? "the directory of registry \(name) can't be used, as said above"
            : "registry \(name) does not answer this caller, as said above"
    }
}

extension RuleDoctor {
    /// Checks some repositories of a rule at both sides.
    func examine(
        _ rule: RuleCheckup.Rule,
        _ checkup: RuleCheckup,
        _ states: [String: RegistryState],
        _ part: PartExamination
    ) async throws {
        guard let registry = checkup.registries.first(where: { $0.name == rule.source }),
            let state = states[rule.source]
        else { return }
        func note(_ status: Finding.Status, _ text: String, remedy: String? = nil) {
            let finding = Finding(status, .source, "repositories", text, remedy: remedy)
            part.note(finding.named(registry, rule: rule.name))
        }
        if let warning = rule.warning { note(.warning, warning) }
        guard state.isOpen else {
            return note(.skipped, registry.closedText)
        }
        guard let selected = repositories(of: rule, state) else {
            return note(.skipped, "the repositories of registry \(registry.name) are not known, as said above")
        }
        guard !selected.isEmpty else {
            return note(
                .warning,
                "none of the \(countedRepositories(state.names?.count ?? 0)) of registry \(registry.name) is selected",
                remedy: "check from.repository and from.exclude of the rule"
            )
        }
        let sample = RepositorySample.choose(selected.map { settings(of: $0, rule, states) })
        part.head(Self.heading(sample.indices.count, of: selected.count, kinds: sample.kinds))
        let visit = RuleVisit(rule: rule, checkup: checkup, states: states, part: part)
        for index in sample.indices { try await examine(selected[index], visit) }
    }

    private static func heading(_ checked: Int, of count: Int, kinds: Int) -> String {
        guard checked < count else { return "\(countedRepositories(count)) selected and checked" }
        return "\(countedRepositories(count)) selected, \(checked) of them checked; "
            + (kinds == 1 ? "their settings are the same" : "they have \(kinds) different settings")
    }

    /// The repositories that a rule selects; `nil` if the registry's list is not known.
    private func repositories(of rule: RuleCheckup.Rule, _ state: RegistryState) -> [RepositoryName]? {
        switch rule.repositories {
        case .named(let names): names
        case .selected(let isSelected): state.names?.filter(isSelected)
        }
    }

    /// What tells repositories apart: the settings at the source and at each destination.
    private struct Settings: Hashable {
        var mutability: ECRRepository.TagMutability?
        var exclusions: [ECRRepository.ExclusionFilter]?
        var encryption: ECRRepository.Encryption?
        /// Whether the registry's list has the repository.
        var isListed: Bool

        init(_ repository: ECRRepository?) {
            mutability = repository?.imageTagMutability
            exclusions = repository?.imageTagMutabilityExclusionFilters
            encryption = repository?.encryptionConfiguration
            isListed = repository != nil
        }
    }

    private func settings(
        of name: RepositoryName,
        _ rule: RuleCheckup.Rule,
        _ states: [String: RegistryState]
    ) -> [Settings] {
        [Settings(states[rule.source]?.repositories[name])]
            + rule.destinations.map { destination in
                let written = destination.place(name, nil)?.repository
                return Settings(written.flatMap { states[destination.registry]?.repositories[$0] })
            }
    }

    /// A rule that is examined, and what is known of its registries.
    struct RuleVisit: Sendable {
        var rule: RuleCheckup.Rule
        var checkup: RuleCheckup
        var states: [String: RegistryState]
        var part: PartExamination

        func registry(_ name: String) -> RuleCheckup.Registry? { checkup.registries.first { $0.name == name } }

        func policies(_ registry: RuleCheckup.Registry) -> RulePolicyCommandLine {
            RulePolicyCommandLine(checkup.file, rules: [rule.name], registry.options)
        }
    }
}
