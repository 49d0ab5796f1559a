internal import Content
internal import HTTPTypes
internal import Wire

/// Where a blob's bytes are, and how that was found: over redirects, and with fresh addresses when one has expired.
///
/// The next hop after a redirect gets no credentials unless it is the same origin, https is never left, and there are at
/// most ``WireRequest/mostRedirects`` hops; `WireRequest.following` sees to that.
struct BlobDownload: Sendable {
    let blob: Descriptor
    let source: any BlobReader
    /// Where to ask for the bytes now.
    private(set) var address: RelaySource
    private var hops = 0
    private var addresses = 1

    /// The addresses that a source is asked for in one attempt, when it says that the one it gave is no longer good.
    static let mostAddresses = 3

    init(_ blob: Descriptor, from source: any BlobReader, at address: RelaySource) {
        (self.blob, self.source, self.address) = (blob, source, address)
    }

    /// Asks the source where the blob is.
    ///
    /// - Throws: ``CopyError``, `CancellationError`
    static func open(_ blob: Descriptor, from source: any BlobReader) async throws -> BlobDownload {
        BlobDownload(blob, from: source, at: try await source.source(of: blob))
    }

    /// Where to ask next, after an answer that was not the content.
    ///
    /// - Returns: Whether ``address`` is a fresh one, rather than the next hop of a redirect.
    /// - Throws: ``BlobFailure`` when there is nowhere to ask, ``CopyError`` when the source gives no fresh address.
    @discardableResult
    mutating func next(after answer: WireResponse) async throws -> Bool {
        guard case .request(let request) = address else { throw BlobFailure(sourceAnswered: answer, blob, source) }
        if answer.status.kind == .redirection, let location = answer.fields[.location] {
            hops += 1
            address = .request(try followed(request, location))
            return false
        }
        await source.sourceRefused(answer, to: request)
        let mayHaveExpired = answer.status.kind == .clientError && ![404, 408, 429].contains(answer.status.code)
        guard mayHaveExpired, addresses < Self.mostAddresses else {
            throw BlobFailure(sourceAnswered: answer, blob, source, from: request.url)
        }
        addresses += 1
        hops = 0
        address = try await source.source(of: blob)
        return true
    }

    /// Forgets how often the source was asked, after the address has served for a piece of the blob.
    mutating func restartCounts() { (hops, addresses) = (0, 0) }

    private func followed(_ request: WireRequest, _ location: String) throws -> WireRequest {
        guard hops <= WireRequest.mostRedirects else {
            let reason = CopyError.Reason.rejected(
                code: "redirect not followed",
                text: "more than \(WireRequest.mostRedirects) redirects"
            )
            throw BlobFailure(failure(reason), .never)
        }
        do {
            return try request.following(location)
        } catch {
            throw BlobFailure(explain(error.at(.source)), .never)
        }
    }

    /// What a failure of the transport while downloading means.
    func explain(_ error: WireError) -> CopyError {
        switch error.reason {
        case .corrupt, .tooShort, .tooLong: failure(.corrupt(expected: blob.digest, detail: error.detail))
        default: CopyError(explaining: error, repository: source, "downloading \(blob.digest)")
        }
    }

    func failure(_ reason: CopyError.Reason) -> CopyError {
        CopyError(
            reason,
            side: source.side,
            image: source.reference.description,
            operation: "downloading \(blob.digest)"
        )
    }
}
