/// Characters that surround a pasted reference.
enum PastedScalars {
    /// The mistake at the ends of a reference, and what to write instead; `nil` if there is none.
    ///
    /// A directory's name may end with a blank, so only line breaks are refused at the end of an image layout.
    static func fault(around text: String) -> String? {
        var bare = text[...]
        while let first = bare.unicodeScalars.first, first.isAroundPastes { bare.unicodeScalars.removeFirst() }
        let isPath = ImageLayout.form(of: String(bare)) != nil
        while let last = bare.unicodeScalars.last, isPath ? last.isLineBreak : last.isAroundPastes {
            bare.unicodeScalars.removeLast()
        }
        guard bare != text, !bare.isEmpty, let first = text.unicodeScalars.first, let last = text.unicodeScalars.last
        else {
            return nil
        }
        let ends = [bare.startIndex > text.startIndex ? first : nil, bare.endIndex < text.endIndex ? last : nil]
        let found = ends.compactMap { $0 }
        let kind =
            found.contains(where: \.isLineBreak)
            ? "a line break" : found.contains(where: \.isQuote) ? "quotes" : "a blank or an invisible character"
        return "it has \(kind) around it; write \(quotable(bare, upTo: 300))"
    }
}

/// Kinds of characters that may surround a pasted value.
extension Unicode.Scalar {
    package var isLineBreak: Bool {
        self == "\n" || self == "\r" || value == 0x2028 || value == 0x2029 || value == 0x85
    }

    /// Whether it is invisible: a byte order mark, a zero-width space, a control character.
    package var isInvisible: Bool {
        properties.generalCategory == .format || properties.generalCategory == .control && self != "\t"
    }

    /// Whether it is a quotation mark, also a typographic one.
    package var isQuote: Bool {
        switch properties.generalCategory {
        case .initialPunctuation, .finalPunctuation: true
        // Unicode counts the low quotation marks as opening brackets.
        default: self == "\"" || self == "'" || self == "`" || value == 0x201A || value == 0x201E || value == 0xB4
        }
    }

    /// Whether it may surround a pasted value.
    package var isAroundPastes: Bool { isQuote || isInvisible || isLineBreak || properties.isWhitespace }
}
