internal import Content

/// Uploads of one blob to several destinations take one place among those that are limited: they read together.
actor SharedPlaces {
    private var inside: [Digest: Int] = [:]
    /// Who waits for the first to get in.
    private var waiting: [Digest: [CheckedContinuation<Void, Never>]] = [:]

    /// Waits until an upload of the blob is in, or nobody else is about to get in.
    ///
    /// - Returns: Whether the caller is in, and has to ``leave(_:)``. If not, it is the first: it gets in by itself and
    ///   says ``admitted(_:)``, or says ``turnedAway(_:)``.
    /// - Throws: `CancellationError`
    func enter(_ digest: Digest) async throws -> Bool {
        while true {
            try Task.checkCancellation()
            if let count = inside[digest] {
                inside[digest] = count + 1
                return true
            }
            guard waiting[digest] != nil else {
                waiting[digest] = []
                return false
            }
            await withCheckedContinuation { waiting[digest]?.append($0) }
        }
    }

    /// The first is in, and has to ``leave(_:)``.
    func admitted(_ digest: Digest) {
        inside[digest] = 1
        turnedAway(digest)
    }

    func turnedAway(_ digest: Digest) {
        for continuation in waiting.removeValue(forKey: digest) ?? [] { continuation.resume() }
    }

    func leave(_ digest: Digest) {
        let left = (inside[digest] ?? 1) - 1
        inside[digest] = left > 0 ? left : nil
    }
}
