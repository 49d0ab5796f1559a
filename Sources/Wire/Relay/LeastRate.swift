/// Whether one end of a blob moves at all, measured over minutes.
///
/// A limit on silence alone lets a peer that sends a byte now and then hold a place for ever. Time in which the end could
/// not move, since the other end or our own rate limit held it back, begins a new window.
///
/// - Source: docs/architecture.md#bounds
struct LeastRate {
    private let bytes: Int64
    private let window: Duration
    private var since: ContinuousClock.Instant
    private var movedBefore: Int64 = 0

    init(_ configuration: TransportConfiguration, at now: ContinuousClock.Instant) {
        (bytes, window, since) = (configuration.leastBytes, configuration.leastRateWindow, now)
    }

    /// - Parameters:
    ///   - moved: Bytes since the transfer began.
    ///   - isExcused: Whether it is held back by somebody else.
    mutating func isMissed(moving moved: Int64, at now: ContinuousClock.Instant, excused isExcused: Bool) -> Bool {
        // An upload that begins again has moved less than before.
        if isExcused || moved - movedBefore >= bytes || moved < movedBefore {
            (since, movedBefore) = (now, moved)
            return false
        }
        return now >= since + window
    }

    /// For an error.
    var words: String { "moved fewer than \(bytes) bytes in \(window)" }
}
