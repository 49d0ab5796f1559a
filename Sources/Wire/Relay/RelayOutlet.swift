internal import Platform

/// The state of one sink of a relay, on a driver's thread.
///
/// The callbacks only note what to do; the relay does it from the loop.
final class RelayOutlet {
    /// The index of the sink, and of its reader in the buffer.
    let index: Int
    let sink: RelaySink
    var transfer: Transfer?
    /// The file, until it is committed or discarded.
    var file: SinkFile?
    var answer: [UInt8] = []
    /// Whether libcurl has paused the upload because there were no bytes.
    var isPaused = false
    var failure: WireError?
    private(set) var result: RelayResult?

    /// The time at which it last took a byte or sent one of its answer.
    var lastMoved: ContinuousClock.Instant
    /// The time in which it has held the others back, minus the time in which it has not.
    var heldOthersBack = Duration.zero
    /// The time at which it got the last byte.
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
    /// Whether it would take bytes if the loop resumed it or began to write to its file.
    var isWaiting: Bool { isLive && (isPaused || file.map { !$0.isBusy } ?? false) }
    var hasBegun: Bool { transfer != nil || file != nil }

    var url: HTTPURL? { if case .request(let request) = sink { request.url } else { nil } }

    /// The name of the sink in an error.
    var place: String {
        switch sink {
        case .request(let request): request.url.description
        case .file(let path): path
        case .discard: "nowhere"
        }
    }

    func end(_ result: RelayResult) {
        guard self.result == nil else { return }
        self.result = result
        file?.discard()
    }

    /// The bytes to report as new, now that the sink has accepted `accepted` bytes.
    func news(_ accepted: Int64) -> Int? {
        guard accepted > reported else { return nil }
        defer { reported = accepted }
        return Int(accepted - reported)
    }

    /// Notes what libcurl's upload buffer has sent since the last check, which no callback reports.
    ///
    /// - Returns: The number of bytes that the socket has accepted.
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
