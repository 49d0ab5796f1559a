/// The ring of bytes between one download and its uploads, as a plain value.
///
/// `RelayBuffer` doesn't use libcurl, so every order of calls can be tested directly. Each reader has its own position;
/// the room of a byte is free when the slowest reader has passed it.
///
/// - Invariant: `accepted - delivered(reader) <= count <= capacity` for every reader that has not left, all in bytes.
struct RelayBuffer: ~Copyable {
    let capacity: Int
    private(set) var accepted: Int64 = 0
    /// The position of each reader; `nil` for one that has left.
    private var places: [Int64?]
    /// The position of the slowest reader, or ``accepted`` if all have left.
    private var slowest: Int64 = 0
    private var ring: [UInt8]

    /// The largest chunk that libcurl hands to a write callback (`CURL_MAX_WRITE_SIZE`), in bytes.
    static let largestChunk = 16_384

    /// - Parameters:
    ///   - capacity: In bytes; at least twice ``largestChunk``, so that half of the ring always has room for the chunk
    ///     that a paused download holds.
    ///   - readers: The number of readers.
    init(capacity: Int, readers: Int = 1) {
        precondition(capacity >= 2 * Self.largestChunk && readers >= 1)
        self.capacity = capacity
        places = Array(repeating: 0, count: readers)
        ring = [UInt8](repeating: 0, count: capacity)
    }

    /// The bytes that at least one reader has yet to take.
    var count: Int { Int(accepted - slowest) }

    var room: Int { capacity - count }

    /// The bytes that this reader has taken; all of them if it has left.
    func delivered(_ reader: Int = 0) -> Int64 { places[reader] ?? accepted }

    /// The bytes that this reader has yet to take.
    func backlog(_ reader: Int = 0) -> Int { Int(accepted - delivered(reader)) }

    /// Accepts the whole chunk or none of it, because libcurl has no partial write.
    ///
    /// - Returns: Whether it was accepted.
    mutating func offer(_ chunk: UnsafeRawBufferPointer) -> Bool {
        guard chunk.count <= room else { return false }
        let start = Int(accepted % Int64(capacity))
        let untilWrap = min(chunk.count, capacity - start)
        unsafe ring.withUnsafeMutableBytes { ring in
            unsafe UnsafeMutableRawBufferPointer(rebasing: ring[start...]).copyBytes(from: chunk.prefix(untilWrap))
            unsafe ring.copyBytes(from: chunk.dropFirst(untilWrap))
        }
        accepted += Int64(chunk.count)
        if places.allSatisfy({ $0 == nil }) { slowest = accepted }
        return true
    }

    /// Copies bytes for this reader into `output`, up to its size, but not the newest `withheld` bytes.
    ///
    /// - Returns: The number of bytes copied.
    mutating func take(
        into output: UnsafeMutableRawBufferPointer,
        for reader: Int = 0,
        withholding withheld: Int = 0
    ) -> Int {
        let delivered = delivered(reader)
        let moved = min(Int(accepted - delivered) - withheld, output.count)
        guard moved > 0 else { return 0 }
        let start = Int(delivered % Int64(capacity))
        let untilWrap = min(moved, capacity - start)
        unsafe ring.withUnsafeBytes { ring in
            unsafe output.copyBytes(from: ring[start..<start + untilWrap])
            unsafe UnsafeMutableRawBufferPointer(rebasing: output[untilWrap...])
                .copyBytes(from: ring[..<(moved - untilWrap)])
        }
        place(reader, at: delivered + Int64(moved))
        return moved
    }

    /// Moves this reader back to the first byte, if no byte has been overwritten yet.
    ///
    /// libcurl needs this when a kept-alive connection turns out to be dead (docs/facts/libcurl.md#retried-uploads).
    mutating func rewind(_ reader: Int = 0) -> Bool {
        guard accepted <= Int64(capacity), places[reader] != nil else { return false }
        place(reader, at: 0)
        return true
    }

    /// Removes this reader, so that the others no longer wait for it.
    mutating func leave(_ reader: Int) { place(reader, at: nil) }

    private mutating func place(_ reader: Int, at place: Int64?) {
        places[reader] = place
        slowest = places.lazy.compactMap { $0 }.min() ?? accepted
    }
}
