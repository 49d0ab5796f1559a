internal import Content
internal import Replicate

/// What is left over in one destination repository, so that it may be deleted.
///
/// A value without I/O: every rule about what must stay is here.
struct PruneSelection: Sendable {
    /// An image that loses tags, or is deleted.
    struct Leftover: Sendable, Hashable {
        var digest: Digest
        var mediaType: MediaType?
        /// The tags to delete; with none, the image is deleted by its digest.
        var tags: [Tag]
        /// Whether the image is deleted, not only some of its tags.
        var isWhole: Bool
        /// Whether it belongs to a leftover image, as its child or as its referrer, so that `maxDelete` doesn't count it.
        var belongsToAnother: Bool
        /// Leftovers of a lower level are deleted first: an index before its children, a referrer before its subject.
        var level = 0
        /// The leftovers that need this image: the indexes that name it, and its referrers. While one of them is there,
        /// the image must stay.
        var neededBy: [Digest] = []

        /// What the deletion names: tags where there are some, so that an image that got another tag meanwhile stays.
        var ids: [ManifestID] { tags.isEmpty ? [.digest(digest)] : tags.map { .tag($0) } }
    }

    private(set) var leftovers: [Leftover] = []
    /// Tags that no rule selects, and that stay because something needs their image and it has no other tag.
    private(set) var staying: [Tag] = []
    /// Indexes whose children are not known, because they can't be read; then no image is deleted.
    private(set) var unread: [ListedImage] = []

    /// The number of deletions that `maxDelete` limits: tags, and images without a tag that belong to no other leftover.
    var count: Int {
        leftovers.filter { !$0.belongsToAnother }.reduce(0) { $0 + max(1, $1.tags.count) }
    }

    /// - Parameters:
    ///   - images: Every image of the repository.
    ///   - tags: The tags that rules select there.
    ///   - digests: The images that rules select, or that a planned copy needs.
    ///   - children: What each index names.
    init(_ images: [ListedImage], keeping tags: Set<Tag>, _ digests: Set<Digest>, children: [Digest: [Digest]]) {
        let images = images.merged()
        let graph = PruneGraph(images, children)
        let needed = graph.needed(
            by: images.filter { image in
                image.isArchived || digests.contains(image.digest) || image.tags.contains(where: tags.contains)
            }
        )
        for image in images {
            let stays = image.tags.filter { tag in
                tags.contains(tag) || (tag.digestTagSubject.map(needed.contains) ?? false)
            }
            let goes = image.tags.filter { !stays.contains($0) }.sorted()
            if needed.contains(image.digest) {
                guard !goes.isEmpty else { continue }
                // ECR deletes an image with its last tag.
                guard !stays.isEmpty else {
                    staying += goes
                    continue
                }
                leftovers.append(
                    Leftover(
                        digest: image.digest,
                        mediaType: image.mediaType,
                        tags: goes,
                        isWhole: false,
                        belongsToAnother: goes.allSatisfy { $0.digestTagSubject.map(graph.holds) ?? false }
                    )
                )
            } else {
                leftovers.append(
                    Leftover(
                        digest: image.digest,
                        mediaType: image.mediaType,
                        tags: goes,
                        isWhole: true,
                        belongsToAnother: graph.belongsToAnother(image)
                    )
                )
            }
        }
        staying.sort()
        // Images that belong to each other alone are counted, so that `maxDelete` limits them.
        let counted = leftovers.filter { $0.isWhole && !$0.belongsToAnother }.map(\.digest)
        let following = graph.following(counted)
        for index in leftovers.indices where leftovers[index].isWhole {
            if !following.contains(leftovers[index].digest) { leftovers[index].belongsToAnother = false }
        }
        let digests = Set(leftovers.map(\.digest))
        let order = graph.levels(of: digests)
        for index in leftovers.indices {
            leftovers[index].level = order[leftovers[index].digest] ?? 0
            leftovers[index].neededBy = graph.before(leftovers[index].digest, among: digests)
        }
        leftovers.sort { ($0.level, $0.sortKey) < ($1.level, $1.sortKey) }
    }

    /// Selects from a whole repository.
    ///
    /// - Parameter children: What each index names that could be read. If one could not be read, any image may be its
    ///   child, so that tags are left over, but no image.
    init(_ images: [ListedImage], keeping kept: PruneKept, reading children: [Digest: [Digest]]) {
        let unread = images.merged().filter { ($0.mediaType?.isIndex ?? true) && children[$0.digest] == nil }
        self.init(
            images,
            keeping: kept.tags,
            unread.isEmpty ? kept.digests : kept.digests.union(images.map(\.digest)),
            children: children
        )
        self.unread = unread
        if !unread.isEmpty { staying = [] }
    }

    /// Keeps what a later listing confirms: tags that still hold the same image, and images that still have no tag.
    ///
    /// What only the later listing has is not in the result.
    func confirmed(by later: PruneSelection) -> PruneSelection {
        var confirmed = self
        confirmed.unread = later.unread
        let fresh = Dictionary(uniqueKeysWithValues: later.leftovers.map { ($0.digest, $0) })
        confirmed.leftovers = leftovers.compactMap { leftover in
            guard let again = fresh[leftover.digest] else { return nil }
            var kept = again
            if leftover.tags.isEmpty {
                // A tag that was set meanwhile keeps the image.
                return again.tags.isEmpty ? again : nil
            }
            kept.tags = leftover.tags.filter(again.tags.contains)
            guard !kept.tags.isEmpty else { return nil }
            kept.isWhole = again.isWhole && kept.tags.count == again.tags.count
            return kept
        }
        // What an image needs that is not deleted now stays with it. Images come after those that need them.
        var going: Set<Digest> = []
        confirmed.leftovers.sort { ($0.level, $0.sortKey) < ($1.level, $1.sortKey) }
        confirmed.leftovers.removeAll { leftover in
            guard leftover.isWhole else { return false }
            let isNeeded = leftover.neededBy.contains { (fresh[$0]?.isWhole ?? false) && !going.contains($0) }
            if !isNeeded { going.insert(leftover.digest) }
            return isNeeded
        }
        return confirmed
    }

    /// By tags alone, where nothing is known about indexes.
    var tagsOnly: PruneSelection {
        var selection = self
        selection.leftovers.removeAll { $0.tags.isEmpty }
        return selection
    }
}

extension PruneSelection.Leftover {
    fileprivate var sortKey: String { (tags.first?.value ?? "~") + " " + digest.hex }
}
