internal import Content
package import Promotion
package import Replicate

/// The gates of each rule that has some, set up for one run.
package struct RuleAdmissions: Sendable {
    private var byRule: [String: GateAdmission] = [:]

    /// The admissions of rules without gates.
    package static let none = RuleAdmissions()

    private init() {}

    /// Sets up the gates of rules, and reads the files that they name.
    ///
    /// - Parameters:
    ///   - keepsReports: Whether ``reports`` has every report.
    ///   - announce: Called with the rule's name and each report as soon as it is known, on any thread.
    /// - Throws: `GateProblem`
    package init(
        _ rules: [Rule],
        in surroundings: GateSet.Surroundings,
        keepsReports: Bool = false,
        announce: @escaping @Sendable (_ rule: String, GateReport) -> Void = { _, _ in }
    ) throws(GateProblem) {
        for rule in rules {
            guard let settings = rule.gates, !settings.isEmpty else { continue }
            let name = rule.name
            byRule[name] = GateAdmission(try GateSet(settings, in: surroundings), keepsReports: keepsReports) {
                announce(name, $0)
            }
        }
    }

    /// What the gates said, by rule in the order of their names.
    package var reports: [GateReport] { byRule.sorted { $0.key < $1.key }.flatMap(\.value.reports) }

    /// What to tell the user about the copies.
    package var notes: [String] { byRule.sorted { $0.key < $1.key }.flatMap(\.value.notes).unique() }

    /// What decides about the images of a rule; `nil` for a rule without gates.
    ///
    /// A rule whose gates were not set up admits nothing.
    package func admission(of rule: Rule) -> (any ImageAdmission)? {
        guard let settings = rule.gates, !settings.isEmpty else { return nil }
        return byRule[rule.name] ?? ClosedAdmission(rule: rule.name)
    }
}

/// Admits no image, because the gates of its rule were not set up.
private struct ClosedAdmission: ImageAdmission {
    var rule: String

    func refusals(of candidate: AdmissionCandidate) async throws -> [CopyError] {
        let denial = CopyError.GateDenial(
            text: "the gates of rule '\(quotable(rule))' could not be set up, so no image passes",
            remedy: "carry the rule out with sync -f or promote -f, and see that the files of its gates can be read"
        )
        return [
            CopyError(
                .gateDenied(denial),
                side: .source,
                image: candidate.image,
                operation: "evaluating the gates"
            )
        ]
    }
}
