internal import Content

/// Many images of one repository, without a barrier between them.
extension Batch {
    /// Images whose manifests are read at once, of which the largest real ones have some ten kilobytes.
    ///
    /// Besides these, those are held that are being copied.
    static let imagesAtOnce = 200
    /// So many may wait to be copied before the next are read.
    private static let mostWaiting = imagesAtOnce / 2

    /// Every image whose tags pass, each with those tags.
    func copyMany(_ filter: TagFilter) async throws -> [CopyResult] {
        let listing = try await replicator.drain.abandoning { try await from.list() }
        let listed = ListedSource(listing.images)
        var batch = self
        batch.listed = listed
        var chosen: [ListedImage]
        do {
            chosen = try filter.select(from: listing.images)
        } catch {
            throw failure(TagFilter.Unordered.reason)
        }
        if let notice = Self.notice(of: listing.images, in: from.reference) { replicator.report(.notice(notice)) }
        let unclear = unclear(chosen)
        chosen = chosen.filter { !$0.tags.isEmpty }
        let unusable = listing.unusableTags.filter { filter.passes($0.name) }
        var results = unclear + notTags(unusable) + (try await batch.copy(chosen))
        // With part of an index, or part of the tags, the rest is left on purpose.
        if filter.takesAll, options.referrers == .all, options.platforms.isEmpty {
            results += try await batch.copy(filter.select(digestTags: listed.followingNothing))
        }
        if results.isEmpty { replicator.report(.nothingSelected(from: source, tags: listing.tagCount)) }
        return results
    }

    private func copy(_ chosen: [ListedImage]) async throws -> [CopyResult] {
        guard !chosen.isEmpty else { return [] }
        let archived = chosen.filter(\.isArchived)

        let tags = chosen.flatMap(\.tags)
        let wanted = targets.map { target in tags.filter { fits($0, target) }.map { ManifestID.tag($0) } }
        let pieces = chosen.filter { !$0.isArchived }.chunked(Self.imagesAtOnce)
        let (values, failures) = try await asTheyAnswer(wanted, asksSource: true) {
            (await reading(pieces.first ?? []), [:])
        } _: { first, open in
            try await copy(pieces, first, at: open)
        }
        let refused = archived.flatMap { image in
            targets.map { failed(source.tagged(image.tags.first), $0.reference, error(.archived, image)) }
        }
        let useless = failures.sorted { $0.key < $1.key }.map { failed(source, targets[$0.key].reference, $0.value) }
        return refused + useless + values.joined()
    }

    /// A failure at each destination for every name that the source lists and that can't be copied.
    private func notTags(_ unusable: [UnusableTag]) -> [CopyResult] {
        unusable.flatMap { tag in
            let name = "\(source.bare):\(quotable(tag.name))"
            let error = CopyError(tag.reason, side: .source, image: name, operation: "reading the image")
            return targets.map { failed(source, $0.reference, error, as: name) }
        }
    }

    /// A failure at each destination for every image whose tag another image of the layout has too.
    private func unclear(_ chosen: [ListedImage]) -> [CopyResult] {
        let ambiguous = chosen.filter { !$0.sharedTags.isEmpty }
        return ambiguous.flatMap { image in
            let error = error(Self.reason(image, among: ambiguous, in: from.reference), image)
            let named = source.tagged(image.sharedTags.first, digest: image.digest)
            return targets.map { failed(named, $0.reference, error) }
        }
    }

    /// Images of a layout that have no tag, and so are not among those that are copied.
    private static func notice(of listed: [ListedImage], in layout: ImageReference) -> String? {
        let untagged = listed.filter { $0.tags.isEmpty && $0.sharedTags.isEmpty && $0.subject == nil }
        guard layout.registry.isLayout, !untagged.isEmpty else { return nil }
        let few = untagged.prefix(mostNamed).map { image in
            "\(image.digest)"
                + (image.names.isEmpty
                    ? "" : " (\(image.names.map { quotable($0, upTo: 200) }.joined(separator: ", ")))")
        }
        let more = untagged.count > mostNamed ? ", and \(untagged.count - mostNamed) more" : ""
        return "passed over, for want of a tag: \(few.joined(separator: ", "))\(more); copy one as \(layout)@DIGEST"
    }

    /// Images without a tag that a notice names.
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
        return .unsupported(
            LayoutReader.cause(ambiguity),
            remedy: "copy each by its digest, as in \(layout)@\(image.digest), with a tag of its own"
        )
    }

    /// One image whose manifest was read, or wasn't.
    private struct Found: Sendable {
        var image: ListedImage
        var reading: Result<Manifest, any Error>
        /// For the piece that it was read with, so that what was read is let go with the last of them.
        var reader: SourceReader
    }

    private enum Step: Sendable {
        case read([Found])
        case copied(Int, [CopyResult])
    }

    /// Copies some images side by side and reads the next ones in time.
    private func copy(_ pieces: [[ListedImage]], _ first: [Found], at open: [Int]) async throws -> [CopyResult] {
        try await withThrowingTaskGroup(of: Step.self) { group in
            var results: [[CopyResult]] = []
            var unread = pieces.dropFirst()
            var isReading = false
            var waiting = first[...]
            var running = 0
            while true {
                while running < Replicator.parallelImages, let found = waiting.popFirst() {
                    let place = results.count
                    results.append([])
                    running += 1
                    group.addTask { .copied(place, await with(found.reader).copy(found, at: open)) }
                }
                if !isReading, waiting.count <= Self.mostWaiting, let piece = unread.popFirst() {
                    isReading = true
                    group.addTask { .read(await reading(piece)) }
                }
                switch try await group.next() {
                case .read(let found):
                    isReading = false
                    waiting += found
                case .copied(let place, let done):
                    running -= 1
                    results[place] = done
                case nil: return results.flatMap { $0 }
                }
            }
        }
    }

    private func with(_ reader: SourceReader) -> Batch {
        Batch(
            replicator: replicator,
            source: source,
            reader: reader,
            options: options,
            targets: targets,
            listed: listed
        )
    }

    /// A reading that fails is a failure of the images it was about, not of those that are done.
    private func reading(_ images: [ListedImage]) async -> [Found] {
        guard !images.isEmpty else { return [] }
        let reader = SourceReader(from, digestTags: listed?.digestTags)
        do {
            let reading = try await replicator.drain.abandoning {
                try await from.read(images.map { .digest($0.digest) })
            }
            return images.map { image in
                let id = ManifestID.digest(image.digest)
                let manifest = reading.manifests[id].map { Result<Manifest, any Error>.success($0) }
                let missing = Result<Manifest, any Error>.failure(
                    self.error(reading.failures[id] ?? .imageMissing, image)
                )
                return Found(image: image, reading: manifest ?? missing, reader: reader)
            }
        } catch {
            return images.map { Found(image: $0, reading: .failure(error), reader: reader) }
        }
    }

    private func copy(_ found: Found, at open: [Int]) async -> [CopyResult] {
        let image = found.image
        do {
            let root = try found.reading.get()
            let id = image.tags.first.map { ManifestID.both($0, image.digest) } ?? .digest(image.digest)
            var wish = try await replicator.drain.abandoning { try await narrowed(root, id) }
            var work: [Work] = []
            // Planned one after another, so that the source's graph is read once.
            let groups = Dictionary(grouping: open) { index in image.tags.filter { fits($0, targets[index]) } }
            for (tags, indexes) in groups.sorted(by: { $0.value[0] < $1.value[0] }) where !tags.isEmpty {
                wish.tags = tags
                work += await plan(wish, at: indexes)
            }
            announce(work)
            return unfit(image.tags, at: open)
                + (try await work.mapConcurrently(limit: max(1, work.count)) { await finish($0) })
        } catch {
            return open.map { failed(source.tagged(image.tags.first), targets[$0].reference, error) }
        }
    }
}
