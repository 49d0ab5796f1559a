internal import HTTPTypes

/// One request and its answer, on a driver's thread: a small message, or a part of a blob that is sent or received.
final class Exchange: Job {
    /// The destination of the answer's body.
    private enum Place { case unknown, memory, receiver, nowhere }

    let ticket: Ticket
    private unowned let loop: DriverLoop
    private let request: WireRequest
    private var continuation: CheckedContinuation<WireResponse, any Error>?
    private var transfer: Transfer?
    private var sent = 0
    private var place = Place.unknown
    private var answer: [UInt8] = []
    private var failure: WireError?
    /// Whether the answer is a refusal that was cut after its beginning.
    private var isCut = false
    private var leastRate: LeastRate
    /// The time from which the deadline counts: the beginning, or the last byte of a part.
    private var since: ContinuousClock.Instant
    private var uploadedWhenChecked: Int64 = 0
    /// When the rate limit lets the part continue.
    private var waitsUntil: ContinuousClock.Instant?
    /// The turn that the rate limit has assigned, until it is used.
    private var turn: ContinuousClock.Instant?

    init(
        _ request: WireRequest,
        _ ticket: Ticket,
        _ continuation: CheckedContinuation<WireResponse, any Error>,
        on loop: DriverLoop
    ) {
        self.ticket = ticket
        self.loop = loop
        self.request = request
        self.continuation = continuation
        since = loop.now
        leastRate = LeastRate(loop.configuration, at: loop.now)
    }

    func begin() throws(WireError) {
        // These methods send `Content-Length: 0` without a body; other methods send no length.
        let hasBody = !request.content.isEmpty || [.post, .put, .patch].contains(request.method)
        transfer = try loop.start(
            request,
            as: request.receiver != nil ? .source : request.content.isPart ? .destination : .message,
            uploading: hasBody ? Int64(request.content.count) : nil,
            for: self
        )
    }

    func receive(_ chunk: UnsafeRawBufferPointer, from transfer: Transfer) -> Intake {
        if place == .unknown { judge(transfer.head) }
        moved()
        switch place {
        case .unknown, .nowhere: return .abort
        case .receiver:
            if let wait = loop.rate?.wait(holding: turn) {
                turn = wait
                waitsUntil = wait
                loop.mark(self)
                return .pause
            }
            if unsafe request.receiver?.append(chunk) == true {
                loop.rate?.spend(chunk.count, holding: turn.take())
                return .taken
            }
            failure = WireError(.tooLong, "sends more than was requested", url: request.url)
            return .abort
        case .memory:
            guard (200..<300).contains(transfer.head.status) else { return unsafe keep(chunk) }
            guard answer.count + chunk.count <= request.largestAnswer else {
                failure = WireError(
                    .answerTooLarge,
                    "an answer of more than \(request.largestAnswer) bytes",
                    url: request.url
                )
                return .abort
            }
            unsafe answer.append(contentsOf: chunk)
            return .taken
        }
    }

    /// Keeps the beginning of a refusal, and ends the transfer there, because its body may never end.
    private func keep(_ chunk: UnsafeRawBufferPointer) -> Intake {
        let limit = min(request.largestAnswer, WireRequest.largestSmallAnswer)
        unsafe answer.append(contentsOf: chunk.prefix(max(limit - answer.count, 0)))
        isCut = answer.count >= limit
        return isCut ? .abort : .taken
    }

    /// Decides where the body goes, once the head is complete.
    private func judge(_ head: AnswerHead) {
        guard let receiver = request.receiver, (200..<300).contains(head.status) else {
            place = .memory
            // The server may state any length, so no more is reserved than is accepted.
            let length = min(head.contentLength ?? 0, Int64(min(request.largestAnswer, WireRequest.largestSmallAnswer)))
            if length > 0 { answer.reserveCapacity(Int(length)) }
            return
        }
        receiver.clear()
        place = head.status == (request.fields[.range] == nil ? 200 : 206) ? .receiver : .nowhere
    }

    func fill(_ room: UnsafeMutableRawBufferPointer, of transfer: Transfer) -> Output {
        moved()
        let count = unsafe request.content.copy(from: sent, into: room)
        sent += count
        return .bytes(count)
    }

    func rewind(_ transfer: Transfer) -> Bool {
        sent = 0
        return true
    }

    func ended(_ transfer: Transfer, _ failure: WireError?) {
        self.transfer = nil
        if place == .unknown, failure == nil { judge(transfer.head) }
        if place == .nowhere { return finish(.success(WireResponse(transfer.head, body: []))) }
        if !isCut, let failure = self.failure ?? failure { return fail(failure) }
        finish(.success(WireResponse(transfer.head, body: answer)))
    }

    func settle() {
        guard let wait = waitsUntil else { return }
        guard loop.now >= wait else { return loop.wake(at: wait) }
        // The flag is cleared first: the callback runs inside `resume` and may set it again.
        waitsUntil = nil
        do {
            try transfer?.resume()
        } catch {
            fail(failure ?? error)
        }
    }

    private func moved() {
        if request.movesPart { since = loop.now }
    }

    func check() -> ContinuousClock.Instant {
        // libcurl's upload buffer may drain slowly, and no callback reports that.
        if request.content.isPart, let uploaded = transfer?.uploaded, uploaded != uploadedWhenChecked {
            uploadedWhenChecked = uploaded
            moved()
        }
        if request.movesPart, leastRate.isMissed(moving: partMoved, at: loop.now, excused: waitsUntil != nil) {
            fail(WireError(.stalled, leastRate.words, url: request.url))
        }
        if let wait = waitsUntil {
            moved()
            guard loop.now < wait else {
                loop.mark(self)
                return loop.now + request.deadline
            }
            return wait
        }
        let due = since + request.deadline
        if loop.now >= due { fail(late) }
        let interval = min(request.deadline, loop.configuration.leastRateWindow) / 4
        return request.movesPart ? min(due, loop.now + interval) : due
    }

    /// The bytes of the part that were sent or received so far.
    private var partMoved: Int64 { Int64(request.receiver?.count ?? 0) + uploadedWhenChecked }

    private var late: WireError {
        request.movesPart
            ? WireError(.stalled, "moved no byte for \(request.deadline)", url: request.url)
            : WireError(.deadline, "no complete answer within \(request.deadline)", url: request.url)
    }

    func fail(_ error: any Error) { finish(.failure(error)) }

    private func finish(_ result: Result<WireResponse, any Error>) {
        // The caller is resumed first: closing a connection may take a moment.
        continuation.take()?.resume(with: result)
        if let transfer { loop.drop(transfer) }
        transfer = nil
        loop.forget(self)
    }
}

extension WireResponse {
    init(_ head: AnswerHead, body: [UInt8]) {
        self.init(status: HTTPResponse.Status(code: head.status), fields: head.fields, body: body)
    }
}
