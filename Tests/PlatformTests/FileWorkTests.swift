import Dispatch
import Testing

@testable import Platform

@Suite("Work that waits for a disk", .timeLimit(.minutes(1)))
struct FileWorkTests {
    @Test("blocks no task, even if much of it waits")
    func blocked() async throws {
        let entered = Lock(0)
        let gate = DispatchSemaphore(value: 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<32 {
                group.addTask {
                    try await FileWork.run { _ in
                        entered.withLock { $0 += 1 }
                        gate.wait()
                    }
                }
            }
            while entered.withLock({ $0 }) < FileWork.width { await Task.yield() }
            // No thread of the pool is blocked now, so these tasks end.
            await withTaskGroup(of: Void.self) { tasks in
                for _ in 0..<32 { tasks.addTask { await Task.yield() } }
            }
            for _ in 0..<32 { gate.signal() }
            try await group.waitForAll()
        }
    }

    @Test("returns what its body returns or throws, and tells the body of a cancellation")
    func results() async throws {
        #expect(try await FileWork.run { _ in 1 } == 1)
        await #expect(throws: SystemError.self) {
            try await FileWork.run { _ in throw SystemError(call: "read", path: "a", code: 5) }
        }
        let task = Task { try await FileWork.run { isCancelled in while !isCancelled() {} } }
        task.cancel()
        try await task.value
    }

    @Test("runs in order in one queue")
    func order() async {
        let seen = Lock<[Int]>([])
        let queue = FileQueue()
        for number in 0..<100 { queue.run { seen.withLock { $0.append(number) } } }
        await withCheckedContinuation { continuation in queue.run { continuation.resume() } }
        #expect(seen.withLock { $0 } == Array(0..<100))
    }
}
