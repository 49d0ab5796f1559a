internal import Platform

/// The bytes a second that all relays of a transport share.
///
/// What is read is paid for afterwards: a chunk goes through when there is no debt, and whoever comes while there is
/// one is told when it will be paid.
final class RateLimit: Sendable {
    private let bytesPerSecond: Double
    /// When the debt is paid.
    private let isPaid: Lock<ContinuousClock.Instant>

    /// What was not used for a while may be used at once, for so long a time of it.
    static let burst: Duration = .milliseconds(50)

    init(bytesPerSecond: Int64) {
        self.bytesPerSecond = Double(max(bytesPerSecond, 1))
        isPaid = Lock(.now)
    }

    /// - Returns: When to come again; `nil` for now.
    func wait(_ now: ContinuousClock.Instant = .now) -> ContinuousClock.Instant? {
        let paid = isPaid.withLock { $0 }
        return paid > now ? paid : nil
    }

    func spend(_ bytes: Int, _ now: ContinuousClock.Instant = .now) {
        isPaid.withLock { $0 = max($0, now - Self.burst) + .seconds(Double(bytes) / bytesPerSecond) }
    }
}
