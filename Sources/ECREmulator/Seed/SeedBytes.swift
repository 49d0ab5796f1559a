/// Bytes that look random and are the same for the same seed on every machine.
///
/// They don't compress, so a copy can't save time by compressing them. Any range can be read directly, as fast as
/// memory can be copied. One block of random words repeats, and the repetition's number is mixed into its first word,
/// so all repetitions differ: a lost, doubled or misplaced one changes the hash.
public struct SeedBytes: Sendable, Equatable {
    /// The block's size, in bytes: longer than gzip's window, so that gzip finds no repetition, and quick to make.
    private static let blockSize = 65_536
    /// The size of the pieces in ``forEachChunk(of:_:)``, in bytes.
    private static let chunkSize: Int64 = 1 << 20

    private let block: [UInt8]

    /// Makes the block that repeats (splitmix64).
    ///
    /// - Parameter byteCount: The most bytes that will be read; a small number saves time.
    public init(seed: UInt64, byteCount: Int64 = .max) {
        let size = Int(min(Int64(Self.blockSize), byteCount))
        var state = seed
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size + 8)
        while bytes.count < size {
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = state
            word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            word ^= word >> 31
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        block = bytes
    }

    /// Returns the first `count` bytes.
    public func prefix(_ count: Int) -> [UInt8] { read(at: 0, count: count) }

    /// Returns `count` bytes, starting at `offset`.
    public func read(at offset: Int64, count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            let (number, start) = (offset + Int64(bytes.count)).quotientAndRemainder(dividingBy: Int64(Self.blockSize))
            let place = bytes.count
            let end = min(Self.blockSize, Int(start) + count - place)
            bytes += block[Int(start)..<end]
            for index in Int(start)..<max(Int(start), min(8, end)) {
                bytes[place + index - Int(start)] ^= UInt8(truncatingIfNeeded: number >> Int64(8 * index))
            }
        }
        return bytes
    }

    /// Adds the first `byteCount` bytes to a checksum, without generating more than one block of them.
    func update(_ crc: inout CRC32, byteCount: Int64) {
        let whole = block.count == Self.blockSize ? byteCount / Int64(Self.blockSize) : 0
        crc.update(repeating: block, count: whole)
        let done = whole * Int64(Self.blockSize)
        crc.update(read(at: done, count: Int(byteCount - done)))
    }

    /// Calls `body` with the first `byteCount` bytes, in pieces of 1 MiB.
    public func forEachChunk(of byteCount: Int64, _ body: ([UInt8]) throws -> Void) rethrows {
        var offset: Int64 = 0
        while offset < byteCount {
            let count = min(byteCount - offset, Self.chunkSize)
            try body(read(at: offset, count: Int(count)))
            offset += count
        }
    }
}
