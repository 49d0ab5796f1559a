internal import Content
internal import FoundationEssentials
internal import HTTPTypes
internal import Wire

/// One blob of a repository, read piece by piece.
///
/// The address that redirects led to serves until shortly before it expires, if it says when, else until it doesn't; then
/// another is asked for.
///
/// - Source: docs/architecture.md#large-layers; docs/facts/ecr-api.md#getdownloadurlforlayer: presigned addresses take
///   a `Range`, and expire
actor RangedSource {
    /// The source sends a blob whole or not at all.
    struct NoRanges: Error {}

    private let blob: Descriptor
    private let repository: any ImageRepository
    private let sender: any HTTPSending
    private let retry: RetryPolicy
    private let now: @Sendable () -> Date
    /// Where the last piece came from.
    private var address: Address?

    private struct Address {
        var request: WireRequest
        /// When to ask for another.
        var renewAt: Date?
    }

    /// In seconds: how long before its end an address is given up; never more than a tenth of its life.
    private static let usualMargin: TimeInterval = 300

    init(
        _ blob: Descriptor,
        _ repository: any ImageRepository,
        _ sender: any HTTPSending,
        _ retry: RetryPolicy,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.blob = blob
        self.now = now
        self.repository = repository
        self.sender = sender
        self.retry = retry
    }

    /// Fills `buffer` with these bytes of the blob; what fails and may pass is tried again.
    ///
    /// - Throws: ``CopyError``, ``NoRanges``, `CancellationError`.
    func read(_ range: Range<Int64>, into buffer: PartBuffer) async throws {
        do {
            try await retry.run { _ in try await readOnce(range, into: buffer) }
        } catch let failure as BlobFailure {
            throw failure.error
        }
    }

    private func readOnce(_ range: Range<Int64>, into buffer: PartBuffer) async throws {
        // All of it needs no range, and a server needn't know any.
        let isWhole = range == 0..<blob.size
        // Kept only by a piece that comes whole: after anything else the next try asks for another.
        var current = address.take()
        if let end = current?.renewAt, now() >= end { current = nil }
        var isFresh = false
        var urls = 0
        var hops = 0
        while true {
            if current == nil {
                let askedAt = now()
                // A file is there whole, and needs no parts to be read again.
                guard case .request(let given) = try await repository.source(of: blob) else { throw NoRanges() }
                current = Address(request: given, renewAt: renewal(of: given, askedAt))
                isFresh = true
                urls += 1
                hops = 0
            }
            guard let place = current else { continue }
            var request = place.request
            request.receiver = buffer
            if !isWhole { request.fields[.range] = "bytes=\(range.lowerBound)-\(range.upperBound - 1)" }
            let askedAt = now()
            let answer = try await send(request)
            switch answer.status.code {
            case isWhole ? 200 : 206:
                try check(answer, range, buffer)
                address = place
                return
            case 200..<300: throw NoRanges()
            case 300..<400:
                hops += 1
                let next = try redirected(place.request, answer, hops)
                current = Address(request: next, renewAt: renewal(of: next, askedAt))
            // It has expired, or the token in it.
            case 404 where !isFresh: current = nil
            case 400..<500 where ![404, 408, 429].contains(answer.status.code) && urls < BlobCourier.mostURLs:
                await repository.sourceRefused(answer, to: request)
                current = nil
            default:
                await repository.sourceRefused(answer, to: request)
                throw BlobFailure(sourceAnswered: answer, blob, repository, from: request.url)
            }
        }
    }

    /// - Parameter askedAt: It was made no earlier, and its answer may have been long under way.
    /// - Returns: `nil` for an address that doesn't say how long it is good.
    private func renewal(of request: WireRequest, _ askedAt: Date) -> Date? {
        let items = (request.url.query ?? "").split(separator: "&")
        // As AWS presigns (docs/facts/ecr-api.md#getdownloadurlforlayer): in seconds from when it was made.
        guard let item = items.first(where: { $0.hasPrefix("X-Amz-Expires=") }),
            let life = TimeInterval(item.drop { $0 != "=" }.dropFirst())
        else { return nil }
        return askedAt.addingTimeInterval(life - min(Self.usualMargin, life / 10))
    }

    private func send(_ request: WireRequest) async throws -> WireResponse {
        do {
            return try await sender.send(request)
        } catch let error as WireError {
            throw BlobFailure(explain(error), error.retryAdvice)
        }
    }

    private func redirected(_ request: WireRequest, _ answer: WireResponse, _ hops: Int) throws -> WireRequest {
        guard let location = answer.fields[.location] else {
            throw BlobFailure(sourceAnswered: answer, blob, repository)
        }
        guard hops <= WireRequest.mostRedirects else {
            throw BlobFailure(
                failure(
                    .rejected(code: "redirect not followed", text: "more than \(WireRequest.mostRedirects) redirects")
                ),
                .never
            )
        }
        do {
            return try request.following(location)
        } catch {
            throw BlobFailure(explain(error), .never)
        }
    }

    /// Whether what came is what was asked for, as far as lengths tell; a wrong one is asked for again.
    private func check(_ answer: WireResponse, _ range: Range<Int64>, _ buffer: PartBuffer) throws {
        let wanted = "bytes \(range.lowerBound)-\(range.upperBound - 1)/"
        let said = answer.fields[.contentRange] ?? "no Content-Range"
        let isRight = range == 0..<blob.size || said == "\(wanted)\(blob.size)" || said == "\(wanted)*"
        guard isRight, buffer.count == range.count else {
            let detail =
                isRight ? "\(buffer.count) bytes for \(wanted)\(blob.size)" : "\(said) for \(wanted)\(blob.size)"
            throw BlobFailure(failure(.corrupt(expected: blob.digest, detail: detail)), .backOff)
        }
    }

    private func explain(_ error: WireError) -> CopyError {
        switch error.reason {
        case .tooShort, .tooLong: failure(.corrupt(expected: blob.digest, detail: error.detail))
        default: CopyError(explaining: error, repository: repository, "downloading \(blob.digest)")
        }
    }

    private func failure(_ reason: CopyError.Reason) -> CopyError {
        CopyError(
            reason,
            side: repository.side,
            image: repository.reference.description,
            operation: "downloading \(blob.digest)"
        )
    }
}
