internal import Content

/// A pattern for tags as shells write them.
struct Glob {
    private let text: String

    /// - Throws: ``PatternError``, also for characters that no tag can contain, with a suggestion.
    static func parse(_ text: String) throws(TagFilter.PatternError) -> TextPattern {
        let glob = Glob(text: text)
        do throws(GlobParser.Problem) {
            return try GlobParser.parse(text) { scalar throws(GlobParser.Problem) in
                guard isOfTags(scalar) else { throw glob.foreign(scalar) }
            }
        } catch {
            throw TagFilter.PatternError(text: text, reason: error.reason, remedy: error.remedy)
        }
    }

    private static func isOfTags(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "." || scalar == "-" || ScalarSet.wordCharacters.contains(scalar)
    }

    // MARK: Suggestions

    private func foreign(_ scalar: Unicode.Scalar) -> GlobParser.Problem {
        let reason =
            scalar.properties.isWhitespace
            ? "no tag can hold a blank" : "no tag can hold '\(TagFilter.PatternError.shown(String(scalar)))'"
        return GlobParser.Problem(reason, suggestion(about: scalar))
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
