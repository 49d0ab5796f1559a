internal import Content
internal import Platform
internal import Wire

/// Copies many images of one repository, without a barrier between them.
extension RepositoryCopy {
    /// The most images whose manifests are read at once; large real manifests have about ten kilobytes.
    ///
    /// The images that are being copied are held in addition.
    static let imagesAtOnce = 200
    /// The most images that wait to be copied before more are read.
    private static let mostWaiting = imagesAtOnce / 2

    /// Copies every image that has tags matching the filter, each with those tags.
    func copyMany(_ filter: TagFilter) async throws -> [CopyResult] {
        let listing = try await run.drain.abandoning { try await from.list() }
        let listed = ListedSource(listing.images)
        let digestTags = listed.digestTags
        var chosen: [ListedImage]
        do {
            chosen = try filter.select(from: listing.images)
        } catch {
            throw failure(.unsupported(.newestWithoutPushTimes))
        }
        if let notice = Self.notice(of: listing.images, in: from.reference) { run.report(.notice(notice)) }
        let unclear = unclear(chosen)
        chosen = chosen.filter { !$0.tags.isEmpty }
        let unusable = listing.unusableTags.filter { filter.passes($0.name) }
        var results = unclear + notTags(unusable) + (try await copy(chosen, filter, digestTags))
        // If only some platforms or some tags are copied, the rest is left out on purpose.
        if filter.takesAll, options.referrers == .all, options.platforms.isEmpty {
            results += try await copy(filter.select(digestTags: listed.followingNothing), filter, digestTags)
        }
        if results.isEmpty { run.report(.nothingSelected(from: source, tags: listing.tagCount)) }
        return results
    }

    /// The number of tags from which listing a destination takes fewer requests than asking for each tag.
    private static let manyTags = 100

    private func copy(
        _ chosen: [ListedImage],
        _ filter: TagFilter,
        _ digestTags: DigestTagIndex
    ) async throws -> [CopyResult] {
        guard !chosen.isEmpty else { return [] }
        let archived = chosen.filter(\.isArchived)
        let images = chosen.filter { !$0.isArchived }
        let tags = chosen.flatMap(\.tags)
        let questions = destinations.map { destination in
            let ids = tags.filter { fits($0, destination) }.map { ManifestID.tag($0) }
            return filter.takesAll || ids.count > Self.manyTags ? Question.everyTag(ids) : .ids(ids)
        }
        let refused = archived.flatMap { image in
            destinations.map { failed(source.tagged(image.tags.first), $0, error(.archived, image)) }
        }
        return try await withAnswers(to: questions) { answers in
            try await withThrowingTaskGroup(of: [CopyResult].self) { group in
                var results = refused
                var silent = Set(destinations.indices)
                for await answer in answers {
                    switch answer {
                    case .failed(let index, let error):
                        silent.remove(index)
                        results.append(failed(source, destinations[index], error))
                    case .ready(let indexes):
                        silent.subtract(indexes)
                        group.addTask { try await copy(images, to: indexes, digestTags) }
                    }
                }
                for try await copied in group { results += copied }
                // A destination that has not answered by now was cancelled.
                return results + silent.sorted().map { failed(source, destinations[$0], CancellationError()) }
            }
        }
    }

    /// Copies some images to the destinations with these indexes, and reads only those that differ there.
    private func copy(
        _ images: [ListedImage],
        to indexes: [Int],
        _ digestTags: DigestTagIndex
    ) async throws -> [CopyResult] {
        var results: [CopyResult] = []
        var differing: [ListedImage] = []
        for image in images {
            if let unchanged = await unchanged(image, at: indexes) {
                results += unchanged
            } else {
                differing.append(image)
            }
        }
        return results + (await copyDiffering(differing, to: indexes, digestTags))
    }

    /// - Returns: The results in the order of the images and destinations.
    private func copyDiffering(
        _ images: [ListedImage],
        to indexes: [Int],
        _ digestTags: DigestTagIndex
    ) async -> [CopyResult] {
        let wanted = images.map { image in
            let tags = indexes.map { index in (index, image.tags.filter { fits($0, destinations[index]) }) }
            return ImageToCopy(image, tags: Dictionary(uniqueKeysWithValues: tags.filter { !$0.1.isEmpty }))
        }
        let copied = Lock<[ListedImage: [Int: CopyResult]]>([:])
        await copy(wanted.filter { !$0.tags.isEmpty }.chunked(Self.imagesAtOnce), digestTags) { image, results, _ in
            copied.withLock { $0[image.image] = results }
        }
        return images.flatMap { image in
            unfit(image.tags, at: indexes)
                + copied.withLock { copied in indexes.compactMap { copied[image]?[$0] } }
        }
    }

    /// The results for an image that all of these destinations already hold under all of its tags.
    ///
    /// `nil` if a destination may differ, or if more than the tags matters.
    private func unchanged(_ image: ListedImage, at indexes: [Int]) async -> [CopyResult]? {
        guard options.referrers == .none, options.platforms.isEmpty, !options.isDryRun, let mediaType = image.mediaType
        else { return nil }
        var results: [CopyResult] = []
        for index in indexes {
            guard let state = state(index), !state.checksContent else { return nil }
            for tag in image.tags {
                guard fits(tag, destinations[index]), await state.holds(tag) == image.digest else { return nil }
            }
            let receipt = CopyReceipt(
                source: source.tagged(image.tags.first, digest: image.digest),
                destination: state.repository.reference,
                digest: image.digest,
                mediaType: mediaType,
                tags: image.tags.map { .init(tag: $0, outcome: .unchanged) }
            )
            run.report(.finished(receipt))
            results.append(.done(receipt))
        }
        return results
    }

    /// A failure at each destination for every name that the source lists but that can't be copied.
    private func notTags(_ unusable: [ImageSelection.UnusableTag]) -> [CopyResult] {
        unusable.flatMap { tag in
            let name = CopyError.Subject.name(tag.name, in: source.bare)
            let error = CopyError(tag.reason, side: .source, subject: name, operation: "reading the image")
            return destinations.map { failed(source, $0, error) }
        }
    }

    /// A failure at each destination for every image that shares its tag with another image of the layout.
    private func unclear(_ chosen: [ListedImage]) -> [CopyResult] {
        let ambiguous = chosen.filter { !$0.sharedTags.isEmpty }
        return ambiguous.flatMap { image in
            let error = error(Self.reason(image, among: ambiguous, in: from.reference), image)
            let named = source.tagged(image.sharedTags.first, digest: image.digest)
            return destinations.map { failed(named, $0, error) }
        }
    }

    /// A notice about the images of a layout that have no tag, and so are not copied.
    private static func notice(of listed: [ListedImage], in layout: ImageReference) -> String? {
        let untagged = listed.filter { $0.tags.isEmpty && $0.sharedTags.isEmpty && $0.subject == nil }
        guard layout.registry.isLayout, !untagged.isEmpty else { return nil }
        let few = untagged.prefix(mostNamed).map { image in
            "\(image.digest)"
                + (image.names.isEmpty
                    ? "" : " (\(image.names.map { quotable($0, upTo: 200) }.joined(separator: ", ")))")
        }
        let more = untagged.count > mostNamed ? ", and \(untagged.count - mostNamed) more" : ""
        return
            "not copied, because they have no tag: \(few.joined(separator: ", "))\(more); copy one as \(layout)@DIGEST"
    }

    /// The most images without a tag that a notice names.
    private static let mostNamed = 20

    private static func reason(
        _ image: ListedImage,
        among others: [ListedImage],
        in layout: ImageReference
    ) -> CopyError.Reason {
        let tag = image.sharedTags.first
        let choices = others.filter { other in tag.map { other.sharedTags.contains($0) } ?? false }.map { other in
            LayoutNames.Choice(
                entry: Descriptor(mediaType: other.mediaType ?? .ociManifest, digest: other.digest, size: 0),
                names: (other.sharedTags.map(\.value) + other.names).unique()
            )
        }
        let ambiguity = LayoutNames.Ambiguity(name: tag?.value ?? "", choices: choices)
        return .unsupported(.sharedTag(LayoutReader.cause(ambiguity), example: "\(layout)@\(image.digest)"))
    }

    /// One image, with its manifest or the error of reading it.
    private struct Found: Sendable {
        var image: ImageToCopy
        var reading: Result<Manifest, any Error>
        /// The reader of the chunk that the image was read with; its memory is freed with the last image of the chunk.
        var reader: SourceReader
    }

    private enum Step: Sendable {
        case read([Found])
        case copied
    }

    /// Copies some images concurrently, and reads the next ones in time.
    ///
    /// - Parameter each: Called with the results of an image, by destination, as soon as it is finished.
    func copy(
        _ pieces: [[ImageToCopy]],
        _ digestTags: DigestTagIndex?,
        _ referrers: ReferrerIndex? = nil,
        each: @escaping @Sendable (ImageToCopy, [Int: CopyResult], ImageEffort) async -> Void
    ) async {
        await withTaskGroup(of: Step.self) { group in
            var unread = pieces[...]
            var isReading = false
            var waiting: ArraySlice<Found> = []
            var running = 0
            while true {
                while running < CopyRun.parallelImages, let found = waiting.popFirst() {
                    running += 1
                    group.addTask {
                        let (tally, started) = (RequestTally(), ContinuousClock.now)
                        let results = await RequestTally.$current.withValue(tally) {
                            await with(found.reader, found.image.options).copy(found)
                        }
                        await each(found.image, results, ImageEffort(tally.count, ContinuousClock.now - started))
                        return .copied
                    }
                }
                if !isReading, waiting.count <= Self.mostWaiting, let piece = unread.popFirst() {
                    isReading = true
                    group.addTask { .read(await reading(piece, digestTags, referrers)) }
                }
                switch await group.next() {
                case .read(let found):
                    isReading = false
                    waiting += found
                case .copied: running -= 1
                case nil: return
                }
            }
        }
    }

    private func with(_ reader: SourceReader, _ own: CopyOptions?) -> RepositoryCopy {
        RepositoryCopy(run: run, source: source, reader: reader, options: own ?? options, destinations: destinations)
    }

    /// Reads the manifests of some images; a failed read is a failure of these images only.
    private func reading(
        _ images: [ImageToCopy],
        _ digestTags: DigestTagIndex?,
        _ referrers: ReferrerIndex?
    ) async -> [Found] {
        let reader = SourceReader(from, digestTags: digestTags, referrers: referrers)
        do {
            let reading = try await run.drain.abandoning {
                try await from.read(
                    manifests: images.map(\.id),
                    digests: images.flatMap { $0.heldBy.dropFirst().map { .tag($0) } }
                )
            }
            let found = images.map { image in
                let manifest = reading.manifests[image.id].map { Result<Manifest, any Error>.success($0) }
                let missing = Result<Manifest, any Error>.failure(
                    self.error(reading.failures[image.id] ?? .imageMissing, image.image)
                )
                let isHeld = image.heldBy.dropFirst().allSatisfy { reading.digests[.tag($0)] == image.image.digest }
                let moved = isHeld ? nil : Result<Manifest, any Error>.failure(error(.tagMismatch, image.image))
                return Found(image: image, reading: moved ?? manifest ?? missing, reader: reader)
            }
            await prefetch(found, reader, digestTags, referrers)
            return found
        } catch {
            return images.map { Found(image: $0, reading: .failure(error), reader: reader) }
        }
    }

    /// Asks about the images of a piece together; an error shows up again when the image that it is about is planned.
    private func prefetch(
        _ found: [Found],
        _ reader: SourceReader,
        _ digestTags: DigestTagIndex?,
        _ referrers: ReferrerIndex?
    ) async {
        let upcoming = found.compactMap { found in
            (try? found.reading.get()).map {
                ImagePrefetch.Upcoming(root: $0, options: found.image.options ?? options, tags: found.image.tags)
            }
        }
        let states = destinations.indices.compactMap { index in state(index).map { (index, $0) } }
        try? await run.drain.abandoning {
            var prefetch = ImagePrefetch(run: run, reader: reader, digestTags: digestTags, referrers: referrers)
            try await prefetch.ask(about: upcoming, at: Dictionary(uniqueKeysWithValues: states))
        }
    }

    private func copy(_ found: Found) async -> [Int: CopyResult] {
        let image = found.image.image
        let indexes = found.image.tags.keys.sorted()
        do {
            let root = try found.reading.get()
            let id = image.tags.first.map { ManifestID.both($0, image.digest) } ?? .digest(image.digest)
            let narrowed = try await run.drain.abandoning { try await self.narrowed(root, id) }
            return try await copy(narrowed, to: indexes) { found.image.tags[$0] ?? [] }
        } catch {
            let named = source.tagged(image.tags.first)
            return Dictionary(uniqueKeysWithValues: indexes.map { ($0, failed(named, destinations[$0], error)) })
        }
    }
}

extension ImageToCopy {
    /// The name by which the manifest is read, with the first of the tags that must hold it.
    fileprivate var id: ManifestID {
        heldBy.first.map { .both($0, image.digest) } ?? .digest(image.digest)
    }
}
