internal import Content
internal import Wire

/// An upload that a destination has opened and that waits for bytes.
struct OpenedUpload: Sendable {
    var upload: OpenUpload
    var destination: any BlobReceiver
}

/// Sends a blob once, from one download to one or more open uploads.
struct BlobSender: Sendable {
    let relay: any BlobRelaying
    let report: @Sendable (CopyEvent) -> Void

    /// - Returns: The outcome at each upload, in order; a failure of one does not affect the others.
    /// - Throws: `CancellationError`, or ``CopyError`` if the source gives no fresh address.
    func send(_ first: BlobDownload, to uploads: [OpenedUpload]) async throws -> [Result<Void, BlobFailure>] {
        var download = first
        let blob = download.blob
        for upload in uploads { report(.blobStarted(blob, to: upload.destination.reference)) }
        var results = [Result<Void, BlobFailure>?](repeating: nil, count: uploads.count)
        while true {
            var open: [(index: Int, sink: RelaySink)] = []
            for index in uploads.indices where results[index] == nil {
                let upload = uploads[index]
                do {
                    open.append((index, try await upload.destination.upload(blob, to: upload.upload)))
                } catch {
                    results[index] = .failure(try failure(error, at: upload.destination, blob))
                }
            }
            guard !open.isEmpty else { return results.compactMap { $0 } }
            let answers = try await relayed(download, open.map(\.sink), open.map { uploads[$0.index].destination })
            var asked: WireResponse?
            for ((index, sink), answer) in zip(open, answers) {
                let destination = uploads[index].destination
                switch answer {
                case .success(.stored): results[index] = .success(())
                case .success(.sourceAnswered(let answer)): asked = answer
                case .success(.destinationAnswered(let answer)):
                    results[index] = try await refusal(answer, blob, sink, destination)
                case .failure(let error):
                    let explained =
                        error.end == .destination
                        ? CopyError(explaining: error, repository: destination, "uploading \(blob.digest)")
                        : download.explain(error)
                    results[index] = .failure(
                        BlobFailure(explained, error.retryAdvice, isOutpaced: error.reason == .outpaced)
                    )
                }
            }
            guard let asked else { return results.compactMap { $0 } }
            do {
                try await download.next(after: asked)
            } catch let failure as BlobFailure {
                return results.map { $0 ?? .failure(failure) }
            }
        }
    }

    /// Relays the blob; a relay that could not start counts as a failure of every upload.
    private func relayed(
        _ download: BlobDownload,
        _ sinks: [RelaySink],
        _ destinations: [any BlobReceiver]
    ) async throws -> [RelayResult] {
        let blob = download.blob
        do {
            return try await relay.relay(
                RelayRequest(source: download.address, sinks: sinks, digest: blob.digest, size: blob.size) {
                    sink,
                    bytes in
                    report(.blobProgress(blob.digest, to: destinations[sink].reference, bytes: bytes))
                }
            )
        } catch let error as WireError {
            return sinks.map { _ in .failure(error) }
        }
    }

    private func refusal(
        _ answer: WireResponse,
        _ blob: Descriptor,
        _ sink: RelaySink,
        _ destination: any BlobReceiver
    ) async throws -> Result<Void, BlobFailure> {
        do {
            guard case .request(let sent) = sink,
                let refusal = try await destination.explainUpload(answer, of: blob, sent: sent)
            else { return .success(()) }
            return .failure(BlobFailure(refusal.error, refusal.retryAdvice))
        } catch {
            return .failure(try failure(error, at: destination, blob))
        }
    }

    /// The failure of one destination, for example when its token can't be renewed; the other destinations go on.
    ///
    /// - Throws: An error that ends the run, such as `CancellationError`.
    private func failure(
        _ error: any Error,
        at destination: any BlobReceiver,
        _ blob: Descriptor
    ) throws -> BlobFailure {
        if error is CancellationError || error is Drained { throw error }
        if let failure = error as? BlobFailure { return failure }
        let explained = CopyError(explaining: error, repository: destination, "uploading \(blob.digest)")
        return BlobFailure(explained, (error as? any RetryAdvising)?.retryAdvice ?? .never)
    }
}
