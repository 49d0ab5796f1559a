/// Kinds of characters that may surround a pasted value.
extension Unicode.Scalar {
    package var isLineBreak: Bool {
        self == "\n" || self == "\r" || value == 0x2028 || value == 0x2029 || value == 0x85
    }

    /// Whether it is invisible: a byte order mark, a zero-width space, a control character.
    package var isInvisible: Bool {
        properties.generalCategory == .format || properties.generalCategory == .control && self != "\t"
    }

    /// Whether it is a quote, typographic ones included.
    package var isQuote: Bool {
        switch properties.generalCategory {
        case .initialPunctuation, .finalPunctuation: true
        // The low ones count as opening brackets.
        default: self == "\"" || self == "'" || self == "`" || value == 0x201A || value == 0x201E || value == 0xB4
        }
    }

    /// Whether it may surround a pasted value.
    package var isAroundPastes: Bool { isQuote || isInvisible || isLineBreak || properties.isWhitespace }
}
