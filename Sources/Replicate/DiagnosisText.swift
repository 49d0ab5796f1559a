extension Diagnosis {
    /// A line for each finding, and what is to be done where something is.
    ///
    /// Actions that one statement would allow are told together, under the last of them.
    public var text: String {
        let width = findings.map(\.check.count).max() ?? 0
        var lines: [String] = []
        for (index, finding) in findings.enumerated() {
            let word = finding.status == .failed ? "FAILED" : finding.status.rawValue
            let kin = findings.indices.filter { findings[$0].isKin(to: finding) }
            let isRepeated = kin.first.map { $0 < index } ?? false
            let text = isRepeated ? "not allowed, as above" : finding.text
            lines.append(
                "\(padded(word, 8)) \(padded(finding.side.rawValue, 11)) \(padded(finding.check, width))  \(text)"
            )
            guard finding.status == .failed || finding.status == .warning, kin.last ?? index == index else { continue }
            guard let remedy = finding.remedy(for: kin.map { findings[$0].check }) else { continue }
            let margin = String(repeating: " ", count: 11)
            let advice = remedy.split(separator: "\n").map { "\(margin)\($0)" }.joined(separator: "\n")
            lines.append("\(margin)next: " + advice.dropFirst(margin.count))
            if let id = finding.requestID { lines.append("\(margin)request id: \(id)") }
        }
        let counts = [(Finding.Status.failed, "failed"), (.warning, "warnings"), (.skipped, "not looked at")]
            .map { status, name in (findings.count { $0.status == status }, name) }.filter { $0.0 > 0 }
            .map { "\($0.0) \($0.1)" }
        lines.append(counts.isEmpty ? "all is well" : counts.joined(separator: ", "))
        return lines.joined(separator: "\n") + "\n"
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

extension Finding {
    /// As a statement in a remedy names it.
    private var statedAction: String { "\"Action\":\"\(check)\"" }

    /// Whether both are denials that the same statement would end, but for the action.
    fileprivate func isKin(to other: Finding) -> Bool {
        guard status == .failed, other.status == .failed, side == other.side,
            let remedy, remedy.contains(statedAction), let others = other.remedy, others.contains(other.statedAction)
        else { return false }
        return remedy.replacing(check, with: "") == others.replacing(other.check, with: "")
            && text.replacing(check, with: "") == other.text.replacing(other.check, with: "")
    }

    /// The remedy, for all of these actions at once.
    fileprivate func remedy(for actions: [String]) -> String? {
        guard actions.count > 1 else { return remedy }
        let list = actions.map { "\"\($0)\"" }.joined(separator: ",")
        return remedy?.replacing(statedAction, with: "\"Action\":[\(list)]")
    }
}
