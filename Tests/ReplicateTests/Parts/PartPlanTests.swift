import Platform
import Testing
import Wire

@testable import Replicate

@Suite("Cutting a blob into parts")
struct PartPlanTests {
    private let mebibyte: Int64 = 1 << 20

    @Test(
        "Every part but the last has the size that the registry answered",
        arguments: [
            (25, 10, [0..<10, 10..<20, 20..<25]), (20, 10, [0..<10, 10..<20]), (10, 10, [0..<10]), (3, 10, [0..<3]),
        ] as [(Int64, Int64, [Range<Int64>])]
    )
    func cut(_ size: Int64, _ answered: Int64, _ parts: [Range<Int64>]) throws {
        let plan = try #require(
            PartPlan(size: size * mebibyte, answered: answered * mebibyte)
        )
        #expect(Array(plan.parts(from: 0)) == parts.map { $0.lowerBound * mebibyte..<$0.upperBound * mebibyte })
    }

    @Test("Parts of a resumed upload begin where it stands")
    func middle() throws {
        let plan = try #require(PartPlan(size: 25, answered: 10, smallest: 1))
        #expect(Array(plan.parts(from: 7)) == [7..<17, 17..<25])
        #expect(Array(plan.parts(from: 24)) == [24..<25])
        #expect(Array(plan.parts(from: 25)) == [])
    }

    @Test(
        "Parts follow one another without a gap",
        arguments: [1, 2, 9, 10, 11, 99, 100, 101] as [Int64]
    )
    func whole(_ size: Int64) throws {
        let plan = try #require(PartPlan(size: size, answered: 10, smallest: 1))
        var end: Int64 = 0
        for part in plan.parts(from: 0) {
            #expect(part.lowerBound == end && !part.isEmpty && part.count <= 10)
            #expect(part.count == 10 || part.upperBound == size)
            end = part.upperBound
        }
        #expect(end == size)
    }

    @Test(
        "The answered size is clamped to ECR's limits",
        arguments: [(1, 5), (5, 5), (10, 10), (20, 20), (99, 20)]
    )
    func bounds(_ answered: Int64, _ used: Int) {
        #expect(
            PartPlan(size: 1 << 30, answered: answered * mebibyte)?.partSize == used << 20
        )
    }

    @Test("4,200 parts hold 42,000 MiB and not a byte more")
    func most() throws {
        let largest = 42_000 * mebibyte
        #expect(PartPlan.largestBlob == largest)
        let plan = try #require(PartPlan(size: largest, answered: 10 * mebibyte))
        #expect(Array(plan.parts(from: 0)).count == 4_200)
        #expect(PartPlan(size: largest + 1, answered: 10 * mebibyte) == nil)
        #expect(PartPlan(size: largest, answered: 5 * mebibyte) == nil)
    }
}

@Suite("Memory for parts", .timeLimit(.minutes(1)))
struct PartPoolTests {
    @Test("No more than the pool's bytes are leased, and every lease returns them")
    func bounded() async throws {
        let pool = PartPool(byteCount: 128)
        let held = Lock(0)
        let most = Lock(0)
        try await (0..<100).forEachConcurrently(limit: 20) { number in
            let lease = try await pool.lease(64)
            let count = held.withLock { count in
                count += 1
                return count
            }
            most.withLock { $0 = max($0, count) }
            await Task.yield()
            held.withLock { $0 -= 1 }
            withExtendedLifetime(lease) {}
            if number.isMultiple(of: 7) { _ = try? await Task { throw CancellationError() }.value }
        }
        #expect(most.withLock { $0 } == 2)
    }

    @Test("A returned buffer is used by the next lease")
    func reused() async throws {
        let pool = PartPool(byteCount: 128)
        var first: PartPool.Lease? = try await pool.lease(64)
        let other = try await pool.lease(64)
        let buffer = try #require(first?.buffer)
        first = nil
        let again = try await pool.lease(64)
        #expect(again.buffer === buffer)
        #expect(other.buffer !== buffer)
    }

    @Test("A lease has the requested size")
    func sizes() async throws {
        let pool = PartPool(byteCount: 128)
        let kept = try await pool.lease(1)
        do { _ = try await pool.lease(64) }
        #expect(try await pool.lease(32).buffer.capacity == 32)
        withExtendedLifetime(kept) {}
    }

    @Test("The pool counts bytes, and a buffer larger than the pool is leased alone")
    func bytes() async throws {
        let pool = PartPool(byteCount: 100)
        var large: PartPool.Lease? = try await pool.lease(1_000)
        let small = Task { try await (pool.lease(50), pool.lease(50)) }
        for _ in 0..<20 { await Task.yield() }
        #expect(large?.buffer.capacity == 1_000)
        large = nil
        #expect(try await small.value.1.buffer.capacity == 50)
    }

    @Test("A cancelled waiter takes no memory")
    func cancelled() async throws {
        let pool = PartPool(byteCount: 8)
        for rounds in 0..<20 {
            var lease: PartPool.Lease? = try await pool.lease(8)
            let waiting = Task { try await pool.lease(8) }
            // The cancellation comes before the task starts, while it starts, and while it waits.
            for _ in 0..<rounds { await Task.yield() }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            let next = Task { try await pool.lease(8) }
            withExtendedLifetime(lease) {}
            lease = nil
            #expect(try await next.value.buffer.capacity == 8)
        }
    }
}
