import Platform
import Testing

@testable import Replicate

@Suite("Admission", .timeLimit(.minutes(1)))
struct AdmissionTests {
    /// Counts the admitted bodies.
    private final class Occupancy: Sendable {
        private let state = Lock((now: 0, most: 0, done: 0))
        var most: Int { state.withLock { $0.most } }
        var now: Int { state.withLock { $0.now } }
        var done: Int { state.withLock { $0.done } }

        func hold(forYields yields: Int = 50) async {
            state.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1), $0.done) }
            for _ in 0..<yields { await Task.yield() }
            state.withLock { $0 = ($0.now - 1, $0.most, $0.done + 1) }
        }
    }

    @Test("A cancelled waiter does not take a slot")
    func cancelWhileQueued() async throws {
        let admission = Admission(jobs: 2)
        let occupancy = Occupancy()
        let tasks = (0..<200).map { number in
            Task { try await admission.admit(1) { await occupancy.hold(forYields: number % 7) } }
        }
        for task in tasks.enumerated() where task.offset % 3 == 0 { task.element.cancel() }
        var cancelled = 0
        for task in tasks {
            do { try await task.value } catch is CancellationError { cancelled += 1 }
        }
        #expect(occupancy.most <= 2 && occupancy.now == 0)
        #expect(occupancy.done + cancelled == 200)
        // Both slots are free again.
        try await admission.admit(1) { try await admission.admit(1) {} }
    }

    @Test("A failed body gives its slot back")
    func failure() async throws {
        struct Broken: Error {}
        let admission = Admission(jobs: 1)
        for _ in 0..<3 { await #expect(throws: Broken.self) { try await admission.admit(1) { throw Broken() } } }
        #expect(try await admission.admit(1) { 7 } == 7)
    }

    @Test("A task that is already cancelled does not wait for a slot")
    func cancelledBefore() async throws {
        let admission = Admission(jobs: 1)
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await admission.admit(1) { true }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("Uploads in parts reserve memory, and an endless stream of small blobs does not starve them")
    func parts() async throws {
        let admission = Admission(jobs: nil)
        let occupancy = Occupancy()
        try await admission.admit(10 << 30, inParts: true) {
            try await admission.admit(10 << 30, inParts: true) {
                try await (0..<100).forEachConcurrently(limit: 100) { _ in
                    try await admission.admit(1_000) { await occupancy.hold() }
                }
            }
        }
        #expect(occupancy.most == Admission.mostBesideParts)

        let isOver = Lock(false)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    while !isOver.withLock({ $0 }) { try await admission.admit(1_000) { await Task.yield() } }
                }
            }
            group.addTask { try await admission.admit(10 << 30, inParts: true) { isOver.withLock { $0 = true } } }
            try await group.waitForAll()
        }
    }

    @Test(
        "Many small blobs or a few large ones are admitted, within a bound of bytes",
        arguments: [(1_000, 32), (Admission.large - 1, 12), (Admission.large, 8), (10 << 30, 8)] as [(Int64, Int)]
    )
    func sizes(size: Int64, most: Int) async throws {
        let admission = Admission(jobs: nil)
        let occupancy = Occupancy()
        try await (0..<100).forEachConcurrently(limit: 100) { _ in
            try await admission.admit(size) { await occupancy.hold() }
        }
        #expect(occupancy.most == most)
    }

    @Test("Small blobs do not wait behind large ones")
    func queues() async throws {
        let admission = Admission(jobs: nil)
        let (stream, gate) = AsyncStream<Void>.makeStream()
        let large = (0..<20).map { _ in Task { try await admission.admit(1 << 30) { for await _ in stream {} } } }
        let occupancy = Occupancy()
        // The small ones are admitted however many large ones are moving.
        try await (0..<40).forEachConcurrently(limit: 40) { _ in
            try await admission.admit(10) { await occupancy.hold() }
        }
        #expect(occupancy.done == 40)
        #expect(occupancy.most <= Admission.mostAtOnce)
        gate.finish()
        for task in large { try await task.value }
    }

    @Test("Simultaneous throttles halve the slots once, and arrivals restore them")
    func throttle() async throws {
        let admission = Admission(jobs: 16, clock: StoppedClock())
        for _ in 0..<5 { admission.noteThrottle() }
        let (slow, fast) = (Occupancy(), Occupancy())
        try await (0..<8).forEachConcurrently(limit: 8) { _ in try await admission.admit(1) { await slow.hold() } }
        try await (0..<40).forEachConcurrently(limit: 40) { _ in try await admission.admit(1) { await fast.hold() } }
        #expect(slow.most == 8)
        #expect(fast.most > 8 && fast.most <= 16)
    }

    @Test("A drain admits no further blob and lets admitted ones finish")
    func draining() async throws {
        let drain = Drain()
        let admission = Admission(jobs: 1, drain: drain)
        let (stream, gate) = AsyncStream<Void>.makeStream()
        let (entered, enter) = AsyncStream<Void>.makeStream()
        let inside = Task {
            try await admission.admit(1) {
                enter.finish()
                for await _ in stream {}
                return true
            }
        }
        for await _ in entered {}
        let waiting = Task { try await admission.admit(1) { true } }
        drain.begin()
        await #expect(throws: Drained()) { try await waiting.value }
        await #expect(throws: Drained()) { try await admission.admit(1) { true } }
        gate.finish()
        #expect(try await inside.value)
    }
}

/// A clock whose sleeps never end.
private struct StoppedClock: Clock {
    typealias Instant = ContinuousClock.Instant
    private let held = Lock<[AsyncStream<Void>.Continuation]>([])
    var now: Instant { ContinuousClock.now }
    var minimumResolution: Duration { .zero }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        held.withLock { $0.append(continuation) }
        for await _ in stream {}
        try Task.checkCancellation()
    }
}
