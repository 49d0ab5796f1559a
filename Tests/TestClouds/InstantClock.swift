/// A clock on which every wait ends at once, so that tests never sleep.
public struct InstantClock: Clock {
    public typealias Instant = ContinuousClock.Instant

    public init() {}

    public var now: Instant { ContinuousClock.now }
    public var minimumResolution: Duration { .zero }
    public func sleep(until deadline: Instant, tolerance: Duration?) async throws { try Task.checkCancellation() }
}
