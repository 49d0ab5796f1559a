internal import Content

/// Turns errors into failures of an image at a place.
extension RepositoryCopy {
    func failed(
        _ source: ImageReference,
        _ destination: Destination,
        _ error: any Error,
        tags: [Tag] = [],
        left: CopyResult.Remainder? = nil
    ) -> CopyResult {
        let reference = destination.reference
        let repository = reference.repository(for: source)
        if error is CancellationError || error is Drained {
            return .cancelled(source: source, destination: repository, left: left)
        }
        var explained = CopyError(explaining: error, side: .destination, image: repository, "copying")
        // An error of a whole repository, or of a blob that several images share, failed this image too.
        let place = (try? destination.state.get())?.repository.reference ?? repository
        switch explained.side {
        case .source where explained.image == from.reference:
            explained.subject = .image(from.reference.tagged(source.tag, digest: source.digest))
        case .destination where explained.image == place:
            explained.subject = .image(place.tagged(tags.first ?? reference.tag))
        default: break
        }
        run.report(.failed(source: source, destination: repository, explained))
        return .failed(source: source, destination: repository, explained)
    }

    /// Whether the destination can hold the tag.
    func fits(_ tag: Tag, _ destination: Destination) -> Bool { tag.fits(destination.reference.registry.tagGrammar) }

    /// Why the destination can't hold the tag; `nil` if it can.
    func unfit(_ tag: Tag, at destination: Destination) -> CopyError? {
        tag.problem(in: destination.reference.registry.tagGrammar).map { problem in
            CopyError(
                .tagUnfit(tag: tag.value, reason: problem),
                side: .destination,
                image: destination.reference.repository(for: source).tagged(tag),
                operation: "setting the tag"
            )
        }
    }

    /// The failures for those of these tags that one of these destinations can't hold.
    func unfit(_ tags: [Tag], at indexes: [Int]) -> [CopyResult] {
        indexes.flatMap { index in
            tags.compactMap { tag in
                unfit(tag, at: destinations[index]).map { failed(source.tagged(tag), destinations[index], $0) }
            }
        }
    }

    func failure(_ reason: CopyError.Reason) -> CopyError {
        CopyError(reason, side: .source, image: source, operation: "reading the image")
    }

    func error(_ reason: CopyError.Reason, _ image: ListedImage) -> CopyError {
        let named = source.tagged(image.tags.first, digest: image.digest)
        return CopyError(reason, side: .source, image: named, operation: "reading the image")
    }
}
