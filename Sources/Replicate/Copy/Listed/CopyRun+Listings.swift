package import Content
internal import Platform

/// Copies what rules select: lists both sides, compares the listings, and copies what differs.
extension CopyRun {
    /// Lists a source repository.
    ///
    /// ECR lists every image with its digest and push time, a thousand a page. Plain registries list the names of tags
    /// only; layouts are read.
    ///
    /// - Parameter taggedOnly: Whether images without a tag, and so most referrers, are left out.
    /// - Throws: ``CopyError``, ``Drained``, `CancellationError`
    package func listSource(
        _ reference: ImageReference,
        _ side: SideOptions,
        taggedOnly: Bool
    ) async throws -> SourceListing {
        try await drain.abandoning {
            let repository = try await opener.open(reference, side: .source, side)
            if let listing = try await repository.listImages(taggedOnly: taggedOnly) {
                return SourceListing(repository, listing, isComplete: !taggedOnly, side)
            }
            if reference.registry.isLayout {
                return SourceListing(repository, try await repository.list(), isComplete: true, side)
            }
            return SourceListing(repository, names: try await repository.listTagNames(), side)
        }
    }

    /// Opens a source repository without listing it, for images that are known from a saved plan.
    ///
    /// - Throws: ``CopyError``, ``Drained``, `CancellationError`
    package func openSource(_ reference: ImageReference, _ side: SideOptions) async throws -> SourceListing {
        try await drain.abandoning {
            SourceListing(unlisted: try await opener.open(reference, side: .source, side), side)
        }
    }

    /// Asks a destination repository what it holds.
    ///
    /// ECR lists every image; other registries are asked for the wanted tags only. A missing repository counts as
    /// empty if `options` or a creation template allow it to be created.
    ///
    /// - Parameter listsImages: Whether ECR lists every image, which takes a request for a thousand images; otherwise it
    ///   is asked for the wanted tags, a hundred a request.
    /// - Throws: ``CopyError``, ``Drained``, `CancellationError`
    package func listDestination(
        _ destination: CopyDestination,
        of source: SourceListing,
        wanted: [Tag],
        taggedOnly: Bool,
        listsImages: Bool = true,
        _ options: CopyOptions
    ) async throws -> DestinationListing {
        try await drain.abandoning {
            let reference = destination.reference
            let repository = try await opener.open(
                reference.repository(for: source.reference),
                side: .destination,
                destination.options
            )
            let isSource =
                repository.placeKey == source.from.placeKey && source.identity.identity == destination.options.identity
            let state = DestinationState(
                repository,
                isSource: isSource,
                repairs: options.repairs,
                kmsKeys: destination.kmsKeys,
                blobs: options.repairs ? BlobIndex() : mover.index
            )
            let place = Destination(
                reference: reference,
                place: "\(repository.placeKey) \(destination.options.hashValue)",
                tags: [],
                state: .success(state)
            )
            var listing: ImageListing?
            do {
                if listsImages {
                    listing = try await state.list(wanted.map { .tag($0) }, taggedOnly: taggedOnly)
                } else {
                    try await state.read(wanted.map { .tag($0) })
                }
            } catch let error as CopyError where error.reason == .repositoryMissing {
                try await state.beginEmpty(after: error, creating: options.createRepository)
            }
            return await DestinationListing(place, state, listing, isComplete: !taggedOnly)
        }
    }

    /// Copies images of one repository to their destinations, or plans the copies of a dry run.
    ///
    /// - Parameters:
    ///   - destinations: What the tags of an image name by their index.
    ///   - each: Called with the results of an image, by destination, as soon as it is finished, and with what it
    ///     took. The images are finished in any order.
    package func copy(
        _ images: [ImageToCopy],
        from source: SourceListing,
        to destinations: [DestinationListing],
        _ options: CopyOptions,
        each: @escaping @Sendable (ImageToCopy, [Int: CopyResult], ImageEffort) async -> Void
    ) async {
        let copy = RepositoryCopy(
            run: self,
            source: source.reference,
            reader: SourceReader(source.from),
            options: options,
            destinations: destinations.map(\.destination),
            sourceOptions: source.identity
        )
        let digestTags = source.isListed ? source.digestTags : nil
        await copy.copy(images.chunked(RepositoryCopy.imagesAtOnce), digestTags, source.referrers, each: each)
    }

    /// Waits for uploads that opened too late to be used, so that they get closed; to be called at the end of a run.
    package func settle() async { await mover.late.settle(Self.patienceWithLateUploads, mover.clock) }
}
