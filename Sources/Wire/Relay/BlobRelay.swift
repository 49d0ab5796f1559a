internal import HTTPTypes
internal import Platform

/// A download and its uploads, all on one driver's thread.
///
/// Bytes go from the source's callback through SHA-256 and the ring to the destinations' callbacks; Swift concurrency is
/// not involved until the end. The callbacks only note what to do, and ``settle()`` does it from the loop. Files are read
/// and written on other threads, so that a disk can't block the driver.
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
    /// The time at which the rate limit lets the source continue.
    var sourceWaitsUntil: ContinuousClock.Instant?
    /// The turn that the rate limit has assigned to the source, until it is used.
    var turn: ContinuousClock.Instant?
    var sourceMoved: ContinuousClock.Instant
    /// The bytes of the source's answer so far, content or not.
    var sourceReceived: Int64 = 0
    var sourceRate: LeastRate
    /// Whether the source's answer is not content, and was cut after its beginning.
    var sourceIsCut = false
    /// The time at which the sinks' pace was last checked.
    var lookedAtPace: ContinuousClock.Instant?
    var wantsUploads = false
    var isMarked = false
    /// The failure of the source, and so of the whole relay.
    var failure: WireError?
    /// The result of the relay; its caller gets it when no file is in use.
    private(set) var end: Result<[RelayResult], any Error>?

    /// The bytes that are kept of an answer that isn't content, such as an error document.
    static let largestAnswer = 256 << 10
    /// The bytes that are read from a file or from memory at a time.
    static let fileChunk = 128 << 10
    /// The most chunks from memory in one turn of the loop, so that other relays don't wait.
    static let fileChunksPerTurn = 8
    /// The longest time in which a paused sink waits for more than a few bytes; without a limit, a slow source could make
    /// the sink seem stalled.
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
            ringSize: loop.ringSize,
            readers: max(request.sinks.count, 1)
        )
        sourceMoved = loop.now
        sourceRate = LeastRate(loop.configuration, at: loop.now)
    }

    func begin() throws(WireError) {
        switch request.source {
        case .request(let from): source = try loop.start(from, as: .source, uploading: nil, for: self)
        case .file(let region):
            feed = .file(SourceFile(region, loop.configuration.files, signal: loop.signal(for: self)))
            accept(length: region.byteCount)
        case .bytes(let bytes):
            feed = .bytes(bytes)
            accept(length: Int64(bytes.count))
        }
    }

    // MARK: From the loop

    func settle() {
        isMarked = false
        outlets.forEach(takeSteps)
        guard end == nil else { return conclude() }
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
            case .file(let path): outlet.file = file(at: path, loop.configuration.files)
            case .discard: outlet.file = file(at: "", .discarding)
            }
            outlet.lastMoved = loop.now
        } catch {
            end(outlet, .failure(error.at(.destination)))
        }
    }

    private func file(at path: String, _ access: FileAccess) -> SinkFile {
        SinkFile(path, size: request.size, access, signal: loop.signal(for: self))
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

    /// Whether the sink should take the bytes in the ring now, even if they are few.
    func isWorthResuming(_ outlet: RelayOutlet) -> Bool {
        blob.hasPlenty(outlet.index) || sourceIsPaused || isFeedHeldBack || hasRested(outlet)
    }

    private func resume(_ outlet: RelayOutlet) {
        // A sink that has no bytes to take would pause again at once, and be resumed for ever.
        guard outlet.isPaused, !blob.isDrained(outlet.index), isWorthResuming(outlet) else { return }
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
            // An answer of 400 or above counts even if the server cuts the connection in the middle of the upload.
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
        guard end == nil else { return }
        end = result
        for outlet in outlets { outlet.file?.discard() }
        // The caller is resumed first: closing a connection may take a moment.
        conclude()
        if let transfer = source.take() { loop.drop(transfer) }
        for outlet in outlets {
            if let transfer = outlet.transfer.take() { loop.drop(transfer) }
        }
    }

    /// Resumes the caller if no file is in use.
    private func conclude() {
        if case .file(let file) = feed { try? unsafe file.takeBytes(room: -1) { _ in } }
        guard let end, !usesFiles, let continuation = continuation.take() else { return }
        continuation.resume(with: end)
        loop.forget(self)
    }
}

extension WireError {
    /// Returns this error with its ``end`` set.
    public func at(_ end: End) -> WireError {
        var error = self
        error.end = end
        return error
    }
}

/// The callbacks of libcurl, which note what to do and do nothing that libcurl forbids in a callback.
extension BlobRelay {
    func receive(_ chunk: UnsafeRawBufferPointer, from transfer: Transfer) -> Intake {
        if transfer !== source {
            guard let outlet = outlet(of: transfer) else { return .abort }
            outlet.lastMoved = loop.now
            if unsafe keep(chunk, in: &outlet.answer) { return .taken }
            // The beginning of an error answer is enough; a success must be complete.
            if (200..<300).contains(transfer.head.status) {
                outlet.failure = outlet.error(.answerTooLarge, "an answer of more than \(Self.largestAnswer) bytes")
            }
            return .abort
        }
        sourceMoved = loop.now
        sourceReceived += Int64(chunk.count)
        if sourceAnswer == .unknown { judge(transfer.head) }
        guard failure == nil else { return .abort }
        guard sourceAnswer == .content else {
            sourceIsCut = unsafe !keep(chunk, in: &sourceBody)
            return sourceIsCut ? .abort : .taken
        }
        if let wait = loop.rate?.wait(holding: turn) {
            sourceIsPaused = true
            turn = wait
            sourceWaitsUntil = wait
            mark()
            return .pause
        }
        return unsafe take(chunk)
    }

    private func take(_ chunk: UnsafeRawBufferPointer) -> Intake {
        switch unsafe blob.offer(chunk) {
        case .taken:
            loop.rate?.spend(chunk.count, holding: turn.take())
            if outlets.contains(where: { $0.isWaiting && blob.hasPlenty($0.index) }) { mark() }
            return .taken
        case .full:
            // libcurl keeps the chunk and offers it again.
            sourceIsPaused = true
            if outlets.contains(where: \.isWaiting) { mark() }
            return .pause
        case .tooLong:
            failure = sourceError(.tooLong, "sends more than \(request.size) bytes")
            mark()
            return .abort
        }
    }

    func fill(_ room: UnsafeMutableRawBufferPointer, of transfer: Transfer) -> Output {
        guard let outlet = outlet(of: transfer) else { return .abort }
        if (200..<300).contains(transfer.head.status) {
            // The server can't have stored this blob: the last byte was never sent.
            outlet.failure = early(transfer.head, outlet)
            mark()
            return .abort
        }
        switch unsafe blob.take(into: room, for: outlet.index) {
        case .bytes(let count):
            outlet.lastMoved = loop.now
            tell(outlet)
            if sourceIsWaiting, blob.hasRoom { mark() }
            return .bytes(count)
        case .empty:
            outlet.isPaused = true
            if sourceIsWaiting, blob.hasRoom { mark() }
            return .pause
        case .finished: return .bytes(0)
        }
    }

    func rewind(_ transfer: Transfer) -> Bool {
        guard let outlet = outlet(of: transfer) else { return false }
        return blob.rewind(outlet.index)
    }

    /// Whether the source could go on if there were room in the ring.
    var sourceIsWaiting: Bool { sourceIsPaused || feed.map { !$0.isReading } ?? false }

    /// Whether a file or memory waits for room in the ring.
    private var isFeedHeldBack: Bool { feed.map { !$0.isReading && !blob.hasRoom } ?? false }

    func outlet(of transfer: Transfer) -> RelayOutlet? { outlets.first { $0.transfer === transfer } }

    func tell(_ outlet: RelayOutlet) {
        guard let news = outlet.news(outlet.file?.written ?? blob.delivered(outlet.index)) else { return }
        request.progress?(outlet.index, news)
    }

    /// Keeps the beginning of an answer.
    ///
    /// - Returns: Whether there is room for more.
    private func keep(_ chunk: UnsafeRawBufferPointer, in body: inout [UInt8]) -> Bool {
        unsafe body.append(contentsOf: chunk.prefix(Self.largestAnswer - body.count))
        return body.count < Self.largestAnswer
    }

    /// Decides whether the source's answer is content, once its head is complete.
    func judge(_ head: AnswerHead) {
        var isPart = false
        if case .request(let from) = request.source { isPart = head.status == 206 && from.fields[.range] != nil }
        guard head.status == 200 || isPart else {
            sourceAnswer = .other
            return
        }
        accept(length: head.contentLength)
    }

    /// Begins the uploads, or fails before a byte is sent if the source's length is wrong.
    func accept(length: Int64?) {
        sourceAnswer = .content
        if let length, length != request.size {
            let reason: WireError.Reason = length < request.size ? .tooShort : .tooLong
            failure = sourceError(reason, "offers \(length) bytes, not \(request.size)")
        }
        wantsUploads = true
        mark()
    }

    func mark() {
        guard !isMarked else { return }
        isMarked = true
        loop.mark(self)
    }
}

/// The timeouts of a relay, and the end that each one is charged to.
extension BlobRelay {
    func check() -> ContinuousClock.Instant {
        let (now, limits) = (loop.now, loop.configuration)
        // Only file operations are left.
        guard end == nil else { return now + limits.stallLimit }
        var due = now + min(limits.stallLimit, limits.leastRateWindow) / 4
        if let wait = sourceWaitsUntil {
            if now >= wait { mark() } else { due = min(due, wait) }
        }
        if source != nil {
            if sourceIsPaused { sourceMoved = now }
            if now >= sourceMoved + limits.stallLimit {
                failAll(sourceError(.stalled, "moved no byte for \(limits.stallLimit)"))
                return due
            }
            let isHeldBack = sourceIsPaused || sourceWaitsUntil != nil
            if sourceRate.isMissed(moving: sourceReceived, at: now, excused: isHeldBack) {
                failAll(sourceError(.stalled, sourceRate.words))
                return due
            }
            due = min(due, sourceMoved + limits.stallLimit)
        }
        let live = outlets.filter { $0.isLive && $0.hasBegun }
        for outlet in live {
            let uploaded = outlet.look(at: now)
            // A disk has no time limit: the commit of a large file may take minutes.
            if outlet.file?.isBusy == true { outlet.lastMoved = now }
            if blob.isDrained(outlet.index) {
                // There is nothing to send, so this end is not at fault.
                if uploaded >= blob.delivered(outlet.index) { outlet.lastMoved = now }
            } else if outlet.isWaiting {
                if hasRested(outlet) { mark() }
                due = min(due, max(outlet.lastMoved, now) + Self.longestRest)
            }
            let isSent = outlet.file == nil && blob.isDelivered(outlet.index) && uploaded >= request.size
            let limit = isSent ? limits.commitLimit : limits.stallLimit
            let isHeldBack = isSent || outlet.file != nil || blob.isDrained(outlet.index)
            // Once it has every byte, the limit counts from then, even if it sends its answer slowly; before that, from
            // the last byte it took.
            outlet.sentSince = isSent ? outlet.sentSince ?? now : nil
            let since = outlet.sentSince ?? outlet.lastMoved
            if outlet.leastRate.isMissed(moving: uploaded, at: now, excused: isHeldBack) {
                outlet.failure = outlet.error(.stalled, outlet.leastRate.words)
                mark()
            } else if now >= since + limit {
                let moved = "\(blob.delivered(outlet.index)) of \(request.size)"
                outlet.failure = outlet.error(.stalled, "moved no byte for \(limit), after \(moved)")
                mark()
            }
            due = min(due, since + limit)
        }
        if live.count > 1 { due = min(due, dropSlowSinks(live)) }
        return max(due, now)
    }

    /// Drops a sink that has kept the ring full for long while another waited for bytes.
    ///
    /// A slow sink lets the ring fill and half empties it in turns, so a single check may find the ring not full, or no
    /// sink waiting. The time in which a sink held others back counts up, and the rest of the time counts down.
    ///
    /// - Returns: The time of the next check.
    private func dropSlowSinks(_ live: [RelayOutlet]) -> ContinuousClock.Instant {
        let (now, patience) = (loop.now, loop.configuration.patience)
        let passed = lookedAtPace.map { now - $0 } ?? .zero
        lookedAtPace = now
        for outlet in live {
            let waits = live.contains { $0 !== outlet && blob.pressure($0.index) <= Self.almostNothing }
            guard !blob.isVerified, waits, blob.pressure(outlet.index) >= Self.tooMuch else {
                outlet.heldOthersBack = max(outlet.heldOthersBack - passed, .zero)
                continue
            }
            outlet.heldOthersBack += passed
            guard outlet.heldOthersBack >= patience else { continue }
            outlet.failure = outlet.error(
                .outpaced,
                "kept \(live.count - 1) other destinations waiting for \(patience)"
            )
            mark()
        }
        return now + patience / 10
    }
}
