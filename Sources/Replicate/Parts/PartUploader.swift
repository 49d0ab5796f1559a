internal import Content
internal import Platform
internal import Wire

/// Carries one blob to one upload in parts: one part goes up while the next come down.
///
/// A value for one upload, from wherever that stands.
///
/// - Source: docs/architecture.md#large-layers
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
    let source: SharedParts
    /// For whoever is dismissed from that.
    let ownSource: @Sendable () -> SharedParts
    let uploads: any PartUploading
    let upload: PartUpload
    let plan: PartPlan
    /// Told after each part, where the upload stands now.
    let moved: @Sendable (Int64) async -> Void

    /// How often the registry may say that it stands elsewhere, without a part being accepted in between.
    static let mostCorrections = 8

    /// One part, come down and waiting to go up.
    private struct Piece: Sendable {
        var range: Range<Int64>
        var part: SharedParts.Part
    }

    private enum Pass { case done, standsAt(Int64), corrupt(Digest), gone, dismissed }

    /// Brings what is missing from `start` on, and completes the upload.
    ///
    /// From the beginning, the last part waits until the whole has hashed to the digest. From the middle nobody here
    /// has seen the whole; the registry's own check is the verification then.
    ///
    /// - Throws: ``CopyError``, ``RangedSource/NoRanges``, `CancellationError`.
    func run(from start: Int64) async throws -> Ending {
        let hash = start == 0 ? RunningHash() : nil
        let accepted = Lock(start)
        var seat = await source.sit(at: start)
        do {
            let ending = try await run(from: start, hash, accepted, &seat)
            await seat.leave()
            return ending
        } catch {
            await seat.leave()
            throw error
        }
    }

    private func run(
        from start: Int64,
        _ hash: RunningHash?,
        _ accepted: Lock<Int64>,
        _ seat: inout SharedParts.Seat
    ) async throws -> Ending {
        var offset = start
        var corrections = 0
        while offset < plan.size {
            switch try await watched(from: offset, hash, accepted, seat) {
            case .done: offset = plan.size
            case .dismissed:
                offset = accepted.withLock { $0 }
                seat = await ownSource().sit(at: offset)
            case .standsAt(let place):
                corrections = place == offset || place < offset ? corrections + 1 : 0
                guard corrections <= Self.mostCorrections else { return .gone }
                // What was never hashed must come down again, whatever the registry has of it.
                offset = min(place, await hash?.count ?? place)
                accepted.withLock { $0 = offset }
                await seat.note(offset)
                await moved(place)
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

    /// A pass, as long as nobody is kept waiting by it.
    private func watched(
        from offset: Int64,
        _ hash: RunningHash?,
        _ accepted: Lock<Int64>,
        _ seat: SharedParts.Seat
    ) async throws -> Pass {
        try await withThrowingTaskGroup(of: Pass.self) { group in
            group.addTask { try await pass(from: offset, hash, accepted, seat) }
            group.addTask {
                try await seat.dismissal()
                return .dismissed
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }

    /// Parts one after the other until the end, or until the registry wants another one than the next.
    private func pass(
        from offset: Int64,
        _ hash: RunningHash?,
        _ accepted: Lock<Int64>,
        _ seat: SharedParts.Seat
    ) async throws -> Pass {
        let (pieces, feed) = AsyncThrowingStream<Piece, any Error>.makeStream()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    for range in plan.parts(from: offset) {
                        // The memory for parts is what keeps the source from running ahead.
                        let part = try await seat.part(range, size: plan.longestPart)
                        await hash?.add(part.buffer, at: range.lowerBound)
                        feed.yield(Piece(range: range, part: part))
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
                switch try await uploads.send(piece.part.buffer, at: piece.range.lowerBound, to: upload) {
                case .accepted: break
                // Its first answer was lost, or a run that was killed had sent it.
                case .standsAt(let place) where place >= piece.range.upperBound: break
                case .standsAt(let place): return .standsAt(place)
                case .gone: return .gone
                }
                accepted.withLock { $0 = piece.range.upperBound }
                await seat.note(piece.range.upperBound)
                await moved(piece.range.upperBound)
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
