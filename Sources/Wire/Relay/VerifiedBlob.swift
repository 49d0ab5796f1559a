internal import Content

/// One blob on its way through a relay: counted and hashed going in, its last byte kept until both agree.
///
/// A server can't store what it never got whole, so a short, long or corrupt source can't be committed,
/// whatever the destination checks itself. A pure value, like the ``RelayBuffer`` in it.
struct VerifiedBlob: ~Copyable {
    enum Offer: Equatable { case taken, full, tooLong }
    enum Take: Equatable { case bytes(Int), empty, finished }

    let digest: Digest
    /// In bytes.
    let size: Int64
    private var buffer: RelayBuffer
    private var hasher: SHA256Hasher?
    private(set) var isVerified = false

    /// - Parameter ringSize: In bytes, at most: a blob that is smaller needs no more than its own length.
    init(digest: Digest, size: Int64, ringSize: Int, readers: Int = 1) {
        self.digest = digest
        self.size = size
        // A full ring of a blob's own length would still have no room for the chunk that shows it to be too long.
        let enough = size < Int64(ringSize) ? Int(max(size, 0)) + RelayBuffer.largestChunk : ringSize
        buffer = RelayBuffer(capacity: min(max(enough, 2 * RelayBuffer.largestChunk), ringSize), readers: readers)
        hasher = SHA256Hasher()
    }

    /// Counts from the first byte again after a rewind.
    func delivered(_ reader: Int = 0) -> Int64 { buffer.delivered(reader) }
    func isDelivered(_ reader: Int = 0) -> Bool { isVerified && buffer.delivered(reader) == size }

    /// Whether this reader has nothing to take before more comes in.
    func isDrained(_ reader: Int) -> Bool { !isVerified && buffer.backlog(reader) <= 1 }

    /// How full the ring is with what this reader has still to take: 0 to 1.
    func pressure(_ reader: Int) -> Double { Double(buffer.backlog(reader)) / Double(buffer.capacity) }

    /// Whether a paused download has room enough to be worth waking.
    var hasRoom: Bool { buffer.room >= buffer.capacity / 2 }

    /// How much may be offered now, in bytes.
    var room: Int { buffer.room }

    /// Whether a paused upload has bytes enough to be worth waking.
    ///
    /// A quarter of a ring: waking it for every chunk of 16 KiB costs a system call each.
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

    /// Compares what came with what was wanted, and lets the last byte go if they agree.
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

extension VerifiedBlob {
    /// The next bytes for a reader that isn't libcurl; empty if there are none now.
    mutating func chunk(for reader: Int, atMost count: Int) -> [UInt8] {
        let ready = min(count, max(buffered(reader), 0))
        // The array of nothing is one for all threads, and filling it writes its length.
        guard ready > 0 else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: ready) { room, filled in
            guard case .bytes(let moved) = unsafe take(into: UnsafeMutableRawBufferPointer(room), for: reader) else {
                return
            }
            filled = moved
        }
    }

    private func buffered(_ reader: Int) -> Int { buffer.backlog(reader) - (isVerified ? 0 : 1) }
}
