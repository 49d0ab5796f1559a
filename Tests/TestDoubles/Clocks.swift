import Platform

/// A clock whose waits take no time and are recorded.
public final class RecordingClock: Clock {
    public struct Instant: InstantProtocol {
        public var offset: Duration
        public init(offset: Duration = .zero) { self.offset = offset }
        public func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        public func duration(to other: Instant) -> Duration { other.offset - offset }
        public static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let slept = Lock<[Duration]>([])

    public init() {}

    public var waits: [Duration] { slept.withLock { $0 } }
    public var now: Instant { Instant(offset: waits.reduce(.zero, +)) }
    public var minimumResolution: Duration { .zero }

    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        slept.withLock { $0.append(deadline.offset - $0.reduce(.zero, +)) }
    }
}

/// A clock whose waits end as soon as a condition is met.
public final class ConditionClock: Clock {
    public typealias Instant = RecordingClock.Instant

    private let isMet: @Sendable () -> Bool

    public init(_ isMet: @escaping @Sendable () -> Bool) { self.isMet = isMet }

    public var now: Instant { Instant() }
    public var minimumResolution: Duration { .zero }

    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        while !isMet() {
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}
