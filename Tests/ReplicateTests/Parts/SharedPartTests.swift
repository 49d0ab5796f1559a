import Content
import Platform
import TestClouds
import Testing

@testable import Replicate
@testable import Wire

@Suite("Parts for several destinations", .timeLimit(.minutes(1)))
struct SharedPartTests {
    /// A destination that receives the bench's blob in parts through `uploads`.
    private func destination(_ name: String, _ uploads: any PartUploading, _ bench: PartBench) throws -> FakeRepository
    {
        try FakeRepository(.destination, name, bench.calls, parts: uploads)
    }

    @Test("Several uploads share one read of each part")
    func once() async throws {
        let bench = try PartBench(200)
        let barrier = Barrier(of: 3)
        let uploads = (0..<3).map { _ in FakePartUploads(CallLog(), partSize: 10) }
        let places = try uploads.enumerated().map { try destination("to/\($0)", BarrierUploads($1, barrier), bench) }
        let large = bench.large(clock: SteppedClock())
        let arrivals = try await places.mapConcurrently(limit: 3) {
            try await large.upload(BlobTransfer(bench.blob, from: bench.source, to: $0))?.name
        }
        #expect(arrivals == ["moved", "moved", "moved"])
        for uploads in uploads { #expect(await uploads.stored == [bench.blob.digest: bench.bytes]) }
        #expect(bench.gets.count == 20)
        #expect(Set(bench.gets).count == 20)
    }

    private func parts(_ bench: PartBench) -> SharedParts {
        SharedParts(
            RangedSource(bench.blob, bench.source, bench.host, RetryPolicy(clock: InstantClock())),
            pool: PartPool(byteCount: 20),
            clock: SteppedClock()
        )
    }

    @Test("A part is kept for an upload that is behind, and the others wait for it")
    func lagging() async throws {
        let bench = try PartBench(30)
        let parts = parts(bench)
        let (ahead, behind) = (await parts.join(at: 0), await parts.join(at: 0))
        for range: Range<Int64> in [0..<10, 10..<20] { _ = try await ahead.part(range, size: 10) }
        let third = Task { _ = try await ahead.part(20..<30, size: 10) }
        for range: Range<Int64> in [0..<10, 10..<20, 20..<30] { _ = try await behind.part(range, size: 10) }
        try await third.value
        #expect(bench.gets.count == 3, "\(bench.gets)")
    }

    @Test("No part is kept for an upload that is too far behind or has left")
    func late() async throws {
        let bench = try PartBench(60)
        let parts = parts(bench)
        let ahead = await parts.join(at: 0)
        _ = try await ahead.part(0..<10, size: 10)
        let late = await parts.join(at: 0)
        for range: Range<Int64> in [10..<20, 20..<30, 30..<40] { _ = try await ahead.part(range, size: 10) }
        _ = try await late.part(0..<10, size: 10)
        let leaving = await parts.join(at: 40)
        _ = try await ahead.part(40..<50, size: 10)
        await leaving.leave()
        _ = try await ahead.part(50..<60, size: 10)
        _ = try await late.part(10..<20, size: 10)
        #expect(bench.gets.count == 8, "\(bench.gets)")
    }

    @Test("A slow upload delays the others only briefly and then reads separately")
    func slow() async throws {
        let bench = try PartBench(200)
        let clock = SteppedClock()
        let (quick, slow) = (FakePartUploads(CallLog(), partSize: 10), FakePartUploads(CallLog(), partSize: 10))
        let gate = BlockedUploads(slow, at: 50)
        let barrier = Barrier(of: 2)
        let places = [
            try destination("to/quick", BarrierUploads(quick, barrier), bench),
            try destination("to/slow", BarrierUploads(gate, barrier), bench),
        ]
        let large = bench.large(clock: clock)
        let first = Task { try await large.upload(BlobTransfer(bench.blob, from: bench.source, to: places[0]))?.name }
        let second = Task { try await large.upload(BlobTransfer(bench.blob, from: bench.source, to: places[1]))?.name }
        // The quick upload is two parts ahead of the slow one.
        while await quick.uploads["1"]?.count != 70 { await Task.yield() }
        // The slow upload is dropped at the second check, not at the first.
        await clock.wake(2)
        #expect(try await first.value == "moved")
        #expect(await quick.stored == [bench.blob.digest: bench.bytes])
        #expect(await slow.stored.isEmpty)
        gate.open()
        #expect(try await second.value == "moved")
        #expect(await slow.stored == [bench.blob.digest: bench.bytes])
        // Both got the first five parts; the slow one reads the other fifteen separately.
        #expect(bench.gets.count == 20 + 15)
    }
}

/// Holds each of `count` uploads back until all have reached their first part.
private final class Barrier: Sendable {
    private let missing: Lock<Int>

    init(of count: Int) { missing = Lock(count) }

    func join() async throws {
        missing.withLock { $0 -= 1 }
        while missing.withLock({ $0 > 0 }) {
            try Task.checkCancellation()
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}

private struct BarrierUploads: PartUploading {
    private let base: any PartUploading
    private let barrier: Barrier

    init(_ base: any PartUploading, _ barrier: Barrier) { (self.base, self.barrier) = (base, barrier) }

    func begin() async throws -> PartUpload { try await base.begin() }

    func send(_ part: PartBuffer, at place: Int64, to upload: PartUpload) async throws -> PartReception {
        if place == 0 { try await barrier.join() }
        return try await base.send(part, at: place, to: upload)
    }

    func complete(_ upload: PartUpload, as digest: Digest) async throws -> PartCompletion {
        try await base.complete(upload, as: digest)
    }
}

/// Uploads that hold the part at one offset back until ``open()``.
private final class BlockedUploads: PartUploading {
    private let base: FakePartUploads
    private let offset: Int64
    private let isOpen = Lock(false)

    init(_ base: FakePartUploads, at offset: Int64) { (self.base, self.offset) = (base, offset) }

    func open() { isOpen.withLock { $0 = true } }

    func begin() async throws -> PartUpload { try await base.begin() }

    func send(_ part: PartBuffer, at place: Int64, to upload: PartUpload) async throws -> PartReception {
        while place == offset, !isOpen.withLock({ $0 }) {
            try Task.checkCancellation()
            try await Task.sleep(for: .milliseconds(1))
        }
        return try await base.send(part, at: place, to: upload)
    }

    func complete(_ upload: PartUpload, as digest: Digest) async throws -> PartCompletion {
        try await base.complete(upload, as: digest)
    }
}

/// A clock whose sleeps end only when the test wakes them.
private final class SteppedClock: Clock {
    typealias Instant = ContinuousClock.Instant

    private let left = Lock(0)
    private let slept = Lock(0)

    var now: Instant { .now }
    var minimumResolution: Duration { .zero }

    /// Ends the next `count` sleeps, and waits until they have begun.
    func wake(_ count: Int) async {
        left.withLock { $0 += count }
        while left.withLock({ $0 }) > 0 { await Task.yield() }
    }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        while true {
            try Task.checkCancellation()
            let wakes = left.withLock { left in
                guard left > 0 else { return false }
                left -= 1
                return true
            }
            if wakes { return }
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}
