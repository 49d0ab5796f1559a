internal import Content

/// The bytes of one blob in a relay, counted and hashed as they arrive; the last byte is withheld until digest and size
/// match.
///
/// A server can't store a blob that it never got completely, so a short, long or corrupt source is never committed, even
/// if the destination checks nothing. It is a plain value, like its ``RelayBuffer``.
struct VerifiedBlob: ~Copyable {
    enum Offer: Equatable { case taken, full, tooLong }
    enum Take: Equatable { case bytes(Int), empty, finished }

    let digest: Digest
    /// The expected size, in bytes.
    let size: Int64
    private var buffer: RelayBuffer
    private var hasher: SHA256Hasher?
    private(set) var isVerified = false

    /// - Parameter ringSize: The size of the ring, in bytes; a smaller blob gets a smaller ring.
    init(digest: Digest, size: Int64, ringSize: Int, readers: Int = 1) {
        self.digest = digest
        self.size = size
        // The ring has room for one more chunk, so that a blob that is too long is detected.
        let enough = size < Int64(ringSize) ? Int(max(size, 0)) + RelayBuffer.largestChunk : ringSize
        buffer = RelayBuffer(capacity: min(max(enough, 2 * RelayBuffer.largestChunk), ringSize), readers: readers)
        hasher = SHA256Hasher()
    }

    /// The bytes that this reader has taken; a rewind sets it back to 0.
    func delivered(_ reader: Int = 0) -> Int64 { buffer.delivered(reader) }
    func isDelivered(_ reader: Int = 0) -> Bool { isVerified && buffer.delivered(reader) == size }

    /// Whether this reader can take nothing until more bytes arrive.
    func isDrained(_ reader: Int) -> Bool { !isVerified && buffer.backlog(reader) <= 1 }

    /// The part of the ring that this reader has yet to take: 0 to 1.
    func pressure(_ reader: Int) -> Double { Double(buffer.backlog(reader)) / Double(buffer.capacity) }

    /// Whether there is enough room to resume a paused download.
    var hasRoom: Bool { buffer.room >= buffer.capacity / 2 }

    /// The bytes that may be offered now.
    var room: Int { buffer.room }

    /// Whether there are enough bytes to resume a paused upload.
    ///
    /// A quarter of the ring is enough. To resume for every chunk of 16 KiB would cost a system call each time.
    func hasPlenty(_ reader: Int = 0) -> Bool { isVerified || buffer.backlog(reader) > buffer.capacity / 4 }

    mutating func offer(_ chunk: UnsafeRawBufferPointer) -> Offer {
        guard buffer.accepted + Int64(chunk.count) <= size else { return .tooLong }
        guard unsafe buffer.offer(chunk) else { return .full }
        unsafe hasher?.update(chunk)
        return .taken
    }

    mutating func take(into output: UnsafeMutableRawBufferPointer, for reader: Int = 0) -> Take {
        let moved = unsafe buffer.take(into: output, for: reader, withholding: isVerified ? 0 : 1)
        guard moved == 0 else { return .bytes(moved) }
        return isDelivered(reader) ? .finished : .empty
    }

    mutating func rewind(_ reader: Int = 0) -> Bool { buffer.rewind(reader) }

    mutating func leave(_ reader: Int) { buffer.leave(reader) }

    /// Compares size and digest with the expected ones, and releases the last byte if they match.
    ///
    /// - Throws: ``WireError/Reason/tooShort`` or ``WireError/Reason/corrupt``
    mutating func finishInput() throws(WireError) {
        guard buffer.accepted == size else {
            throw WireError(.tooShort, "ended after \(buffer.accepted) of \(size) bytes", end: .source)
        }
        guard let received = hasher.take()?.finishDigest() else { return }
        guard received == digest else {
            throw WireError(.corrupt, "its \(size) bytes hash to \(received), not \(digest)", end: .source)
        }
        isVerified = true
    }
}
