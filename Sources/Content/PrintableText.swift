/// The longest text from a remote that is shown, in bytes of UTF-8 (docs/architecture.md#bounds).
public let longestPrintable = 1_024

/// Makes text from a remote safe to show on a terminal, in a log or in a JSON document: one line, no invisible
/// characters, cut to a limit.
///
/// Every text that quotes a server, a helper program or a file goes through this or through ``quotable(_:upTo:)``.
/// Control characters would be commands to the terminal, format characters (bidirectional controls, zero-width
/// characters, tag characters) could make a line read as another one, and stacked combining marks could cover the lines
/// above. Each of them becomes a blank; blanks in a row become one.
///
/// - Parameter limit: In bytes of UTF-8. A longer text is cut after a whole character and ends with an ellipsis.
/// - Source: Unicode Standard 15, sections 23.1 to 23.9; UTR #36, "Unicode Security Considerations"
public func printable(_ text: some StringProtocol, upTo limit: Int = longestPrintable) -> String {
    PrintableText(limit: limit, replacement: " ", joinsBlanks: true).of(text)
}

/// Makes a name from a remote safe to show between quotes: like ``printable(_:upTo:)``, but blanks stay, and a question
/// mark replaces each character that can't be shown, so that a wrong name looks wrong.
public func quotable(_ text: some StringProtocol, upTo limit: Int = longestPrintable) -> String {
    PrintableText(limit: limit, replacement: "?", joinsBlanks: false).of(text)
}

/// Makes our own output, which may quote remote text, safe for a terminal.
///
/// Like ``quotable(_:upTo:)``, but without a limit, and line breaks stay. Most remote text was made printable when it
/// was received; this is the last guard.
public func printableLines(_ text: String) -> String {
    let lines = PrintableText(limit: .max, replacement: "?", joinsBlanks: false)
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { lines.of($0) }.joined(separator: "\n")
}

/// Escapes what isn't printable in the strings of a JSON document.
///
/// A parser reads the same document.
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

    /// The most combining marks on one character; Vietnamese and vocalized Hebrew use two or three.
    static let mostMarks = 4

    func of(_ text: some StringProtocol) -> String {
        // Nearly all text is plain ASCII.
        if !joinsBlanks, text.utf8.count <= limit, text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
            return String(text)
        }
        var made = String.UnicodeScalarView()
        // The result is cut to whole characters afterwards; text far beyond the limit is never read.
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
                // A mark after a blank, or at the beginning, would combine with our own text in front of it.
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
        // Variation selectors, Mongolian ones among them, choose a glyph and carry no meaning; text can be hidden in
        // them.
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
