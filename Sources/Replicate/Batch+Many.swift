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
        let chosen: [ListedImage]
        do {
            chosen = try filter.select(from: try await replicator.drain.abandoning { try await from.list() })
        } catch is TagFilter.Unordered {
            throw failure(TagFilter.Unordered.reason)
        }
        guard !chosen.isEmpty else { return [] }
        let archived = chosen.filter(\.isArchived)

        let tags = chosen.flatMap(\.tags).map { ManifestID.tag($0) }
        let pieces = chosen.filter { !$0.isArchived }.chunked(Self.imagesAtOnce)
        let (values, failures) = try await asTheyAnswer(targets.map { _ in tags }, asksSource: true) {
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
        Batch(replicator: replicator, source: source, reader: reader, options: options, targets: targets)
    }

    /// A reading that fails is a failure of the images it was about, not of those that are done.
    private func reading(_ images: [ListedImage]) async -> [Found] {
        guard !images.isEmpty else { return [] }
        let reader = SourceReader(from)
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
            wish.tags = image.tags
            let work = await plan(wish, at: open)
            announce(work)
            return try await work.mapConcurrently(limit: work.count) { await finish($0) }
        } catch {
            return open.map { failed(source.tagged(image.tags.first), targets[$0].reference, error) }
        }
    }
}
