internal import Content
internal import Platform
internal import Wire

/// Carries one blob to one upload in parts: one part goes up while the next come down.
///
/// A value for one upload, from wherever that stands.
///
/// - Source: DESIGN section 5, "very large layers"
struct PartUploader: Sendable {
    /// How it ended, if not with an error.
    enum Ending: Sendable, Equatable {
        case stored
        /// What came from the source is another blob; it was not completed.
        case corrupt(Digest)
        /// The registry has forgotten the upload.
        case gone
        /// The registry has other bytes than those of the digest.
        case refused
    }

    let blob: Descriptor
    let source: RangedSource
    let uploads: any PartUploading
    let upload: PartUpload
    let plan: PartPlan
    let pool: PartPool
    /// Told after each part, where the upload stands now.
    let moved: @Sendable (Int64) -> Void

    /// How often the registry may say that it stands elsewhere, without a part being accepted in between.
    static let mostCorrections = 8

    /// Parts of one upload in memory at a time: one goes up, one comes down.
    ///
    /// The third of the pool is another upload's.
    static let mostHeld = 2

    /// One part, come down and waiting to go up.
    private struct Piece: Sendable {
        var range: Range<Int64>
        var lease: PartPool.Lease
        /// Of this upload's own: gives its place back together with the lease.
        var turn: PartPool.Lease
    }

    private enum Pass { case done, standsAt(Int64), corrupt(Digest), gone }

    /// Brings what is missing from `start` on, and completes the upload.
    ///
    /// From the beginning, the last part waits until the whole has hashed to the digest. From the middle nobody here
    /// has seen the whole; the registry's own check is the verification then.
    ///
    /// - Throws: ``CopyError``, ``RangedSource/NoRanges``, `CancellationError`.
    func run(from start: Int64) async throws -> Ending {
        let hash = start == 0 ? RunningHash() : nil
        var offset = start
        var corrections = 0
        while offset < plan.size {
            switch try await pass(from: offset, hash) {
            case .done: offset = plan.size
            case .standsAt(let place):
                corrections = place == offset || place < offset ? corrections + 1 : 0
                guard corrections <= Self.mostCorrections else { return .gone }
                // What was never hashed must come down again, whatever the registry has of it.
                offset = min(place, await hash?.count ?? place)
                moved(place)
            case .corrupt(let digest): return .corrupt(digest)
            case .gone: return .gone
            }
        }
        return switch try await uploads.complete(upload, as: blob.digest) {
        case .stored: .stored
        case .gone: .gone
        case .refused: .refused
        }
    }

    /// Parts one after the other until the end, or until the registry wants another one than the next.
    private func pass(from offset: Int64, _ hash: RunningHash?) async throws -> Pass {
        let (pieces, feed) = AsyncThrowingStream<Piece, any Error>.makeStream()
        let turns = PartPool(count: Self.mostHeld)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    for range in plan.parts(from: offset) {
                        // The pool is what keeps the source from running ahead.
                        let turn = try await turns.lease(0)
                        let lease = try await pool.lease(plan.partSize)
                        try await source.read(range, into: lease.buffer)
                        await hash?.add(lease.buffer, at: range.lowerBound)
                        feed.yield(Piece(range: range, lease: lease, turn: turn))
                    }
                    feed.finish()
                } catch {
                    feed.finish(throwing: error)
                }
            }
            defer { group.cancelAll() }
            for try await piece in pieces {
                if piece.range.upperBound == plan.size, let received = await hash?.finish(), received != blob.digest {
                    return .corrupt(received)
                }
                switch try await uploads.send(piece.lease.buffer, at: piece.range.lowerBound, to: upload) {
                case .accepted: moved(piece.range.upperBound)
                // Its first answer was lost, or a run that was killed had sent it.
                case .standsAt(let place) where place >= piece.range.upperBound: moved(piece.range.upperBound)
                case .standsAt(let place): return .standsAt(place)
                case .gone: return .gone
                }
            }
            // A stream that a cancelled task waits for ends without an error.
            try Task.checkCancellation()
            return .done
        }
    }
}

/// The hash of a blob that comes in order, even if some of it comes twice.
private actor RunningHash {
    private var hasher: SHA256Hasher? = SHA256Hasher()
    private var digest: Digest?
    /// Bytes from the blob's beginning that are in it.
    private(set) var count: Int64 = 0

    func add(_ buffer: PartBuffer, at offset: Int64) {
        guard offset <= count, hasher != nil else { return }
        let end = offset + Int64(buffer.count)
        guard end > count else { return }
        hasher?.add(buffer, from: Int(count - offset))
        count = end
    }

    func finish() -> Digest? {
        if let digest { return digest }
        digest = hasher.take()?.finishDigest()
        return digest
    }
}

extension SHA256Hasher {
    fileprivate mutating func add(_ buffer: PartBuffer, from start: Int) { buffer.hash(from: start, into: &self) }
}
