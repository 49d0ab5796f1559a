internal import HTTPTypes

/// A download coupled to an upload, both on one driver's thread.
///
/// Source callback → SHA-256 → ring → destination callback; nothing crosses into Swift concurrency until the end.
/// The callbacks only note what they want; ``settle()`` does it from the loop.
final class BlobRelay: Job {
    private enum SourceAnswer { case unknown, content, other }

    let ticket: Ticket
    private unowned let loop: DriverLoop
    private let request: RelayRequest
    private var continuation: CheckedContinuation<RelayOutcome, any Error>?
    private var source: Transfer?
    private var destination: Transfer?
    private var blob: VerifiedBlob

    private var sourceAnswer = SourceAnswer.unknown
    private var sourceBody: [UInt8] = []
    private var destinationBody: [UInt8] = []
    private var sourceIsPaused = false
    private var destinationIsPaused = false
    private var wantsUpload = false
    private var isMarked = false
    private var failure: WireError?

    private var reported: Int64 = 0
    private var lastMoved: ContinuousClock.Instant
    private var uploadedWhenChecked: Int64 = 0

    /// What is kept of an answer that isn't content, in bytes: error documents, which nobody needs whole.
    static let largestAnswer = 256 << 10

    init(
        _ request: RelayRequest,
        _ ticket: Ticket,
        _ continuation: CheckedContinuation<RelayOutcome, any Error>,
        on loop: DriverLoop
    ) {
        self.ticket = ticket
        self.loop = loop
        self.request = request
        self.continuation = continuation
        blob = VerifiedBlob(digest: request.digest, size: request.size, ringSize: loop.configuration.ringSize)
        lastMoved = loop.now
    }

    func begin() throws(WireError) {
        source = try loop.start(request.source, as: .source, uploading: nil, for: self)
    }

    // MARK: Callbacks

    func receive(_ chunk: UnsafeRawBufferPointer, from transfer: Transfer) -> Intake {
        lastMoved = loop.now
        if transfer === destination { return unsafe keep(chunk, in: &destinationBody) }
        if sourceAnswer == .unknown { judge(transfer.head) }
        guard failure == nil else { return .abort }
        guard sourceAnswer == .content else { return unsafe keep(chunk, in: &sourceBody) }

        switch unsafe blob.offer(chunk) {
        case .taken:
            if destinationIsPaused, blob.hasPlenty { mark() }
            return .taken
        case .full:
            // libcurl keeps the chunk and offers it again.
            sourceIsPaused = true
            if destinationIsPaused { mark() }
            return .pause
        case .tooLong:
            failure = WireError(
                .tooLong,
                "goes on after \(request.size) bytes",
                url: request.source.url,
                end: .source
            )
            mark()
            return .abort
        }
    }

    func fill(_ room: UnsafeMutableRawBufferPointer, of transfer: Transfer) -> Output {
        if (200..<300).contains(transfer.head.status) {
            // Whatever it claims to have stored, it isn't this blob: the last byte was never sent.
            failure = early(transfer.head)
            mark()
            return .abort
        }
        switch unsafe blob.take(into: room) {
        case .bytes(let count):
            lastMoved = loop.now
            if blob.delivered > reported {
                request.progress?(Int(blob.delivered - reported))
                reported = blob.delivered
            }
            if sourceIsPaused, blob.hasRoom { mark() }
            return .bytes(count)
        case .empty:
            destinationIsPaused = true
            if sourceIsPaused { mark() }
            return .pause
        case .finished: return .bytes(0)
        }
    }

    func rewind(_ transfer: Transfer) -> Bool { blob.rewind() }

    /// Keeps the beginning and lets the rest go by.
    private func keep(_ chunk: UnsafeRawBufferPointer, in body: inout [UInt8]) -> Intake {
        unsafe body.append(contentsOf: chunk.prefix(Self.largestAnswer - body.count))
        return .taken
    }

    /// Decides what the source's answer is, once its head is complete.
    private func judge(_ head: AnswerHead) {
        let isPart = head.status == 206 && request.source.fields[.range] != nil
        guard head.status == 200 || isPart else {
            sourceAnswer = .other
            return
        }
        sourceAnswer = .content
        if let length = head.contentLength, length != request.size {
            failure = WireError(
                length < request.size ? .tooShort : .tooLong,
                "offers \(length) bytes, not \(request.size)",
                url: request.source.url,
                end: .source
            )
        }
        wantsUpload = true
        mark()
    }

    private func mark() {
        guard !isMarked else { return }
        isMarked = true
        loop.mark(self)
    }

    // MARK: From the loop

    func settle() {
        isMarked = false
        if let failure { return fail(failure) }
        do {
            if wantsUpload {
                wantsUpload = false
                destination = try loop.start(
                    request.destination,
                    as: .destination,
                    uploading: request.size,
                    for: self
                )
            }
            // Each flag is cleared first: the callback runs inside `resume` and may set it again.
            if sourceIsPaused, blob.hasRoom {
                sourceIsPaused = false
                try source?.resume()
            }
            if destinationIsPaused, blob.hasPlenty || sourceIsPaused {
                destinationIsPaused = false
                try destination?.resume()
            }
        } catch {
            fail(failure ?? error)
        }
    }

    func ended(_ transfer: Transfer, _ failure: WireError?) {
        if transfer === source {
            source = nil
            sourceEnded(transfer, failure)
        } else {
            destination = nil
            destinationEnded(transfer, failure)
        }
    }

    private func sourceEnded(_ transfer: Transfer, _ failure: WireError?) {
        if let failure = self.failure ?? failure?.at(.source) { return fail(failure) }
        if sourceAnswer == .unknown { judge(transfer.head) }
        guard sourceAnswer == .content else {
            return finish(.success(.sourceAnswered(WireResponse(transfer.head, body: sourceBody))))
        }
        do {
            try blob.finishInput()
        } catch {
            return fail(self.failure ?? error.at(.source, request.source.url))
        }
        mark()
    }

    private func destinationEnded(_ transfer: Transfer, _ failure: WireError?) {
        let head = transfer.head
        if let failure = self.failure ?? failure?.at(.destination) {
            // A refusal whose connection was cut in the middle of our body is still a refusal.
            guard self.failure == nil, head.isComplete, head.status >= 400 else { return fail(failure) }
        }
        let answer = WireResponse(head, body: destinationBody)
        guard (200..<300).contains(head.status) else { return finish(.success(.destinationAnswered(answer))) }
        guard blob.isDelivered else { return fail(early(head)) }
        finish(.success(.stored(answer)))
    }

    private func early(_ head: AnswerHead) -> WireError {
        let words = "answered \(head.status) after \(blob.delivered) of \(request.size) bytes"
        return WireError(.disconnected, words, url: request.destination.url, end: .destination)
    }

    func check() -> ContinuousClock.Instant {
        // libcurl's upload buffer may take long to drain, and no callback tells of it.
        let uploaded = destination?.uploaded ?? 0
        if uploaded != uploadedWhenChecked {
            uploadedWhenChecked = uploaded
            lastMoved = loop.now
        }
        let due = lastMoved + request.stallLimit
        if loop.now >= due { fail(stall) }
        return min(due, loop.now + request.stallLimit / 4)
    }

    /// Who is to blame: the source unless it has ended or waits for room, for then the destination doesn't take.
    private var stall: WireError {
        let isSource = source != nil && !sourceIsPaused
        return WireError(
            .stalled,
            "moved no byte for \(request.stallLimit), after \(blob.delivered) of \(request.size)",
            url: isSource ? request.source.url : request.destination.url,
            end: isSource ? .source : .destination
        )
    }

    func fail(_ error: any Error) { finish(.failure(error)) }

    private func finish(_ result: Result<RelayOutcome, any Error>) {
        // The caller first: closing a connection may take a moment.
        continuation.take()?.resume(with: result)
        for transfer in [source, destination] {
            if let transfer { loop.drop(transfer) }
        }
        source = nil
        destination = nil
        loop.forget(self)
    }
}

extension WireError {
    /// The same error, laid at one end's door.
    func at(_ end: End, _ url: HTTPURL? = nil) -> WireError {
        var error = self
        error.end = end
        error.url = url?.description ?? error.url
        return error
    }
}
