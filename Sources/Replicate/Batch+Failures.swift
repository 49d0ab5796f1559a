internal import Content

/// What went wrong, said of the image and the place it was about.
extension Batch {
    func failed(
        _ source: ImageReference,
        _ reference: DestinationReference,
        _ error: any Error,
        tags: [Tag] = [],
        left: Remainder? = nil
    ) -> CopyResult {
        let repository = reference.repository(for: source)
        if error is CancellationError || error is Drained {
            return .cancelled(source: "\(source)", destination: "\(repository)", left: left)
        }
        var explained = CopyError(explaining: error, side: .destination, image: "\(repository)", "copying")
        // What failed for a whole repository, or for a blob that several images share, failed this image too.
        let session = targets.first { $0.reference == reference }.flatMap { try? $0.session.get() }
        let place = session?.repository.reference ?? repository
        switch explained.side {
        case .source where explained.image == "\(from.reference)":
            explained.image = "\(from.reference.tagged(source.tag, digest: source.digest))"
        case .destination where explained.image == "\(place)":
            explained.image = "\(place.tagged(tags.first ?? reference.tag))"
        default: break
        }
        replicator.report(.failed(source: "\(source)", destination: "\(repository)", explained))
        return .failed(source: "\(source)", destination: "\(repository)", explained)
    }

    func failure(_ reason: CopyError.Reason) -> CopyError {
        CopyError(reason, side: .source, image: source.description, operation: "reading the image")
    }

    func error(_ reason: CopyError.Reason, _ image: ListedImage) -> CopyError {
        let named = source.tagged(image.tags.first, digest: image.digest)
        return CopyError(reason, side: .source, image: named.description, operation: "reading the image")
    }
}
