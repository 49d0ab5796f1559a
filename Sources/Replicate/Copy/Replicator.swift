internal import AWSIdentity
public import Content
internal import Platform
public import Wire

/// Copies images: opens both sides, plans, moves, puts, reports.
///
/// - Source: docs/architecture.md#the-walk
public struct Replicator: Sendable {
    public let opener: RepositoryOpener
    public let source: SideOptions
    public let destination: SideOptions
    let mover: BlobMover
    /// Whether this run is to begin nothing more.
    public let drain: Drain
    let report: @Sendable (CopyEvent) -> Void

    /// Images of one selection that are worked on at once; the blobs of all share one budget of permits.
    static let parallelImages = 8

    /// - Parameters:
    ///   - jobs: Relays in flight; `nil` lets the sizes of the blobs decide (docs/architecture.md#long-links).
    ///   - drain: Ends the run early, when somebody begins it.
    public init(
        opener: RepositoryOpener,
        relay: any BlobRelaying,
        retry: RetryPolicy,
        source: SideOptions,
        destination: SideOptions,
        jobs: Int? = nil,
        uploads: UploadOptions = UploadOptions(),
        drain: Drain = Drain(),
        report: @escaping @Sendable (CopyEvent) -> Void = { _ in }
    ) {
        self.opener = opener
        self.source = source
        self.destination = destination
        self.report = report
        self.drain = drain
        var retry = retry.spending(opener.budgets.destination).labelled { error in
            SideLabel.metadata((error as? BlobFailure)?.error.side ?? .destination)
        }
        retry.otherBudget = { [source = opener.budgets.source] error in
            (error as? BlobFailure)?.error.side == .source ? source : nil
        }
        // A blob that waits for its next try isn't under way.
        retry.clock = retry.clock.until(drain)
        let large = LargeBlobs(
            uploads,
            sender: opener.sender,
            retry: retry,
            logger: opener.logger.labelled(SideLabel.metadata(.destination)),
            drain: drain,
            now: opener.now,
            report: report
        )
        mover = BlobMover(relay: relay, large: large, retry: retry, jobs: jobs, drain: drain, report: report)
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
        do {
            return try await run(source, selection, to: destinations, tags: tags, options, sides: sides)
        } catch is Drained {
            // Called off while it was still being found out what there is to do.
            return destinations.map {
                .cancelled(source: "\(source)", destination: "\($0.repository(for: source))", left: nil)
            }
        }
    }

    private func run(
        _ source: ImageReference,
        _ selection: Selection,
        to destinations: [DestinationReference],
        tags: [Tag],
        _ options: CopyOptions,
        sides: (source: SideOptions, destination: SideOptions)
    ) async throws -> [CopyResult] {
        let (from, targets) = try await drain.abandoning {
            let from = try await opener.open(source, side: .source, sides.source)
            let targets = try await destinations.mapConcurrently(limit: 8) {
                await open($0, source, from, options, sides)
            }
            return (from, distinct(targets, tags: tags, else: source.tag))
        }
        let reader = SourceReader(from)
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
        case .sole:
            guard let id = try await from.soleImage() else { throw noImageNamed(source) }
            return try await batch.copyOne(id, tags: tags, isChosen: true)
        case .many(let filter): return try await batch.copyMany(filter)
        }
    }

    /// Each place and what is tagged there once, however often and in whatever forms it was named.
    private func distinct(_ targets: [Batch.Target], tags: [Tag], else usual: Tag?) -> [Batch.Target] {
        var places: [String: Int] = [:]
        var kept: [Batch.Target] = []
        for target in targets {
            let place = (try? target.session.get().repository.placeKey) ?? "\(target.reference)"
            let named = ([target.reference.tag].compactMap { $0 } + tags).unique().sorted()
            let wanted = named.isEmpty ? [usual].compactMap { $0 } : named
            let key = "\(place):\(wanted.map(\.value).joined(separator: ","))"
            if let index = places[key] {
                kept[index].note = "\(kept[index].reference) was named more than once, and is one destination"
            } else {
                places[key] = kept.count
                kept.append(target)
            }
        }
        return kept
    }

    private func open(
        _ reference: DestinationReference,
        _ source: ImageReference,
        _ from: any ImageRepository,
        _ options: CopyOptions,
        _ sides: (source: SideOptions, destination: SideOptions)
    ) async -> Batch.Target {
        do {
            guard reference.repository != nil || !source.registry.isLayout else {
                throw CopyError(
                    .unsupported(
                        "an image layout has no name that could be kept",
                        remedy: "write the repository behind the destination's host"
                    ),
                    side: .destination,
                    image: "\(reference)",
                    operation: "opening the registry"
                )
            }
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
                session: .success(
                    DestinationSession(repository, isSource: isSource, repairs: options.repairs)
                )
            )
        } catch {
            return Batch.Target(reference: reference, session: .failure(error))
        }
    }

    private func noImageNamed(_ source: ImageReference) -> CopyError {
        CopyError(
            .unsupported("the reference names neither a tag nor a digest", remedy: "add :TAG or @DIGEST"),
            side: .source,
            image: source.description,
            operation: "reading the image"
        )
    }
}

extension Replicator {
    /// Who the destination's identity is, for a record; `nil` where that can't be said.
    public func caller(at destination: DestinationReference) async -> String? {
        // Not said is no failure: neither if somebody stops the run meanwhile.
        let found = try? await drain.abandoning {
            await SideLabel.with(SideLabel.metadata(.destination)) {
                await opener.caller(at: destination.registry, self.destination)
            }
        }
        return found ?? nil
    }
}
