package import Content
internal import Platform

/// Compares what two repositories hold, without the planner: every manifest and blob is asked for.
extension CopyRun {
    /// Reads what a source has of some images.
    ///
    /// - Parameter source: A listing with images that have no tag, where the registry lists images.
    /// - Throws: ``CopyError`` if the source can't be read; ``Drained``, `CancellationError`.
    package func readContent(
        of images: [ListedImage],
        from source: SourceListing,
        _ options: CheckOptions
    ) async throws -> SourceContent {
        try await drain.abandoning {
            let access = SourceAccess(source.from, self)
            var walk = SourceWalk(source, options) { try await access.platform(of: $0) }
            return try await walk.read(images)
        }
    }

    /// Asks a destination for its tags; a repository that doesn't exist is not an error.
    ///
    /// - Throws: ``CopyError``, ``Drained``, `CancellationError`
    package func openForCheck(_ place: CopyDestination, of source: ImageReference) async throws -> CheckedDestination {
        try await drain.abandoning {
            let repository = try await opener.open(
                place.reference.repository(for: source),
                side: .destination,
                place.options
            )
            func destination(_ tags: [Tag: Digest]?, isMissing: Bool = false) -> CheckedDestination {
                CheckedDestination(
                    reference: repository.reference,
                    isMissing: isMissing,
                    tags: tags,
                    repository: repository
                )
            }
            do {
                guard let listing = try await repository.listImages(taggedOnly: false) else { return destination(nil) }
                var tags: [Tag: Digest] = [:]
                for image in listing.images { for tag in image.tags { tags[tag] = image.digest } }
                return destination(tags)
            } catch let error as CopyError where error.reason == .repositoryMissing {
                return destination([:], isMissing: true)
            }
        }
    }

    /// Compares images with a destination.
    ///
    /// What a destination has more is not a difference. What lies below a manifest that it lacks is not named.
    ///
    /// - Returns: One check for each of `images`, in their order.
    /// - Throws: ``CopyError`` if the destination can't be read; ``Drained``, `CancellationError`.
    package func check(
        _ images: [ImageToCheck],
        of content: SourceContent,
        at destination: CheckedDestination,
        _ options: CheckOptions
    ) async throws -> [ImageCheck] {
        let roots = images.map { content.images[$0.index] }.filter { $0.failure == nil }.map(\.root).unique()
        let faults: ContentFaults?
        if destination.isMissing {
            faults = nil
        } else {
            let questions = DestinationQuestions(
                destination: destination,
                content: content,
                options: options,
                mover: mover
            )
            faults = try await drain.abandoning {
                try await questions.faults(under: roots, tags: images.flatMap(\.tags))
            }
        }
        let comparison = ContentComparison(content: content, destination: destination, options: options, faults: faults)
        return images.map(comparison.check)
    }

    /// Sends blobs again whose bytes at a destination are corrupt.
    ///
    /// A registry that believes it has a blob may keep the bytes that it has.
    ///
    /// - Throws: ``CopyError``, ``Drained``, `CancellationError`
    package func sendAgain(
        _ blobs: [Descriptor],
        from source: SourceListing,
        to destination: DestinationListing
    ) async throws {
        try await blobs.unique().forEachConcurrently(limit: Self.parallelImages) { blob in
            _ = try await mover.moveAgain(
                BlobTransfer(blob, from: source.from, to: destination.state.repository)
            )
        }
    }
}
