internal import Content
internal import Platform

/// Uploads of one blob to several destinations take one place among those that are limited, because they read together.
final class SharedPlaces: Sendable {
    private struct Places: Sendable {
        /// Blobs whose first upload waits for its place.
        var entering: Set<Digest> = []
        /// Uploads that are in, by blob.
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

    /// Waits until an upload of the blob is in, or no other is about to get in.
    ///
    /// - Returns: Whether the caller is in, and must call ``leave(_:)``. If not, it is the first: it takes a place and calls
    ///   ``admitted(_:)``, or calls ``turnedAway(_:)``.
    /// - Throws: `CancellationError`
    func enter(_ digest: Digest) async throws -> Bool {
        let isFirst = Lock(false)
        try await queue.enter(isFirst, line: digest)
        return !isFirst.withLock { $0 }
    }

    /// The first upload of the blob is in, and must call ``leave(_:)``.
    func admitted(_ digest: Digest) {
        queue.change { places in
            places.entering.remove(digest)
            places.inside[digest] = 1
        }
    }

    /// The first upload of the blob did not get in; the next one tries.
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
