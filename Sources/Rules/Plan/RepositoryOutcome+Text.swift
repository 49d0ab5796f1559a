internal import AWSIdentity
internal import Content
internal import Replicate

extension RepositoryOutcome {
    /// The outcome for people: a line for the repository, then one for each tag that isn't in sync.
    package var lines: [String] {
        var lines = ["\(rule): \(source) → \(destination.map(\.description) ?? "nothing")"]
        // The tags are the same for every destination of a rule.
        if let selection, destinationIndex == 0 { lines += selection.lines.map { "    \($0)" } }
        lines += problems.map { "  \($0.kind == .refused ? PlannedAction.refuse.mark : "error") \($0.text)" }
        if creates, let destination {
            lines.append("  + repository \(destination)\(template.map { ", by the creation template \($0)" } ?? "")")
        }
        lines += notes.map { "    note: \($0)" }
        if isStopped { lines.append("  stopped") }
        for image in images where image.isShown { lines += image.lines }
        let kept = images.filter { !$0.isShown }.reduce(0) { $0 + max(1, $1.tags.count) }
        if kept > 0 { lines.append("  = \(counted(kept, "tag")) in sync") }
        return lines
    }
}

extension ImageOutcome {
    /// Whether text shows the image by name; what is in sync is only counted.
    var isShown: Bool {
        switch state {
        case .planned, .done: action != .keep || !leftOut.isEmpty || !differences.isEmpty
        case .refused, .failed, .stopped: true
        }
    }

    /// A line for each tag, or for each difference that was found.
    var lines: [String] {
        if !differences.isEmpty { return verifiedLines }
        switch state {
        case .failed(let problem): return ["  error \(sourceName): \(problem.text)"]
        case .stopped: return ["  stopped \(sourceName)"]
        case .refused(let problems) where tags.allSatisfy { $0.reason == nil }:
            return problems.prefix(1).map { "  ! \(sourceName)  \($0.text)" }
        case .planned, .done, .refused: break
        }
        var size = workText.map { "  (\($0))" } ?? ""
        var lines: [String] = []
        for tag in tags {
            // An image whose tag stays may lack its signatures.
            let shown = tag.action == .keep && action == .add ? .add : tag.action
            if state.isRefused, tag.action != .refuse { continue }
            lines.append("  \(shown.mark) \(tag.tag)  \(Self.change(tag, shown, digest))\(size)")
            if shown != .keep { size = "" }
        }
        if tags.isEmpty { lines.append("  \(action.mark) \(digest.map(\.description) ?? sourceName)\(size)") }
        if action == .delete { lines.append("      \(restoreText)") }
        lines += notes.map { "      note: \($0)" }
        lines += leftOut.map { "      left out: \($0.text)" }
        return lines
    }

    private static func change(_ tag: TagOutcome, _ action: PlannedAction, _ digest: Digest?) -> String {
        let after = digest.map(\.description) ?? ""
        let reason = tag.reason.map { "; \($0)" } ?? ""
        return switch action {
        case .add, .keep: after
        case .move: "\(tag.before.map(\.description) ?? "") → \(after)"
        case .skip: tag.before.map { "stays \($0)\(reason)" } ?? "skipped\(reason)"
        case .refuse: tag.reason ?? ""
        case .delete: "\(tag.before.map(\.description) ?? "")\(reason)"
        }
    }

    var sourceName: String { source.tag.map(\.value) ?? digest.map(\.description) ?? "\(source)" }

    /// What is to be done or was done, in words; `nil` for nothing.
    private var workText: String? {
        let parts = [
            work.bytes > 0 ? "\(ByteCount(work.bytes))" : nil,
            work.bytesMountable > 0 ? "\(ByteCount(work.bytesMountable)) to mount" : nil,
            work.referrers > 0 ? counted(work.referrers, "referrer") : nil,
        ].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
}

extension ImageOutcome.State {
    fileprivate var isRefused: Bool { if case .refused = self { true } else { false } }
}

extension OutcomeTotals {
    /// The summary of a plan, in one line.
    package func planLine(_ estimate: TransferEstimate?) -> String {
        let changes = [
            "\(tags[.add] ?? 0) to add", "\(tags[.move] ?? 0) to move",
            repositoriesToCreate > 0 ? "\(counted(repositoriesToCreate, "repository").pluralized) to create" : nil,
            (tags[.delete] ?? 0) > 0 ? "\(tags[.delete] ?? 0) to delete" : nil,
            (tags[.skip] ?? 0) > 0 ? "\(tags[.skip] ?? 0) skipped" : nil,
            refused > 0 ? "\(refused) refused" : nil,
            failed > 0 ? "\(failed) failed" : nil,
            "\(tags[.keep] ?? 0) in sync",
        ].compactMap { $0 }
        let bytes = [
            "\(ByteCount(work.bytes)) to move",
            work.bytesThere > 0 ? "\(ByteCount(work.bytesThere)) there" : nil,
            work.bytesMountable > 0 ? "\(ByteCount(work.bytesMountable)) to mount" : nil,
            work.requests > 0 ? "about \(counted(work.requests, "request"))" : nil,
            estimate?.text,
        ].compactMap { $0 }
        return "plan: \(changes.joined(separator: ", ")) in \(counted(repositories, "repository").pluralized); "
            + bytes.joined(separator: ", ")
    }

    /// The summary of a run, in one line.
    package func runLine(requests: Int, seconds: String) -> String {
        let changes = [
            "\(tags[.add] ?? 0) added", "\(tags[.move] ?? 0) moved",
            (tags[.delete] ?? 0) > 0 ? "\(tags[.delete] ?? 0) deleted" : nil,
            (tags[.skip] ?? 0) > 0 ? "\(tags[.skip] ?? 0) skipped" : nil,
            refused > 0 ? "\(refused) refused" : nil,
            failed > 0 ? "\(failed) failed" : nil,
            stopped > 0 ? "\(stopped) not finished" : nil,
            "\(tags[.keep] ?? 0) in sync",
        ].compactMap { $0 }
        return "sync: \(changes.joined(separator: ", ")) in \(counted(repositories, "repository").pluralized); "
            + "\(ByteCount(work.bytes)) moved, \(counted(requests, "request")), \(seconds)"
    }
}

extension String {
    /// The plural of a count of repositories.
    fileprivate var pluralized: String { replacing("repositorys", with: "repositories") }
}
