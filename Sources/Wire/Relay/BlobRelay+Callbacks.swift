internal import HTTPTypes
internal import Platform

/// The callbacks of a relay's transfers. They only note what is wanted, because libcurl forbids more in a callback.
extension BlobRelay {
    func receive(_ chunk: UnsafeRawBufferPointer, from transfer: Transfer) -> Intake {
        if transfer !== source {
            guard let outlet = outlet(of: transfer) else { return .abort }
            outlet.lastMoved = loop.now
            if unsafe keep(chunk, in: &outlet.answer) { return .taken }
            // The beginning of a refusal is enough. A success that doesn't end is an error.
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
            failure = sourceError(.tooLong, "goes on after \(request.size) bytes")
            mark()
            return .abort
        }
    }

    func fill(_ room: UnsafeMutableRawBufferPointer, of transfer: Transfer) -> Output {
        guard let outlet = outlet(of: transfer) else { return .abort }
        if (200..<300).contains(transfer.head.status) {
            // The destination can't have stored this blob: the last byte was never sent.
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

    private var sourceIsWaiting: Bool { sourceIsPaused || feed != nil }

    func outlet(of transfer: Transfer) -> RelayOutlet? { outlets.first { $0.transfer === transfer } }

    func tell(_ outlet: RelayOutlet) {
        guard let news = outlet.news(blob.delivered(outlet.index)) else { return }
        request.progress?(outlet.index, news)
    }

    /// Keeps the beginning of a body.
    ///
    /// - Returns: Whether there is room for more.
    private func keep(_ chunk: UnsafeRawBufferPointer, in body: inout [UInt8]) -> Bool {
        unsafe body.append(contentsOf: chunk.prefix(Self.largestAnswer - body.count))
        return body.count < Self.largestAnswer
    }

    /// Decides what to do with the source's answer, once its head is complete.
    func judge(_ head: AnswerHead) {
        var isPart = false
        if case .request(let from) = request.source { isPart = head.status == 206 && from.fields[.range] != nil }
        guard head.status == 200 || isPart else {
            sourceAnswer = .other
            return
        }
        accept(length: head.contentLength)
    }

    /// Accepts the source's content, if its length is right.
    ///
    /// This is known before any byte is passed on.
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
