import Content

/// How fast bytes move, measured over the last seconds.
struct TransferSpeed: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// What counts: long enough to be calm, short enough to follow a change.
    static let window: Duration = .seconds(20)
    /// A shorter measurement says nothing: the first bytes are those that buffers take.
    static let shortest: Duration = .seconds(2)
    private static let interval: Duration = .milliseconds(500)

    private var samples: [(at: Instant, bytes: Int64)] = []
    private var total: Int64 = 0

    /// Something begins to move where nothing did: the time before counts for nothing.
    mutating func begin(at now: Instant) { samples = [(now, total)] }

    /// Bytes that have moved; those that a destination has lost again don't make it slower.
    mutating func add(_ bytes: Int64, at now: Instant) {
        total += max(0, bytes)
        guard let last = samples.last, now - last.at >= Self.interval else { return }
        samples.append((now, total))
        while samples.count > 2, now - samples[1].at >= Self.window { samples.removeFirst() }
    }

    /// In bytes; `nil` before it can be told.
    func perSecond(at now: Instant) -> Double? {
        // The last sample that is older than the window, or the first there is.
        guard let start = samples.last(where: { now - $0.at >= Self.window }) ?? samples.first else { return nil }
        let span = now - start.at
        guard span >= Self.shortest else { return nil }
        return Double(total - start.bytes) / span.seconds
    }

    /// The rate, and how long `left` bytes take at it, for people.
    ///
    /// - Returns: `nil` before it can be told; no time where it would be days.
    func words(left: Int64, at now: Instant) -> (rate: String, time: String?)? {
        guard let rate = perSecond(at: now) else { return nil }
        let shown = "\(ByteCount(Int64(rate.rounded())))/s"
        guard rate >= 1, left > 0 else { return (shown, nil) }
        let seconds = (Double(left) / rate).rounded(.up)
        guard seconds < Self.longest else { return (shown, nil) }
        return (shown, "\(Self.words(seconds: Int(seconds))) left")
    }

    /// In seconds: a longer estimate is no more than a guess.
    private static let longest = 100.0 * 3_600

    private static func words(seconds: Int) -> String {
        switch seconds {
        case ..<60: "\(max(1, seconds)) s"
        case ..<3_600: "\((seconds + 30) / 60) min"
        default: "\(seconds / 3_600) h \(seconds % 3_600 / 60) min"
        }
    }
}
