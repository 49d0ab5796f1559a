internal import AWSIdentity
internal import Content
internal import ECRAPI
package import FoundationEssentials
internal import Platform
package import Replicate

/// Checks what a rule file needs: every registry once, and for each rule some repositories at both sides.
///
/// The checks of a repository are those of ``Doctor``. What belongs to a registry is asked once for it: who the caller
/// is, whether its repositories can be listed, whether it gives a token. So the number of requests grows with the rules,
/// not with the repositories: a rule has at most ``RepositorySample/most`` of them.
package struct RuleDoctor: Sendable {
    private let replicator: Replicator
    private let now: @Sendable () -> Date

    /// The registries, and the rules, that are examined at the same time.
    private static let parallelism = 4

    package init(_ replicator: Replicator, now: @escaping @Sendable () -> Date = { Date() }) {
        (self.replicator, self.now) = (replicator, now)
    }

    /// Examines the registries, then the rules.
    ///
    /// - Parameter tell: Receives every event, one at a time; on cancellation also what was found so far.
    /// - Throws: Only `CancellationError`; all problems are in the diagnosis.
    package func examine(
        _ checkup: RuleCheckup,
        telling tell: @escaping @Sendable (RuleExaminationEvent) -> Void = { _ in }
    ) async throws -> RuleDiagnosis {
        let order = SectionOrder(tell)
        let states = Lock<[String: RegistryState]>([:])
        try await checkup.registries.indices.forEachConcurrently(limit: Self.parallelism) { index in
            let registry = checkup.registries[index]
            let part = PartExamination("registry \(registry.name)", order, number: index)
            defer { part.end() }
            let state = try await examine(registry, checkup, part)
            states.withLock { $0[registry.name] = state }
        }
        let known = states.withLock { $0 }
        try await checkup.rules.indices.forEachConcurrently(limit: Self.parallelism) { index in
            let part = PartExamination(
                "rule \(checkup.rules[index].name)",
                order,
                number: checkup.registries.count + index
            )
            defer { part.end() }
            try await examine(checkup.rules[index], checkup, known, part)
        }
        return RuleDiagnosis(file: checkup.file, findings: order.findings)
    }

    /// A doctor for the two sides of a rule.
    func doctor(
        source: SideOptions = SideOptions(),
        destination: SideOptions = SideOptions(),
        referrers: CopyOptions.Referrers = .all,
        createRepository: CopyOptions.RepositoryCreation = .never,
        kmsKeys: [String: String] = [:]
    ) -> Doctor {
        Doctor(
            replicator,
            source: source,
            destination: destination,
            referrers: referrers,
            createRepository: createRepository,
            kmsKeys: kmsKeys,
            now: now
        )
    }

    /// What was found out about a registry, for the rules that use it.
    struct RegistryState: Sendable {
        /// Whether it answers this caller; if not, the rules that use it are not checked.
        var isOpen = false
        var caller: CallerIdentity?
        /// The repositories of its list; `nil` if there is no list.
        var names: [RepositoryName]?
        /// ECR's repositories with their settings.
        var repositories: [RepositoryName: ECRRepository] = [:]
        var hasToken: Bool?
        var cacheRules: [PullThroughCacheRule]?
        /// The rules of ECR's own replication; `nil` if they are not known.
        var replication: [DescribeRegistry.Rule]?
    }
}

/// The findings of one part, and its place among the parts.
final class PartExamination: Sendable {
    let name: String
    private let order: SectionOrder
    private let number: Int
    private let section: Lock<DiagnosisSection>

    init(_ name: String, _ order: SectionOrder, number: Int) {
        (self.name, self.order, self.number) = (name, order, number)
        section = Lock(DiagnosisSection(name: name, heading: "", groups: []))
    }

    func head(_ heading: String) { section.withLock { $0.heading = heading } }

    func note(_ finding: Finding) { note(.init(finding.side, [finding])) }

    func note(_ group: DiagnosisSection.Group) { section.withLock { $0.groups.append(group) } }

    /// Makes an examination whose findings are added together, when `body` has ended, however it ends.
    func collect<Value>(
        _ side: CopyError.Side,
        label: String? = nil,
        named finding: @Sendable (inout Finding) -> Void,
        _ body: (FindingOrder) async throws -> Value
    ) async rethrows -> Value {
        let found = FindingOrder { [order, name] event in
            if case .asking(let side, let check) = event { order.asking(name, side, check) }
        }
        defer {
            // Findings of a destination wait for its source, which is examined elsewhere.
            found.end(.source)
            var findings = found.findings
            for index in findings.indices { finding(&findings[index]) }
            note(.init(side, label: label, findings))
        }
        return try await body(found)
    }

    func end() { order.finish(section.withLock { $0 }, number) }
}

/// Reports the parts in the order of the file, whichever ends first.
final class SectionOrder: Sendable {
    private struct State: Sendable {
        var next = 0
        var waiting: [Int: DiagnosisSection] = [:]
        var findings: [Finding] = []
    }

    private let state = Lock(State())
    private let tell: @Sendable (RuleExaminationEvent) -> Void

    init(_ tell: @escaping @Sendable (RuleExaminationEvent) -> Void) { self.tell = tell }

    var findings: [Finding] { state.withLock { $0.findings } }

    func asking(_ part: String, _ side: CopyError.Side, _ check: String) {
        tell(.asking(part: part, side, check: check))
    }

    func finish(_ section: DiagnosisSection, _ number: Int) {
        tell(.ended(part: section.name))
        // The lock stays held during the report, because it keeps the order.
        state.withLock { state in
            state.waiting[number] = section
            while let section = state.waiting.removeValue(forKey: state.next) {
                state.next += 1
                state.findings += section.findings
                tell(.finished(section))
            }
        }
    }
}
