internal import Platform
internal import Wire

/// The memory that all uploads in parts of a run share: so many bytes, handed out in the order they were asked for.
///
/// Who holds a buffer can always go on without a second, so nobody waits for ever; one that is larger than all of it is
/// had alone.
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
        var used = 0
        var idle: [PartBuffer] = []
        var waiting: [(id: Int, byteCount: Int, continuation: CheckedContinuation<Void, any Error>)] = []
        var lastID = 0
    }

    private let byteCount: Int
    private let state = Lock(State())

    init(byteCount: Int) { self.byteCount = byteCount }

    /// - Throws: `CancellationError` if cancelled while waiting.
    func lease(_ byteCount: Int) async throws -> Lease {
        try await wait(for: byteCount)
        let idle = state.withLock { state -> PartBuffer? in
            if state.idle.last?.capacity == byteCount { return state.idle.popLast() }
            // Those of another size are let go before the new one is made.
            state.idle = []
            return nil
        }
        return Lease(idle ?? PartBuffer(capacity: byteCount), of: self)
    }

    private func take(_ wanted: Int, _ state: inout State) -> Bool {
        guard state.used == 0 || state.used + wanted <= byteCount else { return false }
        state.used += wanted
        return true
    }

    private func wait(for wanted: Int) async throws {
        try Task.checkCancellation()
        let id = state.withLock { state -> Int? in
            if state.waiting.isEmpty, take(wanted, &state) { return nil }
            state.lastID += 1
            return state.lastID
        }
        guard let id else { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let isReady = state.withLock { state in
                    // What was given back since it was asked for.
                    if state.waiting.isEmpty, take(wanted, &state) { return true }
                    state.waiting.append((id, wanted, continuation))
                    return false
                }
                if isReady { continuation.resume() } else if Task.isCancelled { withdraw(id) }
            }
        } onCancel: {
            withdraw(id)
        }
    }

    private func withdraw(_ id: Int) {
        let (withdrawn, next) = state.withLock { state in
            let withdrawn = state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0).continuation }
            return (withdrawn, letIn(&state))
        }
        withdrawn?.resume(throwing: CancellationError())
        for continuation in next { continuation.resume() }
    }

    private func letIn(_ state: inout State) -> [CheckedContinuation<Void, any Error>] {
        var next: [CheckedContinuation<Void, any Error>] = []
        while let first = state.waiting.first, take(first.byteCount, &state) {
            next.append(state.waiting.removeFirst().continuation)
        }
        return next
    }

    fileprivate func takeBack(_ buffer: PartBuffer) {
        let next = state.withLock { state in
            state.used -= buffer.capacity
            state.idle.append(buffer)
            let next = letIn(&state)
            // Small blobs need the memory once no large one is under way.
            if state.used == 0 { state.idle = [] }
            return next
        }
        for continuation in next { continuation.resume() }
    }
}
