internal import Content
internal import Platform

/// Gives all uploads of one blob a single slot of the limited uploads, because they read together.
final class SharedPlaces: Sendable {
    private struct Places: Sendable {
        /// The blobs whose first upload waits for its slot.
        var entering: Set<Digest> = []
        /// The number of uploads that share a slot, by blob.
        var inside: [Digest: Int] = [:]
    }

    private let queue = WaitQueue<Digest, Lock<Bool>, Places>(Places()) { isFirst, digest, places, _ in
        if let count = places.inside[digest] {
            places.inside[digest] = count + 1
            return true
        }
        guard places.entering.insert(digest).inserted else { return false }
        isFirst.withLock { $0 = true }
        return true
    }

    /// Waits until an upload of the blob has a slot, or until no other upload is waiting for one.
    ///
    /// - Returns: Whether the caller shares a slot, and must call ``leave(_:)``. If not, it is the first: it gets a
    ///   slot and calls ``admitted(_:)``, or calls ``turnedAway(_:)``.
    /// - Throws: `CancellationError`
    func enter(_ digest: Digest) async throws -> Bool {
        let isFirst = Lock(false)
        try await queue.enter(isFirst, line: digest)
        return !isFirst.withLock { $0 }
    }

    /// Notes that the first upload of the blob has a slot; it must call ``leave(_:)``.
    func admitted(_ digest: Digest) {
        queue.change { places in
            places.entering.remove(digest)
            places.inside[digest] = 1
        }
    }

    /// Notes that the first upload of the blob got no slot, so that the next one tries.
    func turnedAway(_ digest: Digest) {
        queue.change { places in _ = places.entering.remove(digest) }
    }

    func leave(_ digest: Digest) {
        queue.change { places in
            let left = (places.inside[digest] ?? 1) - 1
            places.inside[digest] = left > 0 ? left : nil
        }
    }
}
