internal import Content
package import FoundationEssentials
internal import Replicate

/// What rules would select from a list of tags, without asking a registry.
package struct RuleExplanation: Sendable {
    package var rules: [(rule: Rule, selection: TagSelection)]

    /// - Parameter now: The time that ages are measured from.
    package init(of rules: [Rule], tags: TagListing, now: Date) {
        self.rules = rules.map { ($0, $0.tags.select(from: tags.candidates, now: now)) }
    }

    /// Whether no rule selects fewer tags than its `minTags`.
    package var isEnough: Bool { rules.allSatisfy { $0.selection.wanted == nil } }

    /// The explanation for people.
    package var text: String {
        rules.flatMap { rule, selection -> [String] in
            guard rule.tags.selectsTags else {
                return ["\(rule.name): selects no tags, only digests or untagged images"]
            }
            let chosen = selection.chosen.map(\.tag.value)
            return ["\(rule.name): \(counted(chosen.count, "tag")) selected"] + selection.lines.map { "  \($0)" }
                + chosen.map { "  + \($0)" }
        }.joined(separator: "\n") + "\n"
    }
}
