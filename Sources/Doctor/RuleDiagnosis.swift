internal import Content
package import Replicate

/// A part of the diagnosis of a rule file: a registry, or a rule.
package struct DiagnosisSection: Sendable {
    /// What the part is about, as `rule releases`.
    package var name: String
    /// What follows the name in the heading.
    package var heading: String
    /// The findings, in groups of one repository each; the findings of a registry are one group.
    package var groups: [Group]

    package struct Group: Sendable {
        package var side: CopyError.Side
        /// The repository, in words; `nil` if the findings are about the registry or the rule as a whole.
        package var label: String?
        package var findings: [Finding]

        init(_ side: CopyError.Side, label: String? = nil, _ findings: [Finding]) {
            (self.side, self.label, self.findings) = (side, label, findings)
        }
    }

    /// All findings, each with its repository.
    package var findings: [Finding] { groups.flatMap(\.findings) }

    /// The lines for people: all findings about a registry, and of a repository's those that are not fine.
    package var text: String {
        (heading.isEmpty ? "\(name)\n" : "\(name): \(heading)\n") + groups.map(\.text).joined()
    }
}

extension DiagnosisSection.Group {
    fileprivate var text: String {
        guard let label else { return Self.lines(findings) }
        let failed = findings.filter { $0.status == .failed }
        let passed = findings.count { $0.status == .ok }
        var whole = Finding(failed.isEmpty ? .ok : .failed, side, label, "\(counted(passed, "check")) passed")
        if !failed.isEmpty { whole.text = "\(failed.count) of \(counted(findings.count, "check")) failed" }
        return Self.lines([whole]) + Self.lines(findings.filter { $0.status != .ok })
    }

    private static func lines(_ findings: [Finding]) -> String {
        var text = DiagnosisText()
        return findings.map { text.note(.found($0)) }.joined() + text.rest()
    }
}

/// The findings about a rule file.
package struct RuleDiagnosis: Sendable, Encodable {
    package var version = 1
    package var command = "doctor"
    package var file: String
    package var findings: [Finding]
    /// Why the diagnosis is incomplete; `nil` if it is complete.
    package var interruption: Interruption?

    /// Why a diagnosis is incomplete, and what was unanswered.
    package struct Interruption: Sendable {
        /// The exit code of the signal.
        package var exitCode: Int32
        package var unanswered: [Unanswered]

        package init(exitCode: Int32, unanswered: [Unanswered]) {
            (self.exitCode, self.unanswered) = (exitCode, unanswered)
        }
    }

    /// A check that had not been answered yet.
    package struct Unanswered: Sendable, Equatable, Encodable {
        /// The part, as `registry build`.
        package var part: String
        package var side: CopyError.Side
        package var check: String

        package init(part: String, side: CopyError.Side, check: String) {
            (self.part, self.side, self.check) = (part, side, check)
        }
    }

    package init(file: String, findings: [Finding]) { (self.file, self.findings) = (file, findings) }

    enum CodingKeys: String, CodingKey {
        case version, command, exitCode, file, unanswered
        case findings = "checks"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(version, forKey: .version)
        try container.encode(command, forKey: .command)
        try container.encode(exitCode, forKey: .exitCode)
        try container.encode(file, forKey: .file)
        try container.encode(findings, forKey: .findings)
        try container.encodeIfPresent(interruption?.unanswered, forKey: .unanswered)
    }

    /// The exit code of the command, by the rules of ``Diagnosis/exitCode``.
    package var exitCode: Int32 { interruption?.exitCode ?? findings.exitCode }

    /// The number of problems, as the last line states it.
    package var summary: String {
        guard let interruption else { return findings.counts ?? "all checks passed" }
        let open = interruption.unanswered.map { "\($0.check) of \($0.part)" }.joined(separator: ", ")
        let until = "until then \(findings.isEmpty ? "nothing was found" : findings.counts ?? "all checks passed")"
        return "interrupted: \(open.isEmpty ? "" : "no answer yet to \(open); ")\(until)"
    }
}

/// An event of the examination of a rule file.
package enum RuleExaminationEvent: Sendable {
    /// A check has begun and may take a while.
    case asking(part: String, CopyError.Side, check: String)
    /// A part is finished, in the order of the file. After a cancellation it has what was found so far.
    case finished(DiagnosisSection)
    /// Nothing is asked for this part any more.
    case ended(part: String)
}
