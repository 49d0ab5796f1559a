internal import Platform

/// One sink of a relay, on a driver's thread: what it has got, and how it ended.
///
/// The callbacks only note what they want; the relay does it from the loop.
final class RelayOutlet {
    /// Which of the relay's sinks, and which reader of its blob.
    let index: Int
    let sink: RelaySink
    var transfer: Transfer?
    var file: ArrivingFile?
    var answer: [UInt8] = []
    /// Whether libcurl waits for bytes, or for room in front of them.
    var isPaused = false
    var failure: WireError?
    private(set) var result: RelayResult?

    /// When it last took a byte, or said one.
    var lastMoved: ContinuousClock.Instant
    /// For how long it has held the others back, less for how long it hasn't.
    var heldOthersBack = Duration.zero
    /// Since when it has every byte.
    var sentSince: ContinuousClock.Instant?
    var leastRate: LeastRate
    private var uploadedWhenLooked: Int64 = 0
    private var reported: Int64 = 0

    init(_ index: Int, _ sink: RelaySink, _ leastRate: LeastRate, at now: ContinuousClock.Instant) {
        self.leastRate = leastRate
        self.index = index
        self.sink = sink
        lastMoved = now
    }

    var isLive: Bool { result == nil }
    /// Whether it would take bytes if the loop let it.
    var isWaiting: Bool { isLive && (isPaused || file != nil) }
    var hasBegun: Bool { transfer != nil || file != nil }

    var url: HTTPURL? { if case .request(let request) = sink { request.url } else { nil } }

    /// What to call it in an error.
    var place: String {
        switch sink {
        case .request(let request): request.url.description
        case .file(let path): path
        }
    }

    func end(_ result: RelayResult) {
        guard self.result == nil else { return }
        self.result = result
        file?.discard()
        file = nil
    }

    /// How many bytes are to be reported as new, now that `delivered` are there.
    func news(_ delivered: Int64) -> Int? {
        guard delivered > reported else { return nil }
        defer { reported = delivered }
        return Int(delivered - reported)
    }

    /// Notes what libcurl's own buffer has sent since the last look: no callback tells of that.
    ///
    /// - Returns: How many bytes the socket has accepted.
    func look(at now: ContinuousClock.Instant) -> Int64 {
        let uploaded = transfer?.uploaded ?? 0
        if uploaded != uploadedWhenLooked {
            uploadedWhenLooked = uploaded
            lastMoved = now
        }
        return uploaded
    }

    func error(_ reason: WireError.Reason, _ detail: String) -> WireError {
        var error = WireError(reason, detail, end: .destination)
        error.url = place
        return error
    }
}
