internal import Platform

/// How many referrers are still followed for one image.
///
/// Each is asked about and read, and may have referrers itself: a registry that lists signatures of signatures without end
/// would hold a run for as long as it likes.
///
/// - Source: docs/architecture.md#bounds
final class ReferrerBudget: Sendable {
    private struct State {
        var left = ReferrerBudget.most
        var isExceeded = false
    }

    private let state = Lock(State())

    /// Of one image, with those of its children and of its referrers; as many as one list may have.
    static let most = 4_000

    /// Whether more were found than are followed; from then on nothing more is asked.
    var isExceeded: Bool { state.withLock { $0.isExceeded } }

    /// - Returns: How many of `count` are to be followed.
    func take(_ count: Int) -> Int {
        state.withLock { state in
            let granted = min(count, state.left)
            state.left -= granted
            if granted < count { state.isExceeded = true }
            return granted
        }
    }
}
