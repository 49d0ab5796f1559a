internal import Content
internal import Platform
internal import Wire

extension BlobMover {
    /// Downloads a blob, hashes it, and discards its bytes.
    ///
    /// Bytes that are wrong are downloaded again, because they may have changed on the way.
    ///
    /// - Returns: What is wrong with the blob, if anything is.
    /// - Throws: ``CopyError`` if the download fails; ``Drained``, `CancellationError`.
    func fault(of blob: Descriptor, at place: any ImageRepository) async throws -> ContentFaults.Fault? {
        let corruptions = Lock(0)
        let registry = place.reference.registryName
        let retry = retry.spending(budgets.of(place.side, registry)).labelled { _ in
            SideLabel.metadata(place.side, registry: registry)
        }
        do {
            try await admission.admit(blob.size) {
                try await retry.run { _ in
                    do {
                        try await download(blob, from: place)
                    } catch let failure as BlobFailure {
                        if case .throttled = failure.error.reason { admission.noteThrottle() }
                        guard case .corrupt = failure.error.reason else { throw failure }
                        let count = corruptions.withLock { count in
                            count += 1
                            return count
                        }
                        throw count < Self.mostCorruptions ? failure : BlobFailure(failure.error, .never)
                    }
                }
            }
            return nil
        } catch let failure as BlobFailure {
            return try Self.fault(of: failure.error)
        } catch let error as CopyError {
            return try Self.fault(of: error)
        }
    }

    private func download(_ blob: Descriptor, from place: any ImageRepository) async throws {
        let sender = BlobSender(blob, from: place, relay: relay, report: { _ in })
        let answers = try await sender.send(to: [OpenUpload(sink: .discard, destination: place.reference)])
        for answer in answers { _ = try answer.get() }
    }

    private static func fault(of error: CopyError) throws -> ContentFaults.Fault {
        switch error.reason {
        case .corrupt(_, let detail): .corrupt(detail)
        case .blobMissing: .missing
        default: throw error
        }
    }
}
