import Platform
import Testing

@testable import Replicate

@Suite("Single flight", .timeLimit(.minutes(1)))
struct SingleFlightTests {
    private struct Broken: Error {}

    @Test("A success is remembered until it is forgotten")
    func success() async throws {
        let flights = SingleFlight<String, Int>()
        let count = Lock(0)
        let values = try await (0..<50).mapConcurrently(limit: 50) { _ in
            try await flights.run("a") {
                count.withLock {
                    $0 += 1; return $0
                }
            }
        }
        #expect(values.allSatisfy { $0 == 1 })
        #expect(try await flights.run("a") { 2 } == 1)
        #expect(try await flights.run("b") { 3 } == 3)
        await flights.forget("a")
        #expect(try await flights.run("a") { 4 } == 4)
    }

    @Test("Only the result is kept, not the values that the body used")
    func releasesInput() async throws {
        final class Input: Sendable {}
        let flights = SingleFlight<String, Int>()
        weak var input: Input?
        do {
            let made = Input()
            input = made
            _ = try await flights.run("a") { withExtendedLifetime(made) { 1 } }
        }
        // The task that ran the body ends right after it has returned the result.
        while input != nil { await Task.yield() }
        #expect(await flights.waiters("a") == 0)
    }

    @Test("A failure is thrown to all waiters, and the next call tries again")
    func failure() async throws {
        let flights = SingleFlight<String, Int>()
        let (stream, gate) = AsyncStream<Void>.makeStream()
        let count = Lock(0)
        let waiting = (0..<3).map { _ in
            Task {
                try await flights.run("a") {
                    count.withLock { $0 += 1 }
                    for await _ in stream { break }
                    throw Broken()
                }
            }
        }
        while await flights.waiters("a") < 3 { await Task.yield() }
        gate.yield()
        for task in waiting { await #expect(throws: Broken.self) { try await task.value } }
        #expect(count.withLock { $0 } == 1)
        #expect(try await flights.run("a") { 5 } == 5)
    }

    @Test("The body runs while a task waits and is cancelled with the last waiter")
    func cancellation() async throws {
        let flights = SingleFlight<String, Int>()
        let (stream, gate) = AsyncStream<Void>.makeStream()
        let wasCancelled = Lock(false)
        let body: @Sendable () async throws -> Int = {
            for await _ in stream { break }
            if Task.isCancelled { wasCancelled.withLock { $0 = true } }
            try Task.checkCancellation()
            return 1
        }
        let (first, second) = (Task { try await flights.run("a", body) }, Task { try await flights.run("a", body) })
        while await flights.waiters("a") < 2 { await Task.yield() }
        first.cancel()
        while await flights.waiters("a") > 1 { await Task.yield() }
        gate.yield()
        #expect(try await second.value == 1)
        #expect(!wasCancelled.withLock { $0 })

        let last = Task { try await flights.run("b", body) }
        while await flights.waiters("b") < 1 { await Task.yield() }
        last.cancel()
        await #expect(throws: CancellationError.self) { try await last.value }
        #expect(wasCancelled.withLock { $0 })
        #expect(try await flights.run("b") { 2 } == 2)
    }
}

@Suite("Bulk operations")
struct BulkTests {
    @Test("Concurrent mapping keeps the order and the limit")
    func order() async throws {
        let state = Lock((now: 0, most: 0))
        let results = try await (0..<100).mapConcurrently(limit: 4) { number in
            state.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            for _ in 0..<(number % 5) { await Task.yield() }
            state.withLock { $0.now -= 1 }
            return number * 2
        }
        #expect(results == (0..<100).map { $0 * 2 })
        #expect(state.withLock { $0.most } <= 4)
    }

    @Test("Chunks have the given size, and the last one the rest")
    func pieces() {
        #expect(Array(0..<5).chunked(2) == [[0, 1], [2, 3], [4]])
        #expect([Int]().chunked(2).isEmpty)
        #expect([3, 1, 3, 2, 1].unique() == [3, 1, 2])
    }
}
