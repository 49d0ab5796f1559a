internal import Platform

/// Counts the requests that a task and its child tasks send.
///
/// A request that several tasks wait for is counted for the task that sends it.
public final class RequestTally: Sendable {
    /// The tally of the current task, if its requests are counted.
    @TaskLocal public static var current: RequestTally?

    private let sent = Lock(0)

    public init() {}

    /// The number of requests so far; each attempt and each end of a relay is one.
    public var count: Int { sent.withLock { $0 } }

    func add(_ count: Int) { sent.withLock { $0 += count } }
}
