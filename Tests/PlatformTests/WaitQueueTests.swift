import Testing

@testable import Platform

@Suite("A queue for a limited resource", .timeLimit(.minutes(1)))
struct WaitQueueTests {
    private func slots(_ count: Int) -> WaitQueue<Int, Int, Int> {
        WaitQueue(count) { wanted, _, left, _ in
            guard left >= wanted else { return false }
            left -= wanted
            return true
        }
    }

    @Test("admits tasks in order of arrival, as soon as there is room")
    func order() async throws {
        let queue = slots(1)
        try await queue.enter(1, line: 0)
        let order = Lock<[Int]>([])
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<5 {
            let (waits, isWaiting) = AsyncStream<Void>.makeStream()
            tasks.append(
                Task {
                    isWaiting.finish()
                    try await queue.enter(1, line: 0)
                    order.withLock { $0.append(number) }
                    queue.change { $0 += 1 }
                }
            )
            for await _ in waits {}
            // The task waits in its line after its first attempt, which needs no other task.
            for _ in 0..<50 { await Task.yield() }
        }
        queue.change { $0 += 1 }
        for task in tasks { try await task.value }
        #expect(order.withLock { $0 }.sorted() == [0, 1, 2, 3, 4])
        #expect(queue.state == 1)
    }

    @Test("removes a cancelled task from its line, and checks the next one")
    func cancellation() async throws {
        let queue = slots(1)
        try await queue.enter(1, line: 0)
        // It needs more than is ever available, and is ahead of one that needs little.
        let greedy = Task { try await queue.enter(5, line: 0) }
        for _ in 0..<50 { await Task.yield() }
        let modest = Task { try await queue.enter(1, line: 0) }
        for _ in 0..<50 { await Task.yield() }
        queue.change { $0 += 1 }
        greedy.cancel()
        await #expect(throws: CancellationError.self) { try await greedy.value }
        try await modest.value
    }

    @Test("has lines that don't wait for each other")
    func lines() async throws {
        let queue = WaitQueue<String, Void, Set<String>>()
        try await queue.enter((), line: "a")
        try await queue.inTurn("b") {}
        let waiting = Task { try await queue.inTurn("a") { true } }
        queue.change { _ = $0.remove("a") }
        #expect(try await waiting.value)
    }

    @Test("refuses every task once it is closed")
    func closed() async throws {
        struct Over: Error {}
        let queue = slots(0)
        let waiting = Task { try await queue.enter(1, line: 0) }
        for _ in 0..<50 { await Task.yield() }
        queue.close(Over())
        await #expect(throws: Over.self) { try await waiting.value }
        await #expect(throws: Over.self) { try await queue.enter(1, line: 0) }
    }

    @Test("runs one body at a time, also after cancelled ones")
    func turns() async throws {
        let queue = WaitQueue<Int, Void, Bool>()
        let inside = Lock((now: 0, most: 0, done: 0))
        let tasks = (0..<200).map { number in
            Task {
                try await queue.inTurn {
                    inside.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1), $0.done) }
                    for _ in 0..<(number % 5) { await Task.yield() }
                    inside.withLock { $0 = ($0.now - 1, $0.most, $0.done + 1) }
                }
            }
        }
        for task in tasks.enumerated() where task.offset % 3 == 0 { task.element.cancel() }
        var cancelled = 0
        for task in tasks {
            do { try await task.value } catch is CancellationError { cancelled += 1 }
        }
        #expect(inside.withLock { $0.most } == 1 && inside.withLock { $0.now } == 0)
        #expect(inside.withLock { $0.done } + cancelled == 200)
        try await queue.inTurn {}
    }
}
