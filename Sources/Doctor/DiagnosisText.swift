internal import Replicate

/// Formats findings as lines for people, as soon as each is known.
///
/// Actions that one statement would allow share one remedy, which stands under the last of them. Findings that follow a
/// denial are held back until all permissions of its side have been tried.
package struct DiagnosisText: Sendable {
    private var findings: [Finding] = []
    /// The sides on which no further denial can occur.
    private var settled: Set<CopyError.Side> = []
    /// The first finding that is not printed in full, and whether all of it except the remedy is printed.
    private var next = 0
    private var isLineSaid = false

    /// The width of the column of checks, in characters.
    ///
    /// It is that of the longest check, so that the column lines up before all checks are known.
    static let checkWidth = "ecr:BatchCheckLayerAvailability".count

    package init() {}

    /// Adds an event.
    ///
    /// - Returns: The lines that can be printed now, each with a newline; empty if there are none.
    package mutating func note(_ event: ExaminationEvent) -> String {
        switch event {
        case .found(let finding): findings.append(finding)
        case .permissionsTried(let side): settled.insert(side)
        case .asking, .ended: return ""
        }
        return advance()
    }

    /// Returns the lines that were held back, once no more events follow.
    package mutating func rest() -> String {
        settled = [.source, .destination]
        return advance()
    }

    private mutating func advance() -> String {
        var lines: [String] = []
        while next < findings.count {
            if !isLineSaid { lines.append(line(next)) }
            isLineSaid = true
            guard let advice = advice(next) else { break }
            lines += advice
            next += 1
            isLineSaid = false
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private func line(_ index: Int) -> String {
        let finding = findings[index]
        let word = finding.status == .failed ? "FAILED" : finding.status.rawValue
        let isRepeated = findings[..<index].contains { $0.isLike(to: finding) }
        let text = isRepeated ? "not allowed, as above" : finding.text
        return
            "\(padded(word, 8)) \(padded(finding.side.rawValue, 11)) \(padded(finding.check, Self.checkWidth))  \(text)"
    }

    /// The lines of advice under a finding.
    ///
    /// - Returns: `nil` while the advice may still change.
    private func advice(_ index: Int) -> [String]? {
        let finding = findings[index]
        guard finding.status != .ok, finding.remedy != nil else { return [] }
        let alike = findings.indices.filter { findings[$0].isLike(to: finding) }
        if let last = alike.last {
            guard last == index else { return [] }
            guard settled.contains(finding.side) else { return nil }
        }
        guard let remedy = finding.remedy(for: alike.map { findings[$0].check }) else { return [] }
        let margin = String(repeating: " ", count: 11)
        let advice = remedy.split(separator: "\n").map { "\(margin)\($0)" }.joined(separator: "\n")
        return ["\(margin)next: " + advice.dropFirst(margin.count)]
            + (finding.credentials.map { ["\(margin)credentials: \($0)"] } ?? [])
            + (finding.requestID.map { ["\(margin)request id: \($0)"] } ?? [])
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

extension Diagnosis {
    /// A line for each finding, with its remedy if it has one, and ``summary``.
    package var text: String {
        var text = DiagnosisText()
        return findings.map { text.note(.found($0)) }.joined() + text.rest() + summary + "\n"
    }

    /// The number of problems, as the last line states it.
    package var summary: String {
        if let interruption { return interrupted(interruption) }
        return findings.counts ?? "all checks passed"
    }

    private func interrupted(_ interruption: Interruption) -> String {
        let asked = interruption.unanswered.map { "\($0.check) of the \($0.side.rawValue)" }.joined(separator: ", ")
        let until = "until then \(findings.isEmpty ? "nothing was found" : findings.counts ?? "all checks passed")"
        return "interrupted: \(asked.isEmpty ? "" : "no answer yet to \(asked); ")\(until)"
    }
}

extension [Finding] {
    /// The numbers of problems; `nil` if there are none.
    var counts: String? {
        func count(_ status: Finding.Status) -> Int { self.count { $0.status == status } }
        let counts = [
            count(.failed) > 0 ? "\(count(.failed)) failed" : nil,
            count(.warning) > 0 ? counted(count(.warning), "warning") : nil,
            count(.skipped) > 0 ? "\(count(.skipped)) skipped" : nil,
        ].compactMap { $0 }
        return counts.isEmpty ? nil : counts.joined(separator: ", ")
    }
}

extension Finding {
    /// The action as a statement in a remedy contains it.
    private var statedAction: String { "\"Action\":\"\(check)\"" }

    /// Whether both findings are denials for which the same statement, apart from the action, would help.
    fileprivate func isLike(to other: Finding) -> Bool {
        guard status == .failed, other.status == .failed, side == other.side,
            let remedy, remedy.contains(statedAction), let others = other.remedy, others.contains(other.statedAction)
        else { return false }
        return remedy.replacing(check, with: "") == others.replacing(other.check, with: "")
            && text.replacing(check, with: "") == other.text.replacing(other.check, with: "")
    }

    /// The remedy for all of these actions at once.
    fileprivate func remedy(for actions: [String]) -> String? {
        guard actions.count > 1 else { return remedy }
        let list = actions.map { "\"\($0)\"" }.joined(separator: ",")
        return remedy?.replacing(statedAction, with: "\"Action\":[\(list)]")
    }
}
