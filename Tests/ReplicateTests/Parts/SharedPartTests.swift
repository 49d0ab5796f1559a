import Content
import Platform
import TestClouds
import Testing

@testable import Replicate
@testable import Wire

@Suite("Parts for several destinations", .timeLimit(.minutes(1)))
struct SharedPartTests {
    /// Another registry that takes the bench's blob, by way of `uploads`.
    private func place(_ name: String, _ uploads: any PartUploading, _ bench: PartBench) throws -> FakeRepository {
        try FakeRepository(.destination, name, bench.journal, parts: uploads)
    }

    @Test("Several uploads share one read of each part")
    func once() async throws {
        let bench = try PartBench(200)
        let meeting = Meeting(of: 3)
        let uploads = (0..<3).map { _ in FakePartUploads(Journal(), partSize: 10) }
        let places = try uploads.enumerated().map { try place("to/\($0)", MeetingUploads($1, meeting), bench) }
        let large = bench.large(clock: HeldClock())
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
            clock: HeldClock()
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
        let clock = HeldClock()
        let (quick, slow) = (FakePartUploads(Journal(), partSize: 10), FakePartUploads(Journal(), partSize: 10))
        let gate = HeldUploads(slow, at: 50)
        let meeting = Meeting(of: 2)
        let places = [
            try place("to/quick", MeetingUploads(quick, meeting), bench),
            try place("to/slow", MeetingUploads(gate, meeting), bench),
        ]
        let large = bench.large(clock: clock)
        let first = Task { try await large.upload(BlobTransfer(bench.blob, from: bench.source, to: places[0]))?.name }
        let second = Task { try await large.upload(BlobTransfer(bench.blob, from: bench.source, to: places[1]))?.name }
        // Two parts are there, which the slow one has yet to send.
        while await quick.uploads["1"]?.count != 70 { await Task.yield() }
        // One look is not enough, and the second one is.
        await clock.letPass(2)
        #expect(try await first.value == "moved")
        #expect(await quick.stored == [bench.blob.digest: bench.bytes])
        #expect(await slow.stored.isEmpty)
        gate.open()
        #expect(try await second.value == "moved")
        #expect(await slow.stored == [bench.blob.digest: bench.bytes])
        // Five parts had gone to both; the quick one was two further.
        #expect(bench.gets.count == 20 + 15)
    }
}

/// So many uploads, each of which waits for the others before it sends its first part.
private final class Meeting: Sendable {
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

private struct MeetingUploads: PartUploading {
    private let base: any PartUploading
    private let meeting: Meeting

    init(_ base: any PartUploading, _ meeting: Meeting) { (self.base, self.meeting) = (base, meeting) }

    func begin() async throws -> PartUpload { try await base.begin() }

    func send(_ part: PartBuffer, at place: Int64, to upload: PartUpload) async throws -> PartReception {
        if place == 0 { try await meeting.join() }
        return try await base.send(part, at: place, to: upload)
    }

    func complete(_ upload: PartUpload, as digest: Digest) async throws -> PartCompletion {
        try await base.complete(upload, as: digest)
    }
}

/// Uploads whose part at one offset doesn't get through until the gate is open.
private final class HeldUploads: PartUploading {
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

/// A clock on which sleepers wake as often as the test lets them.
private final class HeldClock: Clock {
    typealias Instant = ContinuousClock.Instant

    private let left = Lock(0)
    private let slept = Lock(0)

    var now: Instant { .now }
    var minimumResolution: Duration { .zero }

    /// Wakes so many sleeps, each when it has begun.
    func letPass(_ count: Int) async {
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
