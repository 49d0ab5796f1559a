package import Content
package import Replicate

extension ContentDifference {
    /// The mark that stands before it in text: what a copy would do about it.
    var mark: String {
        if isRepaired { return PlannedAction.keep.mark }
        return switch kind {
        case .tagMissing, .imageMissing, .childMissing, .blobMissing, .referrerMissing, .referrerUnlisted,
            .digestTagMissing:
            PlannedAction.add.mark
        case .tagDiffers, .digestTagDiffers: PlannedAction.move.mark
        case .archived, .corrupt: PlannedAction.refuse.mark
        }
    }
}

extension ImageOutcome {
    /// The lines of an image with differences: one for each, and one for each tag that is skipped.
    var verifiedLines: [String] {
        let digest = digest.map(\.description) ?? sourceName
        let named = tags.isEmpty ? digest : tags.map(\.tag.value).joined(separator: ", ")
        var lines = differences.map { difference in
            // A tag's own difference names that tag only.
            let isOfTag = difference.kind == .tagMissing || difference.kind == .tagDiffers
            let name = isOfTag ? difference.tag?.value ?? named : named
            return "  \(difference.mark) \(name)  \(difference.isRepaired ? "repaired: " : "")\(difference.text)"
        }
        lines += tags.filter { $0.action == .skip }.map { tag in
            let reason = tag.reason.map { "; \($0)" } ?? ""
            return "  \(tag.action.mark) \(tag.tag)  \(tag.before.map { "stays \($0)" } ?? "skipped")\(reason)"
        }
        switch state {
        case .failed(let problem): lines.append("  error \(sourceName): \(problem.text)")
        case .refused(let problems): lines += problems.prefix(1).map { "  ! \(sourceName)  \($0.text)" }
        case .stopped: lines.append("  stopped \(sourceName)")
        case .planned, .done: break
        }
        return lines + notes.map { "      note: \($0)" } + leftOut.map { "      left out: \($0.text)" }
    }
}

extension OutcomeTotals {
    /// The summary of `verify`, in one line.
    package func verifyLine(requests: Int, seconds: String) -> String {
        let found = [
            differences > 0
                ? "\(counted(differences, "difference")) in \(counted(differing, "image"))" : "no differences",
            repaired > 0 ? "\(repaired) repaired" : nil,
            (tags[.skip] ?? 0) > 0 ? "\(tags[.skip] ?? 0) skipped" : nil,
            refused > 0 ? "\(refused) refused" : nil,
            failed > 0 ? "\(failed) failed" : nil,
            stopped > 0 ? "\(stopped) not finished" : nil,
            "\(counted(tags[.keep] ?? 0, "tag")) in sync",
        ].compactMap { $0 }
        let places = repositories == 1 ? "1 repository" : "\(repositories) repositories"
        return "verify: \(found.joined(separator: ", ")) in \(places); \(counted(requests, "request")), \(seconds)"
    }
}

/// The JSON of one difference, a member of an image's `differences`.
package struct DifferenceEntry: Encodable, Sendable {
    package var kind: ContentDifference.Kind
    package var digest: Digest
    package var tag: Tag?
    package var holds: Digest?
    package var parent: Digest?
    package var text: String
    package var repaired: Bool

    init(_ difference: ContentDifference) {
        (kind, digest, tag) = (difference.kind, difference.digest, difference.tag)
        (holds, parent) = (difference.holds, difference.parent)
        (text, repaired) = (difference.text, difference.isRepaired)
    }
}
