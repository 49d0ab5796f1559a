/// The bytes between one download and one upload, as a plain value.
///
/// `RelayBuffer` never sees libcurl, so every interleaving of its two ends is testable as ordinary calls.
///
/// - Invariant: `accepted - delivered == count <= capacity`, all in bytes.
struct RelayBuffer: ~Copyable {
    let capacity: Int
    private(set) var accepted: Int64 = 0
    private(set) var delivered: Int64 = 0
    private var ring: [UInt8]

    /// The largest chunk that libcurl hands to a write callback (`CURL_MAX_WRITE_SIZE`), in bytes.
    static let largestChunk = 16_384

    /// - Parameter capacity: In bytes; at least twice ``largestChunk``, so that half a ring always has room for
    ///   the chunk that a paused download holds.
    init(capacity: Int) {
        precondition(capacity >= 2 * Self.largestChunk)
        self.capacity = capacity
        ring = [UInt8](repeating: 0, count: capacity)
    }

    /// Bytes accepted and not yet delivered.
    var count: Int { Int(accepted - delivered) }

    var room: Int { capacity - count }

    /// Takes the whole chunk or none of it: libcurl has no partial write.
    ///
    /// - Returns: Whether it was taken.
    mutating func offer(_ chunk: UnsafeRawBufferPointer) -> Bool {
        guard chunk.count <= room else { return false }
        let start = Int(accepted % Int64(capacity))
        let untilWrap = min(chunk.count, capacity - start)
        unsafe ring.withUnsafeMutableBytes { ring in
            unsafe UnsafeMutableRawBufferPointer(rebasing: ring[start...]).copyBytes(from: chunk.prefix(untilWrap))
            unsafe ring.copyBytes(from: chunk.dropFirst(untilWrap))
        }
        accepted += Int64(chunk.count)
        return true
    }

    /// Moves what is ready, up to the room in `output`, and leaves the newest `withheld` bytes behind.
    ///
    /// - Returns: How many bytes were moved.
    mutating func take(into output: UnsafeMutableRawBufferPointer, withholding withheld: Int = 0) -> Int {
        let moved = min(count - withheld, output.count)
        guard moved > 0 else { return 0 }
        let start = Int(delivered % Int64(capacity))
        let untilWrap = min(moved, capacity - start)
        unsafe ring.withUnsafeBytes { ring in
            unsafe output.copyBytes(from: ring[start..<start + untilWrap])
            unsafe UnsafeMutableRawBufferPointer(rebasing: output[untilWrap...])
                .copyBytes(from: ring[..<(moved - untilWrap)])
        }
        delivered += Int64(moved)
        return moved
    }

    /// Begins delivery again from the first byte, if no byte has been overwritten yet.
    ///
    /// libcurl asks for it when a kept-alive connection turns out to be dead (SWIFT.md T6).
    mutating func rewind() -> Bool {
        guard accepted <= Int64(capacity) else { return false }
        delivered = 0
        return true
    }
}
