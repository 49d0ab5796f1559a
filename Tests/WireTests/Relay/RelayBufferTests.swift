import Content
import Testing

@testable import Wire

@Suite("A relay buffer")
struct RelayBufferTests {
    private static let capacity = 2 * RelayBuffer.largestChunk

    @Test(
        "delivers every byte once, in order",
        arguments: [1, 7, 4_096, 16_384],
        [1, 1_000, 65_536]
    )
    func deliversInOrder(offered: Int, taken: Int) {
        var buffer = RelayBuffer(capacity: Self.capacity)
        let sent = sampleBytes(100_000)
        var received: [UInt8] = []
        var cursor = 0

        while received.count < sent.count {
            let chunk = sent[cursor..<min(cursor + offered, sent.count)]
            if buffer.offer(Array(chunk)) { cursor = chunk.endIndex }
            received += buffer.take(taken)
            let count = buffer.count
            #expect(count == cursor - received.count)
            #expect(count <= Self.capacity)
        }

        #expect(received == sent)
    }

    @Test("accepts a chunk whole or not at all")
    func refusesWhatDoesNotFit() {
        var buffer = RelayBuffer(capacity: Self.capacity)
        let taken = [
            buffer.offer([UInt8](repeating: 1, count: Self.capacity - 1)),
            buffer.offer([2, 2]),
            buffer.offer([3]),
            buffer.offer([4]),
        ]
        let room = buffer.room

        #expect(taken == [true, false, true, false])
        #expect(room == 0)
    }

    @Test("withholds the newest bytes on every call")
    func withholds() {
        var buffer = RelayBuffer(capacity: Self.capacity)
        _ = buffer.offer([1, 2, 3])
        let taken = [buffer.take(10, withholding: 1), buffer.take(10, withholding: 1), buffer.take(10)]

        #expect(taken == [[1, 2], [], [3]])
    }

    @Test("rewinds until a byte is overwritten, and refuses afterwards")
    func rewinds() {
        var buffer = RelayBuffer(capacity: Self.capacity)
        let sent = sampleBytes(Self.capacity)
        _ = buffer.offer(sent)
        let begun = buffer.take(20_000)
        let hasRewound = buffer.rewind()
        let again = buffer.take(65_536)
        _ = buffer.offer([9])
        let rewindsTwice = buffer.rewind()
        let rest = buffer.take(65_536)

        #expect(begun == Array(sent[..<20_000]))
        #expect(hasRewound)
        #expect(again == sent)
        #expect(!rewindsTwice)
        #expect(rest == [9])
    }
}

@Suite("A relay buffer with several readers")
struct SharedBufferTests {
    @Test("delivers every byte to each reader, at the reader's pace", arguments: [1, 3, 7])
    func paces(_ readers: Int) {
        var buffer = RelayBuffer(capacity: 2 * RelayBuffer.largestChunk, readers: readers)
        let sent = sampleBytes(200_000)
        var received = [[UInt8]](repeating: [], count: readers)
        var cursor = 0
        while received.contains(where: { $0.count < sent.count }) {
            let chunk = sent[cursor..<min(cursor + 5_000, sent.count)]
            if !chunk.isEmpty, buffer.offer(Array(chunk)) { cursor = chunk.endIndex }
            for reader in 0..<readers { received[reader] += buffer.take(1_000 * (reader + 1), for: reader) }
            let slowest = received.map(\.count).min() ?? 0
            let count = buffer.count
            #expect(count == cursor - slowest)
        }
        #expect(received.allSatisfy { $0 == sent })
    }

    @Test("waits for the slowest reader until it leaves")
    func leaving() {
        var buffer = RelayBuffer(capacity: 2 * RelayBuffer.largestChunk, readers: 2)
        let whole = sampleBytes(2 * RelayBuffer.largestChunk)
        _ = buffer.offer(whole)
        _ = buffer.take(whole.count, for: 0)
        let isFull = !buffer.offer([1])
        buffer.leave(1)
        let hasRoom = buffer.offer([1])
        let last = buffer.take(10, for: 0)
        let gone = buffer.take(10, for: 1)
        #expect(isFull && hasRoom)
        #expect(last == [1])
        #expect(gone == [])
    }
}

@Suite("A blob under verification")
struct VerifiedBlobTests {
    private func blob(_ bytes: [UInt8]) -> VerifiedBlob {
        VerifiedBlob(digest: Digest(of: bytes), size: Int64(bytes.count), ringSize: 2 * RelayBuffer.largestChunk)
    }

    @Test("releases the last byte only when size and digest match")
    func lastByte() throws {
        var blob = blob([1, 2, 3])
        let offer = blob.offer([1, 2, 3])
        let before = [blob.take(10), blob.take(10)]
        let wasDelivered = blob.isDelivered()
        try blob.finishInput()
        let after = [blob.take(10), blob.take(10)]
        let isDelivered = blob.isDelivered()

        #expect(offer == .taken)
        #expect(before == [[1, 2], nil])
        #expect(!wasDelivered)
        #expect(after == [[3], []])
        #expect(isDelivered)
    }

    @Test("keeps the last byte of a corrupt source for ever")
    func corrupt() {
        var blob = blob([1, 2, 3])
        _ = blob.offer([1, 2, 4])
        let error = blob.finishingError()
        let taken = [blob.take(10), blob.take(10)]

        #expect(error?.reason == .corrupt)
        #expect(error?.end == .source)
        #expect(error?.detail.contains(Digest(of: [1, 2, 4]).hex) == true)
        #expect(error?.detail.contains(Digest(of: [1, 2, 3]).hex) == true)
        #expect(taken == [[1, 2], nil])
    }

    @Test("distinguishes a short source from a long one")
    func wrongSize() {
        var short = blob([1, 2, 3])
        _ = short.offer([1, 2])
        let error = short.finishingError()
        var long = blob([1, 2, 3])
        let offer = long.offer([1, 2, 3, 4])

        #expect(error?.reason == .tooShort)
        #expect(error?.detail.contains("2 of 3 bytes") == true)
        #expect(offer == .tooLong)
    }

    @Test("withholds nothing if it is empty")
    func nothing() throws {
        var blob = blob([])
        try blob.finishInput()
        let isDelivered = blob.isDelivered()
        let taken = blob.take(10)

        #expect(isDelivered)
        #expect(taken == [])
    }
}

extension RelayBuffer {
    fileprivate mutating func offer(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { offer($0) } }

    fileprivate mutating func take(_ count: Int, for reader: Int = 0, withholding: Int = 0) -> [UInt8] {
        var room = [UInt8](repeating: 0, count: count)
        let moved = room.withUnsafeMutableBytes { take(into: $0, for: reader, withholding: withholding) }
        return Array(room.prefix(moved))
    }
}

extension VerifiedBlob {
    fileprivate mutating func offer(_ bytes: [UInt8]) -> Offer { bytes.withUnsafeBytes { offer($0) } }

    fileprivate mutating func finishingError() -> WireError? {
        do {
            try finishInput()
            return nil
        } catch {
            return error
        }
    }

    /// Takes bytes; returns none at the end, and `nil` if there are none yet.
    fileprivate mutating func take(_ count: Int) -> [UInt8]? {
        var room = [UInt8](repeating: 0, count: count)
        switch room.withUnsafeMutableBytes({ take(into: $0) }) {
        case .bytes(let moved): return Array(room.prefix(moved))
        case .empty: return nil
        case .finished: return []
        }
    }
}
