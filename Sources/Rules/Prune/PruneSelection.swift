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

        /// What the deletion names: tags where there are some, so that an image that got another tag meanwhile stays.
        var ids: [ManifestID] { tags.isEmpty ? [.digest(digest)] : tags.map { .tag($0) } }
    }

    private(set) var leftovers: [Leftover] = []
    /// Tags that no rule selects, and that stay because something needs their image and it has no other tag.
    private(set) var staying: [Tag] = []

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
        // An image that is pushed while it is listed may be on two pages.
        var seen: Set<Digest> = []
        let images = images.filter { seen.insert($0.digest).inserted }
        let graph = Graph(images, children)
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
                        belongsToAnother: goes.allSatisfy { $0.digestTagSubject != nil }
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
        let order = graph.levels(of: Set(leftovers.map(\.digest)))
        for index in leftovers.indices { leftovers[index].level = order[leftovers[index].digest] ?? 0 }
        leftovers.sort { ($0.level, $0.sortKey) < ($1.level, $1.sortKey) }
    }

    /// Keeps what a later listing confirms: tags that still hold the same image, and images that still have no tag.
    ///
    /// What only the later listing has is not in the result.
    func confirmed(by later: PruneSelection) -> PruneSelection {
        var confirmed = self
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

/// What the images of a repository need of each other.
private struct Graph {
    private let images: [Digest: ListedImage]
    private let children: [Digest: [Digest]]
    /// The manifests whose subject is an image, or whose digest tag names it.
    private var referrers: [Digest: [Digest]] = [:]
    private var parents: [Digest: [Digest]] = [:]

    init(_ listed: [ListedImage], _ children: [Digest: [Digest]]) {
        images = Dictionary(uniqueKeysWithValues: listed.map { ($0.digest, $0) })
        self.children = children
        for image in listed {
            let subjects = [image.subject].compactMap { $0 } + image.tags.compactMap(\.digestTagSubject)
            for subject in Set(subjects) where subject != image.digest {
                referrers[subject, default: []].append(image.digest)
            }
        }
        for (parent, all) in children {
            for child in all { parents[child, default: []].append(parent) }
        }
    }

    /// These images and all that they need: children, referrers, and the subject of a referrer that stays.
    func needed(by roots: [ListedImage]) -> Set<Digest> {
        var needed = Set(roots.map(\.digest))
        var waiting = roots.map(\.digest)
        while let next = waiting.popLast() {
            let more = (children[next] ?? []) + (referrers[next] ?? []) + [images[next]?.subject].compactMap { $0 }
            for digest in more where needed.insert(digest).inserted { waiting.append(digest) }
        }
        return needed
    }

    /// Whether an image came with another that is here: as the child of an index, or as a referrer.
    func belongsToAnother(_ image: ListedImage) -> Bool {
        let isPart = parents[image.digest]?.contains { images[$0] != nil } ?? false
        let subjects = [image.subject].compactMap { $0 } + image.tags.compactMap(\.digestTagSubject)
        let isReferrer = subjects.contains { $0 != image.digest && images[$0] != nil }
        guard !image.tags.isEmpty else { return isPart || isReferrer }
        return isReferrer && image.tags.allSatisfy { $0.digestTagSubject != nil }
    }

    /// The order in which images must go: the number of steps after those that need them.
    func levels(of digests: Set<Digest>) -> [Digest: Int] {
        var levels: [Digest: Int] = [:]
        // What goes before an image: the indexes that name it, and its referrers.
        func before(_ digest: Digest) -> [Digest] {
            ((parents[digest] ?? []) + (referrers[digest] ?? [])).filter { digests.contains($0) && $0 != digest }
        }
        for start in digests where levels[start] == nil {
            var path: Set<Digest> = []
            var stack: [(digest: Digest, isDone: Bool)] = [(start, false)]
            while let (digest, isDone) = stack.popLast() {
                if isDone {
                    path.remove(digest)
                    levels[digest] = (before(digest).compactMap { levels[$0] }.max() ?? -1) + 1
                    continue
                }
                // A digest tag may name its own ancestor, so that there is a circle.
                guard levels[digest] == nil, path.insert(digest).inserted else { continue }
                stack.append((digest, true))
                for earlier in before(digest) where levels[earlier] == nil && !path.contains(earlier) {
                    stack.append((earlier, false))
                }
            }
        }
        return levels
    }
}
