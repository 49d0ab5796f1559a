/// A parser of the value of a header field: tokens, quoted strings and lists.
///
/// - Source: RFC 9110, section 5.6
struct FieldParser {
    private(set) var rest: ArraySlice<UInt8>

    static let comma = UInt8(ascii: ",")
    static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    /// - Parameter longest: The most bytes that are read.
    init(_ field: String, longest: Int) { rest = Array(field.utf8.prefix(longest))[...] }

    var isEmpty: Bool { rest.isEmpty }
    var first: UInt8? { rest.first }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }

    mutating func skip(_ matches: (UInt8) -> Bool = isBlank) { rest = rest.drop(while: matches) }

    mutating func skipOne() { rest = rest.dropFirst() }

    /// Skips to the byte at `index`.
    mutating func skip(to index: Int) { rest = rest[index...] }

    mutating func take(_ matches: (UInt8) -> Bool) -> String {
        let taken = rest.prefix(while: matches)
        rest = rest[taken.endIndex...]
        return String(decoding: taken, as: UTF8.self)
    }

    /// Reads a quoted string from its first quote, and returns whether it has a closing quote.
    mutating func quoted() -> (text: String, isWhole: Bool) {
        rest = rest.dropFirst()
        var text: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case Self.quote: return (String(decoding: text, as: UTF8.self), true)
            case Self.backslash:
                text.append(rest.popFirst() ?? byte)
            default: text.append(byte)
            }
        }
        return (String(decoding: text, as: UTF8.self), false)
    }

    /// Skips past the next comma that isn't quoted.
    mutating func skipElement() {
        while let byte = rest.first, byte != Self.comma {
            if byte == Self.quote { _ = quoted() } else { rest = rest.dropFirst() }
        }
        rest = rest.dropFirst()
    }
}
