public import Content
internal import Platform
internal import Wire

/// One run of copies.
///
/// It holds what is known only during the run: where blobs are, which are in flight, whether the run is draining, and
/// where its events are reported.
public struct CopyRun: Sendable {
    let opener: RepositoryOpener
    let mover: BlobMover
    /// Ends the run early once it begins: nothing new starts, and what has started finishes.
    public let drain: Drain
    let report: @Sendable (CopyEvent) -> Void

    /// The most images of one selection in progress; the blobs of all of them share one admission.
    static let parallelImages = 8

    /// Copies images of one source repository to every destination of the request.
    ///
    /// - Returns: A result for each image at each destination.
    /// - Throws: ``CopyError`` if the source can't be read, so that nothing could be tried.
    public func copy(_ request: CopyRequest) async throws -> [CopyResult] {
        do {
            let results = try await carryOut(request)
            await settle()
            return results
        } catch {
            await settle()
            throw error
        }
    }

    /// How long to wait at the end for uploads that opened too late, so that they get closed.
    static let patienceWithLateUploads: Duration = .seconds(5)

    private func carryOut(_ request: CopyRequest) async throws -> [CopyResult] {
        do {
            let copy = try await drain.abandoning { try await open(request) }
            switch request.selection.kind {
            case .one(let id): return try await copy.copyOne(id)
            case .named:
                if let id = ManifestID(request.source) { return try await copy.copyOne(id) }
                guard let id = try await copy.from.soleImage() else { throw noImageNamed(request.source) }
                return try await copy.copyOne(id, isChosen: true)
            case .many(let filter): return try await copy.copyMany(filter)
            }
        } catch is Drained {
            // The run was interrupted before anything was planned.
            return request.destinations.map { destination in
                .cancelled(
                    source: request.source,
                    destination: destination.reference.repository(for: request.source),
                    left: nil
                )
            }
        }
    }

    /// Gives an image more tags in its own repository, with one read and one `PutImage` for each new tag.
    ///
    /// - Throws: ``CopyError`` if the source can't be read.
    public func retag(
        _ source: ImageReference,
        _ side: SideOptions = SideOptions(),
        to tags: [Tag],
        _ options: CopyOptions
    ) async throws -> [CopyResult] {
        let place = DestinationReference(registry: source.registry, repository: source.repository, tag: nil)
        guard let id = ManifestID(source) else { throw noImageNamed(source) }
        let destination = CopyDestination(place, side)
        return try await copy(CopyRequest(source, from: side, .one(id), to: [destination], tags: tags, options))
    }

    /// The ARN of the identity that writes to a destination; `nil` if it is unknown.
    public func caller(at destination: CopyDestination) async -> String? {
        // The ARN is only for the record, so neither a failure nor an interruption is an error here.
        let found = try? await drain.abandoning {
            await SideLabel.with(SideLabel.metadata(.destination)) {
                await opener.caller(at: destination.reference.registry, destination.options)
            }
        }
        return found ?? nil
    }

    // MARK: Opening

    private func open(_ request: CopyRequest) async throws -> RepositoryCopy {
        let from = try await opener.open(request.source, side: .source, request.sourceOptions)
        let destinations = try await request.destinations.mapConcurrently(limit: Self.parallelOpenings) {
            await open($0, request, from)
        }
        return RepositoryCopy(
            run: self,
            // The reference is resolved now, so a bare REPO has a registry.
            source: from.reference.tagged(request.source.tag, digest: request.source.digest),
            reader: SourceReader(from),
            options: request.options,
            destinations: merged(destinations),
            sourceOptions: request.sourceOptions
        )
    }

    /// The most destinations to open at once.
    private static let parallelOpenings = 8

    /// Merges destinations that are the same repository, however they were written, and keeps all tags that were asked
    /// for.
    private func merged(_ destinations: [Destination]) -> [Destination] {
        var indexes: [String: Int] = [:]
        var kept: [Destination] = []
        for destination in destinations {
            guard let index = indexes[destination.place] else {
                indexes[destination.place] = kept.count
                kept.append(destination)
                continue
            }
            let isSame =
                Set(kept[index].tags) == Set(destination.tags)
                && kept[index].keepsSourceTag == destination.keepsSourceTag
            if isSame {
                kept[index].note = "\(kept[index].reference) was named more than once and counts as one destination"
            }
            kept[index].tags = (kept[index].tags + destination.tags).unique()
            kept[index].keepsSourceTag = kept[index].keepsSourceTag || destination.keepsSourceTag
        }
        return kept
    }

    private func open(
        _ destination: CopyDestination,
        _ request: CopyRequest,
        _ from: any ImageRepository
    ) async -> Destination {
        let reference = destination.reference
        let tags = ([reference.tag].compactMap { $0 } + request.tags).unique()
        do {
            guard reference.repository != nil || !request.source.registry.isLayout else {
                throw CopyError(
                    .unsupported(.destinationWithoutRepository),
                    side: .destination,
                    subject: CopyError.Subject(reference),
                    operation: "opening the registry"
                )
            }
            let repository = try await opener.open(
                reference.repository(for: request.source),
                side: .destination,
                destination.options
            )
            let isSource =
                repository.placeKey == from.placeKey && request.sourceOptions.identity == destination.options.identity
            return Destination(
                reference: reference,
                place: "\(repository.placeKey) \(destination.options.hashValue)",
                tags: tags,
                state: .success(
                    DestinationState(
                        repository,
                        isSource: isSource,
                        repairs: request.options.repairs,
                        kmsKeys: destination.kmsKeys,
                        // A repair checks for itself, whatever the run has learned before.
                        blobs: request.options.repairs ? BlobIndex() : mover.index
                    )
                )
            )
        } catch {
            return Destination(reference: reference, place: "\(reference)", tags: tags, state: .failure(error))
        }
    }

    private func noImageNamed(_ source: ImageReference) -> CopyError {
        CopyError(
            .unsupported(.referenceWithoutImage),
            side: .source,
            image: source,
            operation: "reading the image"
        )
    }
}

/// One destination repository of a run.
struct Destination: Sendable {
    /// The reference as the user wrote it.
    var reference: DestinationReference
    /// Equal for two references to one repository that use the same identity.
    var place: String
    /// The tags that were asked for.
    var tags: [Tag]
    /// Whether the image keeps the tag that it has at the source.
    var keepsSourceTag: Bool
    /// What is known about the repository, or why it can't be used.
    var state: Result<DestinationState, any Error>
    /// A note to show with the plan.
    var note: String?

    init(reference: DestinationReference, place: String, tags: [Tag], state: Result<DestinationState, any Error>) {
        (self.reference, self.place, self.tags, self.state) = (reference, place, tags, state)
        keepsSourceTag = tags.isEmpty
    }

    /// The tags to set here for an image, given its tag at the source.
    func wanted(for tag: Tag?) -> [Tag] { ((keepsSourceTag ? [tag].compactMap { $0 } : []) + tags).unique() }
}
