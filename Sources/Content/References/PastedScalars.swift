/// Kinds of characters that come along when a value is pasted.
extension Unicode.Scalar {
    package var isLineBreak: Bool {
        self == "\n" || self == "\r" || value == 0x2028 || value == 0x2029 || value == 0x85
    }

    /// Whether nothing is seen of it: a byte order mark, a zero-width space, a control character.
    package var isInvisible: Bool {
        properties.generalCategory == .format || properties.generalCategory == .control && self != "\t"
    }

    /// Whether it is a quote, a typographic one too.
    package var isQuote: Bool {
        switch properties.generalCategory {
        case .initialPunctuation, .finalPunctuation: true
        // The low ones count as opening brackets.
        default: self == "\"" || self == "'" || self == "`" || value == 0x201A || value == 0x201E || value == 0xB4
        }
    }

    /// Whether it may have come along before or behind a value.
    package var isAroundPastes: Bool { isQuote || isInvisible || isLineBreak || properties.isWhitespace }
}
