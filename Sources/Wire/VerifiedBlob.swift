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

    init(digest: Digest, size: Int64, ringSize: Int) {
        self.digest = digest
        self.size = size
        buffer = RelayBuffer(capacity: ringSize)
        hasher = SHA256Hasher()
    }

    /// Counts from the first byte again after a rewind.
    var delivered: Int64 { buffer.delivered }
    var isDelivered: Bool { isVerified && buffer.delivered == size }

    /// Whether a paused download has room enough to be worth waking.
    var hasRoom: Bool { buffer.room >= buffer.capacity / 2 }

    /// Whether a paused upload has bytes enough to be worth waking.
    ///
    /// A quarter of a ring: waking it for every chunk of 16 KiB costs a system call each.
    var hasPlenty: Bool { isVerified || buffer.count > buffer.capacity / 4 }

    mutating func offer(_ chunk: UnsafeRawBufferPointer) -> Offer {
        guard buffer.accepted + Int64(chunk.count) <= size else { return .tooLong }
        guard unsafe buffer.offer(chunk) else { return .full }
        unsafe hasher?.update(chunk)
        return .taken
    }

    mutating func take(into output: UnsafeMutableRawBufferPointer) -> Take {
        let moved = unsafe buffer.take(into: output, withholding: isVerified ? 0 : 1)
        guard moved == 0 else { return .bytes(moved) }
        return isDelivered ? .finished : .empty
    }

    mutating func rewind() -> Bool { buffer.rewind() }

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
