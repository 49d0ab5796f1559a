internal import Content
internal import Platform
internal import Wire

/// An upload that a destination has opened, and that waits for bytes.
struct OpenUpload: Sendable {
    var sink: RelaySink
    var destination: ImageReference
}

/// Sends one blob from its source to open uploads, with one download whatever their number.
struct BlobSender: Sendable {
    let blob: Descriptor
    let source: any BlobReader
    /// The blob's bytes from its descriptor, for a source that doesn't have the blob.
    let content: [UInt8]?
    private let relay: any BlobRelaying
    private let report: @Sendable (CopyEvent) -> Void
    /// The request for the blob's address, which may be in flight before an upload is open.
    ///
    /// A failure is kept too, so that the source is asked once.
    private let opening = SingleFlight<Digest, Result<BlobDownload, any Error>>()

    init(
        _ blob: Descriptor,
        from source: any BlobReader,
        content: [UInt8]? = nil,
        relay: any BlobRelaying,
        report: @escaping @Sendable (CopyEvent) -> Void
    ) {
        (self.blob, self.source, self.content) = (blob, source, content)
        (self.relay, self.report) = (relay, report)
    }

    /// Asks the source for the blob's address, which ``send(to:)`` uses later.
    func prepare() async { _ = try? await download() }

    private func download() async throws -> BlobDownload {
        if let content { return BlobDownload(blob, from: source, at: .bytes(content)) }
        return try await opening.run(blob.digest) { [blob, source] in
            do {
                return .success(try await BlobDownload.open(blob, from: source))
            } catch {
                return .failure(error)
            }
        }.get()
    }

    /// - Returns: What each destination answered, in order; a failure of one does not affect the others.
    /// - Throws: `CancellationError`, or ``CopyError`` if the source gives no address.
    func send(to uploads: [OpenUpload]) async throws -> [Result<WireResponse, any Error>] {
        var download = try await download()
        for upload in uploads { report(.blobStarted(blob, to: upload.destination)) }
        while true {
            let results = try await relayed(download, to: uploads)
            guard let answer = results.lazy.compactMap(\.sourceAnswer).first else {
                return results.map { $0.destinationAnswer(explainingSource: download.explain) }
            }
            do {
                // No upload has begun: the source's answer was not the content.
                try await download.next(after: answer)
            } catch let failure as BlobFailure {
                return uploads.map { _ in .failure(failure) }
            }
        }
    }

    /// Relays the blob; a relay that could not start counts as a failure of every upload.
    private func relayed(_ download: BlobDownload, to uploads: [OpenUpload]) async throws -> [RelayResult] {
        let request = RelayRequest(
            source: download.address,
            sinks: uploads.map(\.sink),
            digest: blob.digest,
            size: blob.size
        ) { sink, bytes in
            report(.blobProgress(blob.digest, to: uploads[sink].destination, bytes: bytes))
        }
        do {
            return try await relay.relay(request)
        } catch let error as WireError {
            return uploads.map { _ in .failure(error) }
        }
    }
}

extension RelayResult {
    /// The source's answer, if it was not the content.
    fileprivate var sourceAnswer: WireResponse? {
        if case .success(.sourceAnswered(let answer)) = self { answer } else { nil }
    }

    fileprivate func destinationAnswer(
        explainingSource explain: (WireError) -> CopyError
    ) -> Result<WireResponse, any Error> {
        switch self {
        case .success(.stored(let answer)), .success(.destinationAnswered(let answer)),
            .success(.sourceAnswered(let answer)):
            .success(answer)
        case .failure(let error) where error.end == .destination: .failure(error)
        case .failure(let error):
            .failure(BlobFailure(explain(error), error.retryAdvice, isOutpaced: error.reason == .outpaced))
        }
    }
}
