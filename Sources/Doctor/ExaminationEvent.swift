internal import Content
internal import Platform
package import Replicate

/// An event that an examination reports while it runs.
package enum ExaminationEvent: Sendable {
    /// A check has begun and may take a while.
    case asking(CopyError.Side, check: String)
    /// A finding, in reading order: the source's come first.
    case found(Finding)
    /// All permissions of this side have been tried, and the findings about them have been reported.
    case permissionsTried(CopyError.Side)
    /// No further checks are made on this side.
    case ended(CopyError.Side)
}

/// Reports the findings of both sides in reading order: the destination's wait until the source's have ended.
///
/// Both sides are examined at the same time, so that neither waits for the other's host.
final class FindingOrder: Sendable {
    /// What a side reports.
    enum Entry: Sendable {
        case finding(Finding)
        /// A tag that the destination holds; what it means depends on the image, which the source knows.
        case tag(Examination.Held)
        case permissionsTried(CopyError.Side)
    }

    private struct State: Sendable {
        var findings: [Finding] = []
        /// The destination's entries, held until the source has ended.
        var waiting: [Entry] = []
        var isSourceTold = false
        var root: Digest?
    }

    private let state = Lock(State())
    private let tell: @Sendable (ExaminationEvent) -> Void

    /// - Parameter tell: Called with one event at a time; it must not call back into this object.
    init(_ tell: @escaping @Sendable (ExaminationEvent) -> Void) { self.tell = tell }

    /// All findings that were reported.
    var findings: [Finding] { state.withLock { $0.findings } }

    func asking(_ side: CopyError.Side, _ check: String) { tell(.asking(side, check: check)) }

    func note(_ side: CopyError.Side, _ entry: Entry) {
        // The lock stays held during the report, because it keeps the order.
        state.withLock { state in
            guard side == .source || state.isSourceTold else { return state.waiting.append(entry) }
            pass(entry, &state)
        }
    }

    /// - Parameter root: The image that is to be copied, if the source has it.
    func end(_ side: CopyError.Side, root: Digest? = nil) {
        tell(.ended(side))
        note(side, .permissionsTried(side))
        guard side == .source else { return }
        state.withLock { state in
            (state.isSourceTold, state.root) = (true, root)
            for entry in state.waiting { pass(entry, &state) }
            state.waiting = []
        }
    }

    private func pass(_ entry: Entry, _ state: inout State) {
        switch entry {
        case .permissionsTried(let side): tell(.permissionsTried(side))
        case .finding(let finding): pass(finding, &state)
        case .tag(let held): pass(held.finding(wanting: state.root), &state)
        }
    }

    private func pass(_ finding: Finding, _ state: inout State) {
        state.findings.append(finding)
        tell(.found(finding))
    }
}

extension Examination.Held {
    /// What a copy will do with the tag that the destination holds.
    fileprivate func finding(wanting root: Digest?) -> Finding {
        let there = "\(tag) holds \(digest)"
        return switch isFixed {
        case _ where digest == root: Finding(.ok, .destination, "tag", "\(tag) holds this image already")
        case true?:
            Finding(
                .warning,
                .destination,
                "tag",
                "\(tag) is immutable and holds \(digest): it can't move to another image",
                remedy: "choose another tag"
            )
        case false?: Finding(.ok, .destination, "tag", "\(there), and may move")
        case nil:
            Finding(
                .warning,
                .destination,
                "tag",
                "\(there); whether it may move is unknown",
                remedy: "choose another tag, or allow ecr:DescribeRepositories"
            )
        }
    }
}
