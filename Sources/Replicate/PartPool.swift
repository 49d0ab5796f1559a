internal import Platform
internal import Wire

/// The memory that all uploads in parts of a run share: a few buffers, handed out in the order they were asked for.
///
/// Who holds one can always go on without a second, so nobody waits for ever.
final class PartPool: Sendable {
    /// A buffer until nobody has it any more, on whatever way its part ended.
    final class Lease: Sendable {
        let buffer: PartBuffer
        private let pool: PartPool

        fileprivate init(_ buffer: PartBuffer, of pool: PartPool) {
            self.buffer = buffer
            self.pool = pool
        }

        deinit { pool.takeBack(buffer) }
    }

    private struct State {
        var free: Int
        var idle: [PartBuffer] = []
        var waiting: [(id: Int, continuation: CheckedContinuation<Void, any Error>)] = []
        var lastID = 0
    }

    private let count: Int
    private let state: Lock<State>

    init(count: Int) {
        self.count = count
        state = Lock(State(free: count))
    }

    /// - Throws: `CancellationError` if cancelled while waiting.
    func lease(_ byteCount: Int) async throws -> Lease {
        try await wait()
        // One of another size is let go before the new one is made.
        let idle = state.withLock { $0.idle.popLast() }
        if let idle, idle.capacity == byteCount { return Lease(idle, of: self) }
        return Lease(PartBuffer(capacity: byteCount), of: self)
    }

    private func wait() async throws {
        try Task.checkCancellation()
        let id = state.withLock { state -> Int? in
            guard state.free == 0 else {
                state.free -= 1
                return nil
            }
            state.lastID += 1
            return state.lastID
        }
        guard let id else { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let isReady = state.withLock { state in
                    // What was given back since it was asked for.
                    guard state.free == 0 else {
                        state.free -= 1
                        return true
                    }
                    state.waiting.append((id, continuation))
                    return false
                }
                if isReady { continuation.resume() } else if Task.isCancelled { withdraw(id) }
            }
        } onCancel: {
            withdraw(id)
        }
    }

    private func withdraw(_ id: Int) {
        let continuation = state.withLock { state in
            state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0).continuation }
        }
        continuation?.resume(throwing: CancellationError())
    }

    fileprivate func takeBack(_ buffer: PartBuffer) {
        let next = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            state.idle.append(buffer)
            if !state.waiting.isEmpty { return state.waiting.removeFirst().continuation }
            state.free += 1
            // Small blobs need the memory once no large one is under way.
            if state.free == count { state.idle = [] }
            return nil
        }
        next?.resume()
    }
}
