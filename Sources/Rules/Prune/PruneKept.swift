internal import Content
internal import Replicate

/// What stays at a destination repository that is pruned.
struct PruneKept: Sendable {
    var tags: Set<Tag> = []
    var digests: Set<Digest> = []

    mutating func formUnion(_ other: PruneKept) {
        tags.formUnion(other.tags)
        digests.formUnion(other.digests)
    }

    /// Keeps what a repository has got between two listings: images, and tags that were set, moved or set again.
    ///
    /// What these images need was perhaps there before, and stays with them.
    mutating func keepArrivals(in later: [ListedImage], since earlier: [ListedImage]) {
        let before = Dictionary(earlier.merged().map { ($0.digest, Set($0.tags)) }) { first, _ in first }
        for image in later {
            guard let known = before[image.digest] else {
                digests.insert(image.digest)
                continue
            }
            tags.formUnion(image.tags.filter { !known.contains($0) })
        }
    }
}

extension [ListedImage] {
    /// One entry for each image: one that is pushed or tagged while it is listed may be on two pages.
    func merged() -> [ListedImage] {
        var places: [Digest: Int] = [:]
        var merged: [ListedImage] = []
        for image in self {
            if let place = places[image.digest] {
                merged[place].tags = (merged[place].tags + image.tags).unique()
            } else {
                places[image.digest] = merged.count
                merged.append(image)
            }
        }
        return merged
    }
}
