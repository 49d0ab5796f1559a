internal import Content
internal import FoundationEssentials
internal import HTTPTypes
internal import Wire

/// One blob of a repository, read piece by piece.
///
/// The address at the end of the redirects is used until shortly before it expires, or until it fails if it doesn't say
/// when it expires. Then the source is asked for another.
actor RangedSource {
    /// The error for a source that can only send the whole blob.
    struct NoRanges: Error {}

    private let blob: Descriptor
    private let repository: any BlobReader
    private let sender: any HTTPSending
    private let retry: RetryPolicy
    private let now: @Sendable () -> Date
    /// The address of the last piece.
    private var kept: Place?

    private struct Place {
        var download: BlobDownload
        /// When to ask for another address.
        var renewAt: Date?
    }

    /// How many seconds before its expiry an address is replaced; never more than a tenth of its lifetime.
    private static let usualMargin: TimeInterval = 300

    init(
        _ blob: Descriptor,
        _ repository: any BlobReader,
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

    /// Fills `buffer` with these bytes of the blob; failures that may pass are retried.
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
        // The whole blob needs no range, so that a server without ranges can send it.
        let isWhole = range == 0..<blob.size
        // The address is kept only after a piece that arrived whole; otherwise the next attempt asks for a fresh one.
        var place = kept.take()
        if let end = place?.renewAt, now() >= end { place = nil }
        var isFresh = false
        while true {
            var askedAt = now()
            if place == nil {
                let opened = try await BlobDownload.open(blob, from: repository)
                place = Place(download: opened, renewAt: renewal(of: opened.address, askedAt))
                isFresh = true
            }
            if case .bytes(let content)? = place?.download.address, content.count == blob.size {
                buffer.clear()
                guard buffer.append(content[Int(range.lowerBound)..<Int(range.upperBound)]) else { throw NoRanges() }
                kept = place
                return
            }
            // A file is read as a whole and needs no parts.
            guard var current = place, case .request(var request) = current.download.address else { throw NoRanges() }
            request.receiver = buffer
            if !isWhole { request.fields[.range] = "bytes=\(range.lowerBound)-\(range.upperBound - 1)" }
            askedAt = now()
            let answer = try await send(request, current.download)
            switch answer.status.code {
            case isWhole ? 200 : 206:
                try check(answer, range, buffer, current.download)
                current.download.restartCounts()
                kept = current
                return
            case 200..<300: throw NoRanges()
            // The kept address has expired.
            case 404 where !isFresh: place = nil
            default:
                if try await current.download.next(after: answer) { isFresh = true }
                // The time is measured from before the request, because the response may have taken long.
                current.renewAt = renewal(of: current.download.address, askedAt)
                place = current
            }
        }
    }

    /// - Parameter askedAt: The earliest time at which the address can have been made; the response may have taken
    ///   long.
    /// - Returns: `nil` if the address doesn't say when it expires.
    private func renewal(of address: RelaySource?, _ askedAt: Date) -> Date? {
        guard case .request(let request) = address else { return nil }
        let items = (request.url.query ?? "").split(separator: "&")
        // AWS presigned URLs state their lifetime in seconds (docs/facts/ecr-api.md#getdownloadurlforlayer).
        guard let item = items.first(where: { $0.hasPrefix("X-Amz-Expires=") }),
            let life = TimeInterval(item.drop { $0 != "=" }.dropFirst())
        else { return nil }
        return askedAt.addingTimeInterval(life - min(Self.usualMargin, life / 10))
    }

    private func send(_ request: WireRequest, _ download: BlobDownload) async throws -> WireResponse {
        do {
            return try await sender.send(request)
        } catch let error as WireError {
            throw BlobFailure(download.explain(error), error.retryAdvice)
        }
    }

    /// Throws if the response is not the requested range, as far as lengths tell; the piece is then requested again.
    private func check(
        _ answer: WireResponse,
        _ range: Range<Int64>,
        _ buffer: PartBuffer,
        _ download: BlobDownload
    ) throws {
        let wanted = "bytes \(range.lowerBound)-\(range.upperBound - 1)/"
        let said = answer.fields[.contentRange] ?? "no Content-Range"
        let isRight = range == 0..<blob.size || said == "\(wanted)\(blob.size)" || said == "\(wanted)*"
        guard isRight, buffer.count == range.count else {
            let detail =
                isRight ? "\(buffer.count) bytes for \(wanted)\(blob.size)" : "\(said) for \(wanted)\(blob.size)"
            throw BlobFailure(download.failure(.corrupt(expected: blob.digest, detail: detail)), .backOff)
        }
    }
}
