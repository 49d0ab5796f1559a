internal import Content
internal import Platform
package import Replicate

/// What is heard of an examination while it goes on.
package enum ExaminationEvent: Sendable {
    /// This is asked now, and may have to be waited for.
    case asking(CopyError.Side, check: String)
    /// In the order in which findings are read, the source's first.
    case found(Finding)
    /// Of this side all permissions were tried that will be, and what was found of them has been told.
    case permissionsTried(CopyError.Side)
    /// Nothing is asked there any more.
    case ended(CopyError.Side)
}

/// Tells what both sides find in the order in which it is read: the destination's waits for the source's end.
///
/// Both are examined at the same time, so that neither waits for the other's host.
final class FindingOrder: Sendable {
    /// What a side tells.
    enum Entry: Sendable {
        case finding(Finding)
        /// What this means depends on the image that is to be copied, which the source knows.
        case tag(Examination.Held)
        case permissionsTried(CopyError.Side)
    }

    private struct State: Sendable {
        var findings: [Finding] = []
        /// The destination's, until the source's are all told.
        var waiting: [Entry] = []
        var isSourceTold = false
        var root: Digest?
    }

    private let state = Lock(State())
    private let tell: @Sendable (ExaminationEvent) -> Void

    /// - Parameter tell: Called for one event at a time; it must not come back here.
    init(_ tell: @escaping @Sendable (ExaminationEvent) -> Void) { self.tell = tell }

    /// All that was told.
    var findings: [Finding] { state.withLock { $0.findings } }

    func asking(_ side: CopyError.Side, _ check: String) { tell(.asking(side, check: check)) }

    func note(_ side: CopyError.Side, _ entry: Entry) {
        // The lock is held while it is told: the order is what it is for.
        state.withLock { state in
            guard side == .source || state.isSourceTold else { return state.waiting.append(entry) }
            pass(entry, &state)
        }
    }

    /// - Parameter root: The image that is to be copied, if the source had it.
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
    /// What will become of a tag that is there.
    fileprivate func finding(wanting root: Digest?) -> Finding {
        let there = "\(tag) holds \(digest)"
        return switch isFixed {
        case _ where digest == root: Finding(.ok, .destination, "tag", "\(tag) holds this image already")
        case true?:
            Finding(
                .warning,
                .destination,
                "tag",
                "\(tag) is immutable and holds \(digest): another image won't get it",
                remedy: "choose another tag"
            )
        case false?: Finding(.ok, .destination, "tag", "\(there), and may move")
        case nil:
            Finding(
                .warning,
                .destination,
                "tag",
                "\(there); whether it may move isn't known",
                remedy: "choose another tag, or allow ecr:DescribeRepositories"
            )
        }
    }
}
