internal import AWSIdentity
public import Content
internal import Platform
public import Wire

/// Copies images: opens both sides, plans, moves, puts, reports.
///
/// - Source: DESIGN section 4
public struct Replicator: Sendable {
    public let opener: RepositoryOpener
    public let source: SideOptions
    public let destination: SideOptions
    let mover: BlobMover
    let report: @Sendable (CopyEvent) -> Void

    /// Images of one selection that are worked on at once; the blobs of all share one budget of permits.
    static let parallelImages = 4
    /// Relays in flight unless somebody says otherwise (DESIGN section 10: large blobs are limited by bandwidth).
    public static let usualJobs = 8

    public init(
        opener: RepositoryOpener,
        relay: any BlobRelaying,
        retry: RetryPolicy,
        source: SideOptions,
        destination: SideOptions,
        jobs: Int = usualJobs,
        uploads: UploadOptions = UploadOptions(),
        report: @escaping @Sendable (CopyEvent) -> Void = { _ in }
    ) {
        self.opener = opener
        self.source = source
        self.destination = destination
        self.report = report
        let large = LargeBlobs(uploads, sender: opener.sender, retry: retry, logger: opener.logger, report: report)
        mover = BlobMover(relay: relay, large: large, retry: retry, jobs: jobs, report: report)
    }

    /// Gives an image of a repository more tags there: one question, and one `PutImage` a tag.
    ///
    /// - Throws: ``CopyError`` if the source can't be read.
    public func retag(_ source: ImageReference, to tags: [Tag], _ options: CopyOptions) async throws -> [CopyResult] {
        let destination = DestinationReference(registry: source.registry, repository: source.repository, tag: nil)
        guard let id = ManifestID(source) else { throw noImageNamed(source) }
        return try await copy(
            source,
            .one(id),
            to: [destination],
            tags: tags,
            options,
            sides: (self.source, self.source)
        )
    }

    /// Copies one image, or those that pass a filter, to each destination.
    ///
    /// - Parameter tags: To set besides the destination's own. The source's is kept if there are neither.
    /// - Returns: A result for each image at each destination.
    /// - Throws: ``CopyError`` if the source can't be read, so that nothing could be tried.
    public func copy(
        _ source: ImageReference,
        _ selection: Selection,
        to destinations: [DestinationReference],
        tags: [Tag],
        _ options: CopyOptions
    ) async throws -> [CopyResult] {
        try await copy(source, selection, to: destinations, tags: tags, options, sides: (self.source, destination))
    }

    private func copy(
        _ source: ImageReference,
        _ selection: Selection,
        to destinations: [DestinationReference],
        tags: [Tag],
        _ options: CopyOptions,
        sides: (source: SideOptions, destination: SideOptions)
    ) async throws -> [CopyResult] {
        let from = try await opener.open(source, side: .source, sides.source)
        let reader = SourceReader(from)
        let targets = try await destinations.enumerated().map { ($0, $1) }.mapConcurrently(limit: 8) { _, reference in
            await open(reference, source, from, sides)
        }
        let batch = Batch(
            replicator: self,
            // As it was resolved: a bare REPO names its registry from here on.
            source: from.reference.tagged(source.tag, digest: source.digest),
            reader: reader,
            options: options,
            targets: targets
        )
        switch selection {
        case .one(let id): return try await batch.copyOne(id, tags: tags)
        case .many(let filter): return try await batch.copyMany(filter)
        }
    }

    private func open(
        _ reference: DestinationReference,
        _ source: ImageReference,
        _ from: any ImageRepository,
        _ sides: (source: SideOptions, destination: SideOptions)
    ) async -> Batch.Target {
        do {
            let repository = try await opener.open(
                reference.repository(for: source),
                side: .destination,
                sides.destination
            )
            let isSource =
                repository.registryKey == from.registryKey && sides.source.identity == sides.destination.identity
                && repository.reference.repository == from.reference.repository
            return Batch.Target(
                reference: reference,
                session: .success(DestinationSession(repository, isSource: isSource))
            )
        } catch {
            return Batch.Target(reference: reference, session: .failure(error))
        }
    }

    private func noImageNamed(_ source: ImageReference) -> CopyError {
        CopyError(
            .unsupported("the reference names neither a tag nor a digest"),
            side: .source,
            image: source.description,
            operation: "reading the source"
        )
    }
}

extension Replicator {
    /// Who the destination's identity is, for a record; `nil` where that can't be said.
    public func caller(at destination: DestinationReference) async -> String? {
        await opener.caller(at: destination.registry, self.destination)
    }
}
