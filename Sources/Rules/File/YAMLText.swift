/// The text of a rule file, prepared for the YAML parser.
///
/// A text that begins with an asterisk, as a pattern may, looks like an alias to the parser, which then stops with an
/// error that says nothing of quotes. So the asterisk becomes ``aliasMark``, which makes an alias a plain text, and
/// ``YAMLTree`` tells the two apart.
struct YAMLText {
    private var scalars: [Unicode.Scalar]

    /// The mark is of the Private Use Area, which means nothing in any file.
    static let aliasMark: Unicode.Scalar = "\u{E000}"
    private static let reserved: ClosedRange<UInt32> = 0xE000...0xE1FF

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
        var previous: Unicode.Scalar = "\n"
        for (index, scalar) in scalars.enumerated() {
            if scalar == "*", Self.mayPrecedeAlias(previous), index + 1 < scalars.count,
                Self.isOfAnchor(scalars[index + 1])
            {
                scalars[index] = Self.aliasMark
            }
            previous = scalar
        }
    }

    /// The text for the parser.
    var text: String { String(String.UnicodeScalarView(scalars)) }

    /// The position of a scalar that is reserved for the marks; `nil` if there is none.
    static func reservedPosition(in text: String) -> FilePosition? {
        var position = FilePosition(line: 1, column: 1)
        for scalar in text.unicodeScalars {
            if reserved.contains(scalar.value) { return position }
            position = scalar == "\n" ? FilePosition(line: position.line + 1, column: 1) : position.next
        }
        return nil
    }

    /// The name of the anchor if a plain text was an alias.
    static func alias(in text: String) -> String? {
        guard text.unicodeScalars.first == aliasMark else { return nil }
        let name = text.unicodeScalars.dropFirst()
        return name.allSatisfy(isOfAnchor) ? String(String.UnicodeScalarView(name)) : nil
    }

    /// The text with the asterisks that only looked like aliases.
    static func restored(_ text: String) -> String {
        guard text.unicodeScalars.contains(aliasMark) else { return text }
        return text.replacing(String(aliasMark), with: "*")
    }

    /// The text of one line, for error messages.
    func line(_ number: Int) -> String {
        let lines = scalars.split(separator: "\n", omittingEmptySubsequences: false)
        guard (1...lines.count).contains(number) else { return "" }
        return Self.restored(String(String.UnicodeScalarView(lines[number - 1])))
    }

    private static func mayPrecedeAlias(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || scalar == "[" || scalar == "{" || scalar == ","
    }

    /// - Source: libyaml, `IS_ALPHA`
    private static func isOfAnchor(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-": true
        default: false
        }
    }
}

extension FilePosition {
    /// The next column of the same line.
    var next: FilePosition { FilePosition(line: line, column: column + 1) }
}
