/// A CRC-32 as in gzip, which can be computed for generated gigabytes without generating them.
///
/// - Source: RFC 1952, section 8; the CRC of a long text follows from the CRCs of its parts (linear algebra over GF(2))
struct CRC32: Sendable, Equatable {
    private static let table: [UInt32] = (0..<256).map { (byte: UInt32) in
        (0..<8).reduce(byte) { crc, _ in crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1 }
    }

    /// The state after all bytes so far, before the final inversion.
    private(set) var state: UInt32 = .max

    var value: UInt32 { ~state }

    init() {}

    /// Computes the difference between the states after these bytes and after as many zero bytes.
    private init(of bytes: some Sequence<UInt8>) {
        state = 0
        update(bytes)
    }

    mutating func update(_ bytes: some Sequence<UInt8>) {
        var state = state
        for byte in bytes { state = Self.step(state, byte) }
        self.state = state
    }

    private static func step(_ state: UInt32, _ byte: UInt8) -> UInt32 {
        table[Int(UInt8(truncatingIfNeeded: state) ^ byte)] ^ (state >> 8)
    }

    /// Adds `count` repetitions of `block`, each with its number mixed into its first 8 bytes.
    mutating func update(repeating block: [UInt8], count: Int64) {
        guard count > 0 else { return }
        let whole = Shift(by: block.count)
        let rest = Shift(by: block.count - 8)
        let fixed = CRC32(of: block).state
        for number in 0..<UInt64(count) {
            var counter: UInt32 = 0
            for byte in stride(from: UInt64(0), to: 64, by: 8) {
                counter = Self.step(counter, UInt8(truncatingIfNeeded: number >> byte))
            }
            state = whole.applied(to: state) ^ fixed ^ rest.applied(to: counter)
        }
    }

    /// The effect of a run of zero bytes on a state.
    private struct Shift {
        /// The result for each value of each of a state's four bytes.
        private let tables: [[UInt32]]

        init(by count: Int) {
            // The columns of a matrix: the result for each single bit.
            var power = (0..<32).map { bit in CRC32.step(UInt32(1) << bit, 0) }
            var columns = (0..<32).map { UInt32(1) << $0 }
            var rest = count
            while rest > 0 {
                if rest & 1 == 1 { columns = columns.map { Self.product(power, $0) } }
                power = power.map { Self.product(power, $0) }
                rest >>= 1
            }
            tables = (0..<4).map { place in
                (0..<256).map { byte in Self.product(columns, UInt32(byte) << (8 * place)) }
            }
        }

        func applied(to state: UInt32) -> UInt32 {
            tables[0][Int(state & 255)] ^ tables[1][Int(state >> 8 & 255)] ^ tables[2][Int(state >> 16 & 255)]
                ^ tables[3][Int(state >> 24)]
        }

        private static func product(_ columns: [UInt32], _ vector: UInt32) -> UInt32 {
            var (result, vector, bit): (UInt32, UInt32, Int) = (0, vector, 0)
            while vector != 0 {
                if vector & 1 == 1 { result ^= columns[bit] }
                vector >>= 1
                bit += 1
            }
            return result
        }
    }
}
