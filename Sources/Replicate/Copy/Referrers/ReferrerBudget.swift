internal import Platform

/// Limits how many referrers are followed for one image.
///
/// Each referrer is requested and read, and may itself have referrers. Without a limit, a registry that lists
/// signatures of signatures endlessly could hold up a run forever.
///
/// - Source: docs/architecture.md#bounds
final class ReferrerBudget: Sendable {
    private struct State {
        var left = ReferrerBudget.most
        var isExceeded = false
    }

    private let state = Lock(State())

    /// The limit for one image, with its children and its referrers; one list may have just as many entries.
    static let most = 4_000

    /// Whether more referrers were found than the limit allows; from then on no more are requested.
    var isExceeded: Bool { state.withLock { $0.isExceeded } }

    /// - Returns: How many of `count` may be followed.
    func take(_ count: Int) -> Int {
        state.withLock { state in
            let granted = min(count, state.left)
            state.left -= granted
            if granted < count { state.isExceeded = true }
            return granted
        }
    }
}
