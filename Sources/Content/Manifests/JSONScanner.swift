/// Finds the punctuation and the strings in JSON, without checking that the text is JSON.
struct JSONScanner {
    enum Event {
        /// A string, with its quotes.
        case string(Range<Int>)
        /// A bracket, a brace or a comma.
        case mark(UInt8)
    }

    let bytes: [UInt8]
    private(set) var depth = 0
    private(set) var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func next() -> Event? {
        while position < bytes.count {
            let start = position
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                    position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
                }
                position = min(position + 1, bytes.count)
                return .string(start..<position)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                return .mark(byte)
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                return .mark(byte)
            case UInt8(ascii: ","): return .mark(byte)
            default: continue
            }
        }
        return nil
    }

    /// Whether a colon follows, so that the string before it is a member's name.
    var isBeforeColon: Bool { bytes[position...].first { !Self.isBlank($0) } == UInt8(ascii: ":") }

    /// The range of `null`, if that follows the colon.
    func null() -> Range<Int>? {
        guard let colon = bytes[position...].firstIndex(of: UInt8(ascii: ":")),
            let start = bytes[(colon + 1)...].firstIndex(where: { !Self.isBlank($0) }),
            bytes[start...].starts(with: Array("null".utf8))
        else { return nil }
        return start..<start + 4
    }

    /// The range without blanks at both ends; `nil` if nothing is left.
    func trimmed(_ range: Range<Int>) -> Range<Int>? {
        guard let first = bytes[range].firstIndex(where: { !Self.isBlank($0) }),
            let last = bytes[range].lastIndex(where: { !Self.isBlank($0) })
        else { return nil }
        return first..<last + 1
    }

    private static func isBlank(_ byte: UInt8) -> Bool { [9, 10, 13, 32].contains(byte) }
}
