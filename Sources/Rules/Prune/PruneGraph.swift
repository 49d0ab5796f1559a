internal import Content
internal import Replicate

/// What the images of a repository need of each other.
struct PruneGraph: Sendable {
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

    func holds(_ digest: Digest) -> Bool { images[digest] != nil }

    /// These images and what goes with them: their children and their referrers, and what goes with those.
    func following(_ digests: [Digest]) -> Set<Digest> {
        var following = Set(digests)
        var waiting = digests
        while let next = waiting.popLast() {
            for digest in (children[next] ?? []) + (referrers[next] ?? []) where following.insert(digest).inserted {
                waiting.append(digest)
            }
        }
        return following
    }

    /// What goes before an image: the indexes that name it, and its referrers.
    func before(_ digest: Digest, among digests: Set<Digest>) -> [Digest] {
        ((parents[digest] ?? []) + (referrers[digest] ?? [])).filter { digests.contains($0) && $0 != digest }
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
        for start in digests where levels[start] == nil {
            var path: Set<Digest> = []
            var stack: [(digest: Digest, isDone: Bool)] = [(start, false)]
            while let (digest, isDone) = stack.popLast() {
                if isDone {
                    path.remove(digest)
                    levels[digest] = (before(digest, among: digests).compactMap { levels[$0] }.max() ?? -1) + 1
                    continue
                }
                // A digest tag may name its own ancestor, so that there is a circle.
                guard levels[digest] == nil, path.insert(digest).inserted else { continue }
                stack.append((digest, true))
                for earlier in before(digest, among: digests) where levels[earlier] == nil && !path.contains(earlier) {
                    stack.append((earlier, false))
                }
            }
        }
        return levels
    }
}
