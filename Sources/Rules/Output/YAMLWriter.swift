internal import Content

/// Writes values in YAML: mappings and lists in lines of their own, texts in quotes where they need them.
enum YAMLWriter {
    static func text(of value: ExpandedValue) -> String {
        lines(of: value).joined(separator: "\n") + "\n"
    }

    private static func lines(of value: ExpandedValue) -> [String] {
        switch value {
        case .mapping(let members) where !members.isEmpty:
            members.flatMap { key, value in
                if case .comment(let text) = value { return comment(text) }
                if let single = single(value) { return ["\(quoted(key)): \(single)"] }
                return ["\(quoted(key)):"] + lines(of: value).map { "  \($0)" }
            }
        case .list(let values) where !values.isEmpty:
            values.flatMap { value in
                if case .comment(let text) = value { return comment(text) }
                let lines = single(value).map { [$0] } ?? lines(of: value)
                return lines.enumerated().map { index, line in (index == 0 ? "- " : "  ") + line }
            }
        default: [single(value) ?? "{}"]
        }
    }

    /// The value in one line; `nil` for a mapping or a list that is not empty.
    private static func single(_ value: ExpandedValue) -> String? {
        switch value {
        case .text(let text): quoted(text)
        case .number(let number): String(number)
        case .flag(let flag): String(flag)
        case .list(let values): values.isEmpty ? "[]" : nil
        case .mapping(let members): members.isEmpty ? "{}" : nil
        case .comment: nil
        }
    }

    /// The longest line of a comment, in characters, where its words allow that.
    private static let width = 100
    /// The longest comment, in bytes; what is quoted in one is cut before.
    private static let longestComment = 4_096

    /// The lines of a comment, which no character of it can end.
    private static func comment(_ text: String) -> [String] {
        var lines: [String] = []
        for word in printable(text, upTo: longestComment).split(separator: " ") {
            guard let last = lines.last, last.count + word.count < width else {
                lines.append((lines.isEmpty ? "# " : "#   ") + word)
                continue
            }
            lines[lines.count - 1] = "\(last) \(word)"
        }
        return lines
    }

    /// Words that mean something else than their letters, in YAML 1.1 or 1.2.
    private static let reserved: Set<String> = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"]

    /// The text as it is, if it is a plain word everywhere; else in double quotes.
    private static func quoted(_ text: String) -> String {
        let isWord = text.unicodeScalars.enumerated().allSatisfy { index, scalar in
            switch scalar {
            case "a"..."z", "A"..."Z": true
            case "0"..."9", "-", "_", ".", "/": index > 0
            default: false
            }
        }
        if isWord, !text.isEmpty, !reserved.contains(text.lowercased()) { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case _ where scalar.value < 32 || (0x7F...0x9F).contains(scalar.value): quoted += escaped(scalar, "x", 2)
            // Some end a line in YAML 1.1, and what is not visible would be replaced where the text is printed.
            case _ where !scalar.isASCII && quotable(String(scalar)) != String(scalar):
                quoted += scalar.value > 0xFFFF ? escaped(scalar, "U", 8) : escaped(scalar, "u", 4)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    private static func escaped(_ scalar: Unicode.Scalar, _ letter: String, _ length: Int) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "\\" + letter + String(repeating: "0", count: length - digits.count) + digits
    }
}
