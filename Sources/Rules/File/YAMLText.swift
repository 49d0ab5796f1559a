/// The text of a rule file, prepared for the YAML parser.
///
/// The parser resolves aliases by itself: a file of a few hundred bytes may then stand for billions of values, which
/// the parser compares with each other where they are keys. It also stops at the first duplicate key, and does not say
/// where the duplicate is. So both are hidden from it. The asterisk of an alias becomes ``aliasMark``, which makes the
/// alias a plain text; ``YAMLTree`` resolves it. A key that has a duplicate further down becomes a run of one of the
/// ``keyMarks``, as long as the key is, so that positions stay.
struct YAMLText {
    private var scalars: [Unicode.Scalar]
    /// The keys that were renamed, by their new names.
    private(set) var renamedKeys: [String: String] = [:]

    /// All marks are of the Private Use Area, which means nothing in any file.
    static let aliasMark: Unicode.Scalar = "\u{E000}"
    private static let keyMarks: ClosedRange<UInt32> = 0xE100...0xE13F
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

    /// Renames the key at a position, which has a duplicate.
    ///
    /// - Returns: Whether the key stands there as it is spelled, and a mark is left for it.
    mutating func rename(_ key: String, at position: FilePosition) -> Bool {
        guard let mark = Unicode.Scalar(Self.keyMarks.lowerBound + UInt32(renamedKeys.count)),
            Self.keyMarks.contains(mark.value), !key.isEmpty, var start = index(of: position)
        else { return false }
        if start < scalars.count, scalars[start] == "\"" || scalars[start] == "'" { start += 1 }
        let spelled = Array(key.unicodeScalars)
        guard start + spelled.count <= scalars.count, Array(scalars[start..<start + spelled.count]) == spelled else {
            return false
        }
        for index in start..<start + spelled.count { scalars[index] = mark }
        renamedKeys[String(String.UnicodeScalarView(spelled.map { _ in mark }))] = Self.restored(key)
        return true
    }

    /// The text of one line, for error messages.
    func line(_ number: Int) -> String {
        let lines = scalars.split(separator: "\n", omittingEmptySubsequences: false)
        guard (1...lines.count).contains(number) else { return "" }
        return Self.restored(String(String.UnicodeScalarView(lines[number - 1])))
    }

    private func index(of position: FilePosition) -> Int? {
        var line = 1
        var start = 0
        while line < position.line {
            guard let end = scalars[start...].firstIndex(of: "\n") else { return nil }
            (start, line) = (end + 1, line + 1)
        }
        let index = start + position.column - 1
        return index < scalars.count ? index : nil
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
