internal import Content
internal import HTTPTypes
internal import Wire

/// Where a blob's bytes are: follows redirects, and requests a fresh address when one has expired.
///
/// The next hop of a redirect gets no credentials unless it has the same origin, https is never left, and there are at
/// most ``WireRequest/mostRedirects`` hops; `WireRequest.following` ensures this.
struct BlobDownload: Sendable {
    let blob: Descriptor
    let source: any BlobReader
    /// Where to ask for the bytes now.
    private(set) var address: RelaySource
    private var hops = 0
    private var addresses = 1

    /// The most addresses to request from a source in one attempt when its addresses are rejected as expired.
    static let mostAddresses = 3

    init(_ blob: Descriptor, from source: any BlobReader, at address: RelaySource) {
        (self.blob, self.source, self.address) = (blob, source, address)
    }

    /// Asks the source for the blob's address.
    ///
    /// - Throws: ``CopyError``, `CancellationError`
    static func open(_ blob: Descriptor, from source: any BlobReader) async throws -> BlobDownload {
        BlobDownload(blob, from: source, at: try await source.source(of: blob))
    }

    /// Moves on to the next address after a response that was not the content.
    ///
    /// - Returns: Whether ``address`` is a fresh one, rather than the next hop of a redirect.
    /// - Throws: ``BlobFailure`` if there is no further address, ``CopyError`` if the source gives no fresh one.
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

    /// Resets the counts of hops and addresses, after the address has delivered a piece of the blob.
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

    /// The error to report for a transport error during the download.
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
            image: source.reference,
            operation: "downloading \(blob.digest)"
        )
    }
}
