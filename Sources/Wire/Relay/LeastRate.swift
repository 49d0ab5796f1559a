/// Checks that one end of a relay moves a minimum of bytes, measured over minutes.
///
/// With a limit on silence alone, a peer that sends a byte now and then would hold a slot for ever. The window starts
/// again while the other end or the rate limit holds this end back.
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
    ///   - moved: The bytes since the transfer began.
    ///   - isExcused: Whether the other end or the rate limit holds it back.
    mutating func isMissed(moving moved: Int64, at now: ContinuousClock.Instant, excused isExcused: Bool) -> Bool {
        // An upload that began again has moved less than before.
        if isExcused || moved - movedBefore >= bytes || moved < movedBefore {
            (since, movedBefore) = (now, moved)
            return false
        }
        return now >= since + window
    }

    /// The text of the failure.
    var words: String { "moved fewer than \(bytes) bytes in \(window)" }
}
