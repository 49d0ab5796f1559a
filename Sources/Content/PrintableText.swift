/// The most of one remote text that people are shown, in bytes of UTF-8 (docs/architecture.md#bounds).
public let longestPrintable = 1_024

/// A remote's words, fit to be shown on a terminal, in a log or in a JSON document: one line, nothing invisible, cut.
///
/// This is the one place where text from elsewhere is made harmless; everything that quotes a server, a helper program
/// or a file goes through it or through ``quotable(_:upTo:)``. Control characters would speak to the terminal, format
/// characters (bidirectional controls, zero-width characters, tag characters) would make a line read as another one,
/// and stacked combining marks would cover the lines above. Each of them becomes a blank; blanks in a row become one.
///
/// - Parameter limit: In bytes of UTF-8; what is longer ends with an ellipsis after a whole character.
/// - Source: Unicode Standard 15, sections 23.1 to 23.9; UTR #36, "Unicode Security Considerations"
public func printable(_ text: some StringProtocol, upTo limit: Int = longestPrintable) -> String {
    PrintableText(limit: limit, replacement: " ", joinsBlanks: true).of(text)
}

/// A name from elsewhere, fit to be shown between quotes: as ``printable(_:upTo:)``, but blanks stay, and a question
/// mark stands for each character that can't be shown, so that a wrong name looks wrong.
public func quotable(_ text: some StringProtocol, upTo limit: Int = longestPrintable) -> String {
    PrintableText(limit: limit, replacement: "?", joinsBlanks: false).of(text)
}

/// Our own lines with a remote's words in them, on their way to a terminal.
///
/// As ``quotable(_:upTo:)``, but uncut, and line breaks stay. It is the last guard: most remote text was made printable
/// where it came in.
public func printableLines(_ text: String) -> String {
    let lines = PrintableText(limit: .max, replacement: "?", joinsBlanks: false)
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { lines.of($0) }.joined(separator: "\n")
}

/// A JSON document, with everything in its strings that isn't printable escaped: the same document to a parser.
public func printableJSON(_ document: String) -> String {
    var made = ""
    var marks = 0
    for scalar in document.unicodeScalars {
        marks = PrintableText.isMark(scalar) ? marks + 1 : 0
        guard PrintableText.isHidden(scalar) && scalar != "\n" || marks > PrintableText.mostMarks else {
            made.unicodeScalars.append(scalar)
            continue
        }
        for unit in String(scalar).utf16 {
            let digits = String(unit, radix: 16)
            made += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
    }
    return made
}

private struct PrintableText {
    let limit: Int
    let replacement: Unicode.Scalar
    let joinsBlanks: Bool

    /// Combining marks on one character; Vietnamese and vocalized Hebrew need two or three.
    static let mostMarks = 4

    func of(_ text: some StringProtocol) -> String {
        // Nearly all text is plain ASCII.
        if !joinsBlanks, text.utf8.count <= limit, text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
            return String(text)
        }
        var made = String.UnicodeScalarView()
        // What is kept is cut to whole characters afterwards; much more than the limit is never looked at.
        var room = limit == .max ? .max : limit + 1
        var marks = Self.mostMarks
        var isCut = false
        for scalar in text.unicodeScalars {
            guard room > 0 else {
                isCut = true
                break
            }
            switch Self.kind(of: scalar) {
            case .mark:
                guard marks < Self.mostMarks else { continue }
                marks += 1
                made.append(scalar)
            case .selector: continue
            case .visible:
                marks = 0
                made.append(scalar)
            case .blank:
                // A mark after a blank, or at the beginning, would sit on what we have written in front of it.
                marks = Self.mostMarks
                if joinsBlanks, made.isEmpty || made.last == " " { continue }
                made.append(" ")
            case .hidden:
                marks = Self.mostMarks
                if joinsBlanks, made.isEmpty || made.last == " " { continue }
                made.append(replacement)
            }
            room -= made.last?.utf8.count ?? 0
        }
        if joinsBlanks, !isCut { while made.last == " " { made.removeLast() } }
        return cut(String(made))
    }

    private func cut(_ text: String) -> String {
        guard text.utf8.count > limit else { return text }
        var end = text.startIndex
        var size = 0
        while end < text.endIndex {
            size += text[end].utf8.count
            guard size <= limit else { break }
            end = text.index(after: end)
        }
        return text[..<end] + "…"
    }

    static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        if case .mark = kind(of: scalar) { true } else { false }
    }

    static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch kind(of: scalar) {
        case .hidden, .selector: true
        case .visible, .blank, .mark: false
        }
    }

    private enum Kind { case visible, blank, mark, selector, hidden }

    private static func kind(of scalar: Unicode.Scalar) -> Kind {
        switch scalar.value {
        case 0x20: return .blank
        case 0x21...0x7E: return .visible
        // Variation selectors, Mongolian ones among them, choose a glyph and carry no meaning; text can be hidden in them.
        case 0xFE00...0xFE0F, 0xE0100...0xE01EF, 0x180B...0x180D, 0x180F: return .selector
        // A Braille cell without a dot.
        case 0x2800: return .blank
        default: break
        }
        let properties = scalar.properties
        if properties.isDefaultIgnorableCodePoint || properties.isNoncharacterCodePoint { return .hidden }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: return .hidden
        case .spaceSeparator: return .blank
        case .nonspacingMark, .enclosingMark, .spacingMark: return .mark
        default: return .visible
        }
    }
}
