internal import HTTPTypes

/// One small request and its whole answer, on a driver's thread.
final class Exchange: Job {
    let ticket: Ticket
    private unowned let loop: DriverLoop
    private let request: WireRequest
    private var continuation: CheckedContinuation<WireResponse, any Error>?
    private let due: ContinuousClock.Instant
    private var transfer: Transfer?
    private var sent = 0
    private var answer: [UInt8] = []
    private var failure: WireError?

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
        due = loop.now + request.deadline
    }

    func begin() throws(WireError) {
        // These methods say `Content-Length: 0` when they have no body; others say nothing.
        let hasBody = !request.body.isEmpty || [.post, .put, .patch].contains(request.method)
        transfer = try loop.start(
            request,
            as: .message,
            uploading: hasBody ? Int64(request.body.count) : nil,
            for: self
        )
    }

    func receive(_ chunk: UnsafeRawBufferPointer, from transfer: Transfer) -> Intake {
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

    func fill(_ room: UnsafeMutableRawBufferPointer, of transfer: Transfer) -> Output {
        let count = min(room.count, request.body.count - sent)
        unsafe request.body.withUnsafeBytes { body in
            unsafe room.copyBytes(from: body[sent..<sent + count])
        }
        sent += count
        return .bytes(count)
    }

    func rewind(_ transfer: Transfer) -> Bool {
        sent = 0
        return true
    }

    func ended(_ transfer: Transfer, _ failure: WireError?) {
        self.transfer = nil
        if let failure = self.failure ?? failure { return fail(failure) }
        finish(.success(WireResponse(transfer.head, body: answer)))
    }

    func settle() {}

    func check() -> ContinuousClock.Instant {
        if loop.now >= due {
            fail(WireError(.deadline, "no complete answer within \(request.deadline)", url: request.url))
        }
        return due
    }

    func fail(_ error: any Error) { finish(.failure(error)) }

    private func finish(_ result: Result<WireResponse, any Error>) {
        // The caller first: closing a connection may take a moment.
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
