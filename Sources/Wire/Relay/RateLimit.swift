internal import Platform

/// The bytes a second that all relays of a transport share.
///
/// What is read is paid for afterwards: a chunk goes through when there is no debt. Whoever comes while there is one gets
/// a turn of its own, so that none is always overtaken by those who were woken before it.
final class RateLimit: Sendable {
    private let bytesPerSecond: Double
    /// When all is paid that was taken, and that those may take who have a turn.
    private let end: Lock<ContinuousClock.Instant>
    /// What a turn is reserved for, in time: libcurl's chunk, though more or less may be taken.
    private let step: Duration

    /// What was not used for a while may be used at once, for so long a time of it.
    static let burst: Duration = .milliseconds(50)

    init(bytesPerSecond: Int64) {
        self.bytesPerSecond = Double(max(bytesPerSecond, 1))
        step = .seconds(Double(RelayBuffer.largestChunk) / self.bytesPerSecond)
        end = Lock(.now)
    }

    /// - Parameter turn: What the caller was told when it asked before, if it has taken nothing since.
    /// - Returns: When to come again; `nil` for now.
    func wait(
        holding turn: ContinuousClock.Instant?,
        _ now: ContinuousClock.Instant = .now
    ) -> ContinuousClock.Instant? {
        if let turn { return turn > now ? turn : nil }
        return end.withLock { end in
            guard end > now else { return nil }
            defer { end += step }
            return end
        }
    }

    /// - Parameter turn: The one that the caller had for it.
    func spend(
        _ bytes: Int,
        holding turn: ContinuousClock.Instant?,
        _ now: ContinuousClock.Instant = .now
    ) {
        let cost = Duration.seconds(Double(bytes) / bytesPerSecond)
        end.withLock { end in
            if turn != nil { end += cost - step } else { end = max(end, now - Self.burst) + cost }
        }
    }
}
