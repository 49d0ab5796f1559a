/// Bytes that look random, and are the same for the same seed on every machine.
///
/// They don't compress, so a copy that cheats by compressing gains nothing (splitmix64).
public struct SeedBytes: Sendable {
    private var state: UInt64

    /// In bytes: what ``forEachChunk(of:_:)`` hands on at a time.
    private static let chunkSize = 1 << 20

    public init(seed: UInt64) { state = seed }

    /// The first `count` bytes.
    public func prefix(_ count: Int) -> [UInt8] {
        var copy = self
        return copy.next(count)
    }

    /// Hands on the first `byteCount` bytes in pieces of 1 MiB.
    public func forEachChunk(of byteCount: Int64, _ body: ([UInt8]) throws -> Void) rethrows {
        var copy = self
        var rest = byteCount
        while rest > 0 {
            let count = Int(min(rest, Int64(Self.chunkSize)))
            try body(copy.next(count))
            rest -= Int64(count)
        }
    }

    /// Whole words are drawn, so `count` must be a multiple of 8 everywhere but at the end.
    private mutating func next(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = state
            word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            word ^= word >> 31
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
