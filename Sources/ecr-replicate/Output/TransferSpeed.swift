import Content

/// The rate at which bytes move, measured over the last seconds.
struct TransferSpeed: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// The measured period: long enough to be steady, short enough to follow a change.
    static let window: Duration = .seconds(20)
    /// The shortest usable measurement: the first bytes only fill buffers.
    static let shortest: Duration = .seconds(2)
    private static let interval: Duration = .milliseconds(500)

    private var samples: [(at: Instant, bytes: Int64)] = []
    private var total: Int64 = 0

    /// Starts measuring when a first transfer starts, so that the idle time before doesn't count.
    mutating func begin(at now: Instant) { samples = [(now, total)] }

    /// Adds moved bytes; bytes that a destination lost again don't lower the rate.
    mutating func add(_ bytes: Int64, at now: Instant) {
        total += max(0, bytes)
        guard let last = samples.last, now - last.at >= Self.interval else { return }
        samples.append((now, total))
        while samples.count > 2, now - samples[1].at >= Self.window { samples.removeFirst() }
    }

    /// The rate in bytes per second; `nil` before it is known.
    func perSecond(at now: Instant) -> Double? {
        // The last sample older than the window, or else the first sample.
        guard let start = samples.last(where: { now - $0.at >= Self.window }) ?? samples.first else { return nil }
        let span = now - start.at
        guard span >= Self.shortest else { return nil }
        return Double(total - start.bytes) / span.seconds
    }

    /// Returns the rate and the time for `left` bytes, for people.
    ///
    /// - Returns: `nil` before the rate is known; without a time if it would be days.
    func words(left: Int64, at now: Instant) -> (rate: String, time: String?)? {
        guard let rate = perSecond(at: now) else { return nil }
        let shown = "\(ByteCount(Int64(rate.rounded())))/s"
        guard rate >= 1, left > 0 else { return (shown, nil) }
        let seconds = (Double(left) / rate).rounded(.up)
        guard seconds < Self.longest else { return (shown, nil) }
        return (shown, "\(Self.words(seconds: Int(seconds))) left")
    }

    /// The longest time that is shown, in seconds: longer estimates are too uncertain.
    private static let longest = 100.0 * 3_600

    private static func words(seconds: Int) -> String {
        switch seconds {
        case ..<60: "\(max(1, seconds)) s"
        case ..<3_600: "\((seconds + 30) / 60) min"
        default: "\(seconds / 3_600) h \(seconds % 3_600 / 60) min"
        }
    }
}
