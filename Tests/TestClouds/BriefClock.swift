/// A clock on which every wait takes at most a millisecond, for code that waits until another task has finished.
///
/// On an ``InstantClock`` such code would try again thousands of times before the other task runs.
public struct BriefClock: Clock {
    public typealias Instant = ContinuousClock.Instant

    public init() {}

    public var now: Instant { ContinuousClock.now }
    public var minimumResolution: Duration { .zero }

    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let wait = min(now.duration(to: deadline), .milliseconds(1))
        try await ContinuousClock().sleep(for: wait)
    }
}
