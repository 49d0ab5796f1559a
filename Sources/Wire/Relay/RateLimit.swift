internal import Platform

/// The limit on bytes per second that all relays of a transport share.
///
/// A chunk may be read when there is no debt, and its bytes are charged then. A relay that asks while there is a debt
/// gets a turn of its own, so that a relay is not always overtaken by others that wake earlier.
final class RateLimit: Sendable {
    private let bytesPerSecond: Double
    /// The time at which all bytes that were read or reserved by turns are paid off.
    private let end: Lock<ContinuousClock.Instant>
    /// The time that a turn reserves: that of one libcurl chunk, although more or less may be read.
    private let step: Duration

    /// The unused time that may be used at once.
    static let burst: Duration = .milliseconds(50)

    init(bytesPerSecond: Int64) {
        self.bytesPerSecond = Double(max(bytesPerSecond, 1))
        step = .seconds(Double(RelayBuffer.largestChunk) / self.bytesPerSecond)
        end = Lock(.now)
    }

    /// - Parameter turn: The caller's turn from an earlier call, if it has read nothing since.
    /// - Returns: The time to ask again; `nil` to read now.
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

    /// - Parameter turn: The turn that the caller used.
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
