internal import Platform
internal import Wire

/// The memory that all uploads in parts of one run share, given out in the order of the requests.
///
/// An upload that holds a buffer never needs a second one to go on, so no upload waits forever. A buffer larger than
/// the whole pool is given out only when no other is in use.
final class PartPool: Sendable {
    /// A buffer that returns to the pool when the last reference to it is released, however its part ended.
    final class Lease: Sendable {
        let buffer: PartBuffer
        private let pool: PartPool

        fileprivate init(_ buffer: PartBuffer, of pool: PartPool) {
            self.buffer = buffer
            self.pool = pool
        }

        deinit { pool.takeBack(buffer) }
    }

    private struct Memory: Sendable {
        var used = 0
        var idle: [PartBuffer] = []
    }

    private let queue: WaitQueue<Int, Int, Memory>

    init(byteCount: Int) {
        queue = WaitQueue(Memory()) { wanted, _, memory, _ in
            guard memory.used == 0 || memory.used + wanted <= byteCount else { return false }
            memory.used += wanted
            return true
        }
    }

    /// - Throws: `CancellationError` if cancelled while waiting.
    func lease(_ byteCount: Int) async throws -> Lease {
        try await queue.enter(byteCount, line: 0)
        let idle = queue.change { memory -> PartBuffer? in
            if memory.idle.last?.capacity == byteCount { return memory.idle.popLast() }
            // Buffers of another size are freed before a new one is allocated.
            memory.idle = []
            return nil
        }
        return Lease(idle ?? PartBuffer(capacity: byteCount), of: self)
    }

    fileprivate func takeBack(_ buffer: PartBuffer) {
        queue.change { memory in
            memory.used -= buffer.capacity
            memory.idle.append(buffer)
        }
        // Small blobs need the memory once no large one is in flight.
        queue.change { memory in
            if memory.used == 0 { memory.idle = [] }
        }
    }
}
