internal import Content

/// A pattern for tags as shells write them: `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`.
///
/// - Source: POSIX.1-2017, Shell Command Language 2.13 "Pattern Matching Notation"; the braces are those of bash
struct Glob {
    private var rest: [Unicode.Scalar]
    private let text: String
    private var depth = 0

    /// The deepest nesting of braces.
    private static let deepest = 50

    /// - Throws: ``PatternError``, also for characters that no tag can contain, with a suggestion.
    static func parse(_ text: String) throws(TagFilter.PatternError) -> TextPattern {
        var parser = Glob(rest: text.unicodeScalars.reversed(), text: text)
        return try parser.sequence(inBraces: false)
    }

    private mutating func sequence(inBraces: Bool) throws(TagFilter.PatternError) -> TextPattern {
        var parts: [TextPattern] = []
        while let scalar = rest.last {
            if inBraces, scalar == "," || scalar == "}" { break }
            rest.removeLast()
            switch scalar {
            case "*": parts.append(.repeated(.one(.any), least: 0, most: nil))
            case "?": parts.append(.one(.any))
            case "[": parts.append(.one(try characterClass()))
            case "{": parts.append(try braces())
            case "}": throw error("there is a } without its {")
            case "]": throw error("there is a ] without its [")
            default:
                guard Self.isOfTags(scalar) else { throw foreign(scalar) }
                parts.append(.one(ScalarSet(scalar)))
            }
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func braces() throws(TagFilter.PatternError) -> TextPattern {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw error("its braces are nested too deeply") }
        let inside = String(String.UnicodeScalarView(rest.reversed().prefix { $0 != "}" }))
        var choices = [try sequence(inBraces: true)]
        while rest.last == "," {
            rest.removeLast()
            choices.append(try sequence(inBraces: true))
        }
        guard rest.popLast() == "}" else { throw error("there is a { without its }") }
        if choices.count == 1, inside.contains("..") {
            throw error(
                "braces hold alternatives with commas between them",
                "write {1,2,3}, or [1-3] for one character"
            )
        }
        return .choice(choices)
    }

    private mutating func characterClass() throws(TagFilter.PatternError) -> ScalarSet {
        let isNegated = rest.last == "!" || rest.last == "^"
        if isNegated { rest.removeLast() }
        var ranges: [ClosedRange<UInt32>] = []
        var isClosed = false
        while let scalar = rest.popLast() {
            isClosed = scalar == "]"
            if isClosed { break }
            if scalar == "[", rest.last == ":" {
                let name = String(String.UnicodeScalarView(rest.reversed().dropFirst().prefix { $0 != ":" }))
                guard let named = ScalarSet(posixName: name), rest.count >= name.unicodeScalars.count + 3 else {
                    throw error("[:\(name):] is not a class of characters", "write [:digit:], [:alpha:] or [:alnum:]")
                }
                rest.removeLast(name.unicodeScalars.count + 3)
                ranges += named.ranges
                continue
            }
            guard Self.isOfTags(scalar) else { throw foreign(scalar) }
            guard rest.last == "-", let end = rest.dropLast().last, end != "]" else {
                ranges.append(scalar.value...scalar.value)
                continue
            }
            rest.removeLast(2)
            guard Self.isOfTags(end) else { throw foreign(end) }
            guard scalar.value <= end.value else { throw error("the range \(scalar)-\(end) is the wrong way round") }
            ranges.append(scalar.value...end.value)
        }
        guard isClosed else { throw error("there is a [ without its ]") }
        guard !ranges.isEmpty else { throw error("there is nothing between [ and ]") }
        return ScalarSet(ranges: ranges, isNegated: isNegated)
    }

    private static func isOfTags(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "." || scalar == "-" || ScalarSet.wordCharacters.contains(scalar)
    }

    // MARK: Suggestions

    private func error(_ reason: String, _ remedy: String? = nil) -> TagFilter.PatternError {
        TagFilter.PatternError(text: text, reason: reason, remedy: remedy)
    }

    private func foreign(_ scalar: Unicode.Scalar) -> TagFilter.PatternError {
        let reason =
            scalar.properties.isWhitespace
            ? "no tag can hold a blank" : "no tag can hold '\(TagFilter.PatternError.shown(String(scalar)))'"
        return error(reason, suggestion(about: scalar))
    }

    private func suggestion(about scalar: Unicode.Scalar) -> String {
        let bare = Self.withoutPaste(text)
        if text.unicodeScalars.contains(where: \.isQuote), !bare.isEmpty, (try? TagFilter.Pattern(parsing: bare)) != nil
        {
            return "write it without quotes: \(shown(bare[...]))"
        }
        if text.hasPrefix("!") { return "to leave tags out, pass --exclude '\(shown(text.dropFirst()))'" }
        if text.contains(where: { "<>=~^|".contains($0) }), VersionRange(text) != nil {
            return "for versions, write 'semver:\(shown(text[...]))'"
        }
        switch scalar {
        case ",", " ", "\t", "\n":
            let words = text.split(whereSeparator: { $0 == "," || $0.isWhitespace })
            guard words.count > 1, !text.contains("["), !text.contains("{") else {
                return "pass the option once for each pattern"
            }
            return
                "pass the option once for each pattern (\(words.map { "'\(shown($0))'" }.joined(separator: " and "))), "
                + "or write '{\(shown(words.joined(separator: ",")[...]))}'"
        case ":", "/", "@": return "a pattern is a glob for the tag alone, re:EXPRESSION or semver:RANGE"
        case "+" where (try? Tag(parsing: text.replacing("+", with: "_"))) != nil:
            return "Helm pushes this version as '\(text.replacing("+", with: "_"))'"
        default: return "for a regular expression, which must match the whole tag, write 're:\(shown(text[...]))'"
        }
    }

    /// The text without the quotes that were pasted with it.
    private static func withoutPaste(_ text: String) -> String {
        var bare = text[...]
        while let first = bare.unicodeScalars.first, first.isAroundPastes { bare.unicodeScalars.removeFirst() }
        while let last = bare.unicodeScalars.last, last.isAroundPastes { bare.unicodeScalars.removeLast() }
        return String(bare)
    }

    private func shown(_ text: Substring) -> String { TagFilter.PatternError.shown(String(text)) }
}

extension ScalarSet {
    /// Creates the set of a POSIX class, as in `[[:digit:]]`; `nil` if no class has that name.
    init?(posixName name: String) {
        switch name {
        case "digit": self = .digits
        case "lower": self.init(ranges: [97...122])
        case "upper": self.init(ranges: [65...90])
        case "alpha": self.init(ranges: [65...90, 97...122])
        case "alnum": self.init(ranges: [48...57, 65...90, 97...122])
        case "xdigit": self.init(ranges: [48...57, 65...70, 97...102])
        case "punct": self.init(ranges: [33...47, 58...64, 91...96, 123...126])
        case "word": self = .wordCharacters
        case "space": self = .blanks
        default: return nil
        }
    }
}
