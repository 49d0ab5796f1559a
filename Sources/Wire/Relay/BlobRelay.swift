internal import Glibc
internal import Platform

/// A download and the uploads that it feeds, all on one driver's thread.
///
/// Source callback → SHA-256 → ring → destination callbacks; nothing crosses into Swift concurrency until the end. The
/// callbacks only note what is wanted; ``settle()`` does it from the loop.
final class BlobRelay: Job {
    enum SourceAnswer { case unknown, content, other }

    let ticket: Ticket
    unowned let loop: DriverLoop
    let request: RelayRequest
    private var continuation: CheckedContinuation<[RelayResult], any Error>?
    var source: Transfer?
    var feed: LocalFeed?
    var fed: Int64 = 0
    let outlets: [RelayOutlet]
    var blob: VerifiedBlob

    var sourceAnswer = SourceAnswer.unknown
    var sourceBody: [UInt8] = []
    var sourceIsPaused = false
    /// When the rate limit lets the source continue.
    var sourceWaitsUntil: ContinuousClock.Instant?
    /// The source's turn at the rate limit, until it is used.
    var turn: ContinuousClock.Instant?
    var sourceMoved: ContinuousClock.Instant
    /// The bytes of the source's answer so far, content or not.
    var sourceReceived: Int64 = 0
    var sourceRate: LeastRate
    /// Whether the source's answer is not content, and was cut after its beginning.
    var sourceIsCut = false
    /// When the sinks' pace was last checked.
    var lookedAtPace: ContinuousClock.Instant?
    var wantsUploads = false
    var isMarked = false
    /// The failure of the source, and so of the whole relay.
    var failure: WireError?

    /// The bytes that are kept of an answer that isn't content, such as an error document.
    static let largestAnswer = 256 << 10
    /// The bytes that are read from, or written to, a file at a time.
    static let fileChunk = 128 << 10
    /// The most chunks in one turn of the loop, so that a fast disk doesn't keep other relays waiting.
    static let fileChunksPerTurn = 8
    /// The longest time in which a paused sink waits for more than a few bytes, so that a slow source doesn't make it
    /// seem dead.
    static let longestRest: Duration = .seconds(1)
    /// The highest fill of the ring, as a fraction, at which a sink counts as waiting for bytes.
    static let almostNothing = 0.125
    /// The lowest fill of the ring, as a fraction, at which a sink counts as holding the others back.
    ///
    /// It is below the fill at which a paused source is resumed.
    static let tooMuch = 0.375

    init(
        _ request: RelayRequest,
        _ ticket: Ticket,
        _ continuation: CheckedContinuation<[RelayResult], any Error>,
        on loop: DriverLoop
    ) {
        self.ticket = ticket
        self.loop = loop
        self.request = request
        self.continuation = continuation
        outlets = request.sinks.enumerated().map {
            RelayOutlet($0, $1, LeastRate(loop.configuration, at: loop.now), at: loop.now)
        }
        blob = VerifiedBlob(
            digest: request.digest,
            size: request.size,
            ringSize: loop.configuration.ringSize,
            readers: max(request.sinks.count, 1)
        )
        sourceMoved = loop.now
        sourceRate = LeastRate(loop.configuration, at: loop.now)
    }

    func begin() throws(WireError) {
        switch request.source {
        case .request(let from): source = try loop.start(from, as: .source, uploading: nil, for: self)
        case .file(let region):
            feed = .file(region)
            accept(length: region.byteCount)
        case .bytes(let bytes):
            feed = .bytes(bytes)
            accept(length: Int64(bytes.count))
        }
    }

    // MARK: From the loop

    func settle() {
        isMarked = false
        if let failure { return failAll(failure) }
        if wantsUploads {
            wantsUploads = false
            outlets.forEach(open)
            if outlets.count > 1 { loop.wake(at: loop.now + loop.configuration.patience / 10) }
        }
        for outlet in outlets where outlet.isLive {
            if let failure = outlet.failure { end(outlet, .failure(failure)) }
        }
        resumeSource()
        readFeed()
        for outlet in outlets where outlet.isLive {
            resume(outlet)
            writeFile(outlet)
        }
        endIfDone()
    }

    private func open(_ outlet: RelayOutlet) {
        do {
            switch outlet.sink {
            case .request(let to):
                outlet.transfer = try loop.start(to, as: .destination, uploading: request.size, for: self)
            case .file(let path): outlet.file = try ArrivingFile(path)
            }
            outlet.lastMoved = loop.now
        } catch let error as WireError {
            end(outlet, .failure(error.at(.destination)))
        } catch {
            end(outlet, .failure(outlet.error(.file, "\(error)")))
        }
    }

    private func resumeSource() {
        if let wait = sourceWaitsUntil {
            guard loop.now >= wait else { return loop.wake(at: wait) }
            sourceWaitsUntil = nil
        }
        guard sourceIsPaused, blob.hasRoom else { return }
        // The flag is cleared first: the callback runs inside `resume` and may set it again.
        sourceIsPaused = false
        do {
            try source?.resume()
        } catch {
            failAll(failure ?? error.at(.source))
        }
    }

    func hasRested(_ outlet: RelayOutlet) -> Bool { loop.now >= outlet.lastMoved + Self.longestRest }

    private func resume(_ outlet: RelayOutlet) {
        // A sink without bytes to take would pause at once and be resumed again for ever.
        guard outlet.isPaused, !blob.isDrained(outlet.index) else { return }
        guard blob.hasPlenty(outlet.index) || sourceIsPaused || hasRested(outlet) else { return }
        outlet.isPaused = false
        do {
            try outlet.transfer?.resume()
        } catch {
            end(outlet, .failure(outlet.failure ?? error.at(.destination)))
        }
    }

    func ended(_ transfer: Transfer, _ failure: WireError?) {
        if transfer === source {
            source = nil
            sourceEnded(transfer, failure)
        } else if let outlet = outlet(of: transfer) {
            outlet.transfer = nil
            uploadEnded(outlet, transfer.head, failure)
            endIfDone()
        }
    }

    private func sourceEnded(_ transfer: Transfer, _ failure: WireError?) {
        if let failure = self.failure ?? (sourceIsCut ? nil : failure?.at(.source)) { return failAll(failure) }
        if sourceAnswer == .unknown { judge(transfer.head) }
        guard sourceAnswer == .content else {
            return endAll(.success(.sourceAnswered(WireResponse(transfer.head, body: sourceBody))))
        }
        finishInput()
    }

    func finishInput() {
        do {
            try blob.finishInput()
        } catch {
            return failAll(failure ?? sourceError(error.reason, error.detail))
        }
        mark()
    }

    private func uploadEnded(_ outlet: RelayOutlet, _ head: AnswerHead, _ failure: WireError?) {
        if let failure = outlet.failure ?? failure?.at(.destination) {
            // A refusal is a refusal even if the server cuts the connection in the middle of our body.
            guard outlet.failure == nil, head.isComplete, head.status >= 400 else {
                return end(outlet, .failure(failure))
            }
        }
        let answer = WireResponse(head, body: outlet.answer)
        guard (200..<300).contains(head.status) else {
            return end(outlet, .success(.destinationAnswered(answer)))
        }
        guard blob.isDelivered(outlet.index) else { return end(outlet, .failure(early(head, outlet))) }
        end(outlet, .success(.stored(answer)))
    }

    func early(_ head: AnswerHead, _ outlet: RelayOutlet) -> WireError {
        let delivered = blob.delivered(outlet.index)
        return outlet.error(.disconnected, "answered \(head.status) after \(delivered) of \(request.size) bytes")
    }

    func sourceError(_ reason: WireError.Reason, _ detail: String) -> WireError {
        var error = WireError(reason, detail, end: .source)
        switch request.source {
        case .request(let from): error.url = from.url.description
        case .file(let region): error.url = region.file.path
        case .bytes: break
        }
        return error
    }

    // MARK: The end

    func fail(_ error: any Error) { finish(.failure(error)) }

    func failAll(_ error: WireError) { endAll(.failure(error)) }

    func endAll(_ result: RelayResult) {
        for outlet in outlets { outlet.end(result) }
        endIfDone()
    }

    /// Ends one sink; the others continue.
    func end(_ outlet: RelayOutlet, _ result: RelayResult) {
        outlet.end(result)
        if let transfer = outlet.transfer.take() { loop.drop(transfer) }
        blob.leave(outlet.index)
        // The others may have waited for this one.
        mark()
    }

    private func endIfDone() {
        guard outlets.allSatisfy({ !$0.isLive }) else { return }
        finish(.success(outlets.compactMap(\.result)))
    }

    private func finish(_ result: Result<[RelayResult], any Error>) {
        guard let continuation = continuation.take() else { return }
        // The caller is resumed first: closing a connection may take a moment.
        continuation.resume(with: result)
        if let transfer = source.take() { loop.drop(transfer) }
        feed = nil
        for outlet in outlets {
            outlet.file?.discard()
            if let transfer = outlet.transfer.take() { loop.drop(transfer) }
        }
        loop.forget(self)
    }
}

extension WireError {
    /// This error, charged to one end.
    public func at(_ end: End) -> WireError {
        var error = self
        error.end = end
        return error
    }
}
