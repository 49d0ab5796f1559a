internal import Content
internal import Platform
internal import Wire

/// Sends one blob to one upload in parts: one part is sent while the next ones are received.
///
/// Each value serves one upload, from its current position.
///
/// - Source: docs/architecture.md#large-layers
struct PartUploader: Sendable {
    /// How an upload ended, if not with an error.
    enum Ending: Sendable, Equatable {
        case stored
        /// The source sent bytes with another digest, and the upload was not completed.
        case corrupt(Digest)
        /// The registry no longer knows the upload.
        case gone
        /// The registry holds bytes with another digest.
        case refused
    }

    let blob: Descriptor
    let source: SharedParts
    /// The reader to use after this upload was dismissed from the shared one.
    let ownSource: @Sendable () -> SharedParts
    let uploads: any PartUploading
    let upload: PartUpload
    let plan: PartPlan
    /// Called after each part with the upload's position.
    let moved: @Sendable (Int64) async -> Void

    /// How often the registry may correct the position before it accepts another part.
    static let mostCorrections = 8

    /// One part that was received and waits to be sent.
    private struct Piece: Sendable {
        var range: Range<Int64>
        var part: SharedParts.Part
    }

    private enum Pass { case done, standsAt(Int64), corrupt(Digest), gone, dismissed }

    /// Sends the bytes from `start` on, and completes the upload.
    ///
    /// From the beginning, the last part waits until the hash of the whole blob is verified. From the middle, this
    /// program has not seen the whole blob, and the registry's own check verifies it.
    ///
    /// - Throws: ``CopyError``, ``RangedSource/NoRanges``, `CancellationError`.
    func run(from start: Int64) async throws -> Ending {
        let hash = start == 0 ? RunningHash() : nil
        let accepted = Lock(start)
        var membership = await source.join(at: start)
        do {
            let ending = try await run(from: start, hash, accepted, &membership)
            await membership.leave()
            return ending
        } catch {
            await membership.leave()
            throw error
        }
    }

    private func run(
        from start: Int64,
        _ hash: RunningHash?,
        _ accepted: Lock<Int64>,
        _ membership: inout SharedParts.Membership
    ) async throws -> Ending {
        var offset = start
        var corrections = 0
        while offset < plan.size {
            switch try await watched(from: offset, hash, accepted, membership) {
            case .done: offset = plan.size
            case .dismissed:
                offset = accepted.withLock { $0 }
                membership = await ownSource().join(at: offset)
            case .standsAt(let place):
                corrections = place == offset || place < offset ? corrections + 1 : 0
                guard corrections <= Self.mostCorrections else { return .gone }
                // Bytes that were not hashed must be read again, even if the registry has them.
                offset = min(place, await hash?.count ?? place)
                accepted.withLock { $0 = offset }
                await membership.note(offset)
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

    /// Runs a pass until it ends, or until this upload keeps others waiting for too long.
    private func watched(
        from offset: Int64,
        _ hash: RunningHash?,
        _ accepted: Lock<Int64>,
        _ membership: SharedParts.Membership
    ) async throws -> Pass {
        try await withThrowingTaskGroup(of: Pass.self) { group in
            group.addTask { try await pass(from: offset, hash, accepted, membership) }
            group.addTask {
                try await membership.dismissal()
                return .dismissed
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }

    /// Sends parts in order until the end, or until the registry asks for another position.
    private func pass(
        from offset: Int64,
        _ hash: RunningHash?,
        _ accepted: Lock<Int64>,
        _ membership: SharedParts.Membership
    ) async throws -> Pass {
        let (pieces, feed) = AsyncThrowingStream<Piece, any Error>.makeStream()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    for range in plan.parts(from: offset) {
                        // The limited memory for parts keeps the source from getting too far ahead.
                        let part = try await membership.part(range, size: plan.longestPart)
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
                // The response to an earlier attempt was lost, or a killed run had sent this part.
                case .standsAt(let place) where place >= piece.range.upperBound: break
                case .standsAt(let place): return .standsAt(place)
                case .gone: return .gone
                }
                accepted.withLock { $0 = piece.range.upperBound }
                await membership.note(piece.range.upperBound)
                await moved(piece.range.upperBound)
            }
            // A stream ends without an error if the task that waits for it is cancelled.
            try Task.checkCancellation()
            return .done
        }
    }
}

/// The running hash of a blob whose bytes arrive in order, even if some arrive twice.
private actor RunningHash {
    private var hasher: SHA256Hasher? = SHA256Hasher()
    private var digest: Digest?
    /// The number of bytes hashed so far, from the blob's beginning.
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
