/// A small deflate: fixed codes, and matches for runs of one byte only, which is what the headers of a tar are full of.
///
/// - Source: RFC 1951, section 3.2.6
struct Deflate {
    private var bytes: [UInt8] = []
    private var pending: UInt32 = 0
    private var pendingCount: UInt32 = 0

    /// One last block of `input`.
    static func compressed(_ input: [UInt8]) -> [UInt8] {
        var output = Deflate()
        // The last block, with fixed codes.
        output.write(0b011, 3)
        var place = 0
        while place < input.count {
            let byte = input[place]
            output.literal(UInt16(byte))
            place += 1
            var run = 0
            while place + run < input.count, input[place + run] == byte { run += 1 }
            while run >= 3 {
                // Never a rest of one or two, which no match can be.
                let length = run > 258 && run < 261 ? run - 3 : min(run, 258)
                output.match(length)
                run -= length
                place += length
            }
        }
        output.literal(256)
        return output.finished()
    }

    /// Lengths from this one on, and how many more bits tell which.
    private static let lengths: [(base: Int, extraBits: UInt32)] = [
        (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0), (9, 0), (10, 0), (11, 1), (13, 1), (15, 1), (17, 1), (19, 2),
        (23, 2), (27, 2), (31, 2), (35, 3), (43, 3), (51, 3), (59, 3), (67, 4), (83, 4), (99, 4), (115, 4), (131, 5),
        (163, 5), (195, 5), (227, 5), (258, 0),
    ]

    /// A byte, the end (256), or a length's code.
    private mutating func literal(_ symbol: UInt16) {
        switch symbol {
        case 0..<144: writeCode(0b0011_0000 + symbol, 8)
        case 144..<256: writeCode(0b1_1001_0000 + (symbol - 144), 9)
        case 256..<280: writeCode(symbol - 256, 7)
        default: writeCode(0b1100_0000 + (symbol - 280), 8)
        }
    }

    /// Of the byte before, once more and again.
    private mutating func match(_ length: Int) {
        guard let index = Self.lengths.lastIndex(where: { $0.base <= length }) else { return }
        literal(257 + UInt16(index))
        write(UInt32(length - Self.lengths[index].base), Self.lengths[index].extraBits)
        // The distance 1.
        writeCode(0, 5)
    }

    /// Codes begin with their most significant bit, all else with the least.
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
