/// A small deflate compressor with fixed codes.
///
/// It compresses only runs of one byte, such as those in a tar header.
///
/// - Source: RFC 1951, section 3.2.6
struct Deflate {
    private var bytes: [UInt8] = []
    private var pending: UInt32 = 0
    private var pendingCount: UInt32 = 0

    /// Compresses `input` as one final block.
    static func compressed(_ input: [UInt8]) -> [UInt8] {
        var output = Deflate()
        // The header of the final block, with fixed codes.
        output.write(0b011, 3)
        var position = 0
        while position < input.count {
            let byte = input[position]
            output.literal(UInt16(byte))
            position += 1
            var run = 0
            while position + run < input.count, input[position + run] == byte { run += 1 }
            while run >= 3 {
                // Never leave a rest of one or two, which is too short for a match.
                let length = run > 258 && run < 261 ? run - 3 : min(run, 258)
                output.match(length)
                run -= length
                position += length
            }
        }
        output.literal(256)
        return output.finished()
    }

    /// The shortest length of each length code, and the number of extra bits that give the exact length.
    private static let lengths: [(base: Int, extraBits: UInt32)] = [
        (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0), (9, 0), (10, 0), (11, 1), (13, 1), (15, 1), (17, 1), (19, 2),
        (23, 2), (27, 2), (31, 2), (35, 3), (43, 3), (51, 3), (59, 3), (67, 4), (83, 4), (99, 4), (115, 4), (131, 5),
        (163, 5), (195, 5), (227, 5), (258, 0),
    ]

    /// Writes a symbol: a byte, the end of the block (256), or a length code.
    private mutating func literal(_ symbol: UInt16) {
        switch symbol {
        case 0..<144: writeCode(0b0011_0000 + symbol, 8)
        case 144..<256: writeCode(0b1_1001_0000 + (symbol - 144), 9)
        case 256..<280: writeCode(symbol - 256, 7)
        default: writeCode(0b1100_0000 + (symbol - 280), 8)
        }
    }

    /// Writes a match that repeats the byte before it.
    private mutating func match(_ length: Int) {
        guard let index = Self.lengths.lastIndex(where: { $0.base <= length }) else { return }
        literal(257 + UInt16(index))
        write(UInt32(length - Self.lengths[index].base), Self.lengths[index].extraBits)
        // The code for distance 1.
        writeCode(0, 5)
    }

    /// Writes a code, which begins with its most significant bit, unlike all other values.
    private mutating func writeCode(_ code: UInt16, _ count: UInt32) {
        for bit in stride(from: Int(count) - 1, through: 0, by: -1) { write(UInt32(code >> UInt16(bit)) & 1, 1) }
    }

    private mutating func write(_ bits: UInt32, _ count: UInt32) {
        pending |= bits << pendingCount
        pendingCount += count
        while pendingCount >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            pendingCount -= 8
        }
    }

    private consuming func finished() -> [UInt8] {
        if pendingCount > 0 { bytes.append(UInt8(truncatingIfNeeded: pending)) }
        return bytes
    }
}
