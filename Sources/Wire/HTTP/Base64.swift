/// Encodes standard base64 with padding (RFC 4648, section 4), piece by piece.
enum Base64 {
    /// The two characters for each value of 12 bits.
    ///
    /// The table is worth its size: a part of 10 MiB is encoded twice, once to be hashed and once to be sent.
    private static let pairs: [UInt16] = {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        return (0..<4_096).map { UInt16(alphabet[$0 >> 6]) | UInt16(alphabet[$0 & 63]) << 8 }
    }()

    /// The length of the encoded text, in characters.
    static func length(of byteCount: Int) -> Int { (byteCount + 2) / 3 * 4 }

    /// Writes a piece of the encoded text of `source`.
    ///
    /// - Parameter offset: Where the piece begins, in characters; it may be inside a group of four.
    /// - Returns: The number of characters written: the size of the room, or fewer at the end.
    static func copy(
        of source: UnsafeRawBufferPointer,
        from offset: Int,
        into room: UnsafeMutableRawBufferPointer
    ) -> Int {
        let wanted = min(room.count, length(of: source.count) - offset)
        guard wanted > 0 else { return 0 }
        var written = 0
        var group = offset / 4
        let skipped = offset % 4
        if skipped > 0 {
            let characters = unsafe characters(of: group, in: source)
            while written < wanted, skipped + written < 4 {
                unsafe room[written] = UInt8(truncatingIfNeeded: characters >> (8 * (skipped + written)))
                written += 1
            }
            group += 1
        }
        let whole = min((wanted - written) / 4, max(source.count / 3 - group, 0))
        unsafe encode(source, from: group, count: whole, into: room, at: written)
        written += 4 * whole
        group += whole
        while written < wanted {
            let characters = unsafe characters(of: group, in: source)
            for place in 0..<min(4, wanted - written) {
                unsafe room[written + place] = UInt8(truncatingIfNeeded: characters >> (8 * place))
            }
            written += min(4, wanted - written)
            group += 1
        }
        return written
    }

    /// Encodes groups of three bytes.
    private static func encode(
        _ source: UnsafeRawBufferPointer,
        from first: Int,
        count: Int,
        into room: UnsafeMutableRawBufferPointer,
        at place: Int
    ) {
        guard count > 0, let input = source.baseAddress, let output = room.baseAddress else { return }
        unsafe pairs.withUnsafeBufferPointer { pairs in
            var from = 3 * first
            var to = place
            for _ in 0..<count {
                let high = unsafe UInt32(input.load(fromByteOffset: from, as: UInt8.self))
                let middle = unsafe UInt32(input.load(fromByteOffset: from + 1, as: UInt8.self))
                let low = unsafe UInt32(input.load(fromByteOffset: from + 2, as: UInt8.self))
                let bits = high << 16 | middle << 8 | low
                let text = unsafe UInt32(pairs[Int(bits >> 12)]) | UInt32(pairs[Int(bits & 4_095)]) << 16
                unsafe output.storeBytes(of: text.littleEndian, toByteOffset: to, as: UInt32.self)
                from += 3
                to += 4
            }
        }
    }

    /// The four characters of one group, the first in the lowest byte; padded if the group isn't whole.
    private static func characters(of group: Int, in source: UnsafeRawBufferPointer) -> UInt32 {
        let first = 3 * group
        let there = min(3, source.count - first)
        var bits: UInt32 = 0
        for index in 0..<there { bits |= unsafe UInt32(source[first + index]) << (16 - 8 * UInt32(index)) }
        var text = UInt32(pairs[Int(bits >> 12)]) | UInt32(pairs[Int(bits & 4_095)]) << 16
        let padding = UInt32(UInt8(ascii: "="))
        if there < 3 { text = text & 0x00FF_FFFF | padding << 24 }
        if there < 2 { text = text & 0xFF00_FFFF | padding << 16 }
        return text
    }
}
