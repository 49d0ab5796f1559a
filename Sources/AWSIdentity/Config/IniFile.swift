/// One of the two files that the AWS CLI writes, read the way the AWS CLI reads it.
///
/// Keys lose their case, sections keep theirs. A line indented more than its key continues the key's value; under
/// an empty value such lines are keys of their own (`s3 =`, then indented `endpoint_url = …`). `#` and `;` begin
/// a comment only at the start of a line. A section or a key that comes twice is an error: whoever reads on
/// would have to guess which identity is meant.
///
/// - Source: docs/facts/identity.md#config-files
struct IniFile {
    struct Section {
        var line: Int
        var values: [String: Value] = [:]
    }

    struct Value {
        var text: String
        var line: Int
        /// What stands indented under an empty value.
        var nested: [String: String] = [:]
    }

    private(set) var sections: [String: Section] = [:]

    /// - Parameter path: For errors, which name file and line and never quote what stands there.
    init(parsing text: String, path: String) throws {
        var reader = Reader(path: path)
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            try reader.read(line, number: index + 1)
        }
        sections = reader.sections
    }

    private struct Reader {
        let path: String
        var sections: [String: Section] = [:]
        private var section: String?
        private var key: String?
        /// Of the last key or section: a key may be indented itself, as long as its value is more so.
        private var indentation = 0

        init(path: String) { self.path = path }

        mutating func read(_ line: Substring, number: Int) throws {
            let content = trimmed(number == 1 && line.hasPrefix("\u{FEFF}") ? line.dropFirst() : line)
            guard let first = content.first, first != "#", first != ";" else { return }
            let depth = line.prefix(while: \.isWhitespace).count
            if key != nil, depth > indentation { return try continueValue(content, number) }
            indentation = depth
            if first == "[" {
                try begin(content, number)
            } else {
                try set(content, number)
            }
        }

        private mutating func begin(_ content: Substring, _ number: Int) throws {
            guard let end = content.lastIndex(of: "]") else { throw wrong(number, "a section without its ]") }
            let name = String(trimmed(content[content.index(after: content.startIndex)..<end]))
            if let earlier = sections[name] {
                throw wrong(number, "the section [\(name)] is there already, in line \(earlier.line)")
            }
            sections[name] = Section(line: number)
            section = name
            key = nil
        }

        private mutating func set(_ content: Substring, _ number: Int) throws {
            guard let section else { throw wrong(number, "something before the first [section]") }
            guard let (name, text) = pair(content) else { throw wrong(number, "a line that isn't `key = value`") }
            if let earlier = sections[section]?.values[name] {
                throw wrong(number, "\(name) is set already, in line \(earlier.line)")
            }
            sections[section]?.values[name] = Value(text: text, line: number)
            key = name
        }

        private mutating func continueValue(_ content: Substring, _ number: Int) throws {
            guard let section, let key, let value = sections[section]?.values[key] else { return }
            if value.text.isEmpty {
                guard let (name, text) = pair(content) else { throw wrong(number, "a line that isn't `key = value`") }
                sections[section]?.values[key]?.nested[name] = text
            } else {
                sections[section]?.values[key]?.text += "\n" + content
            }
        }

        private func pair(_ content: Substring) -> (String, String)? {
            guard let delimiter = content.firstIndex(where: { $0 == "=" || $0 == ":" }) else { return nil }
            let name = trimmed(content[..<delimiter]).lowercased()
            guard !name.isEmpty else { return nil }
            return (name, String(trimmed(content[content.index(after: delimiter)...])))
        }

        private func wrong(_ number: Int, _ what: String) -> IdentityError {
            IdentityError("\(path):\(number): \(what)", remedy: "correct that line")
        }
    }
}

/// Without the white space around it.
func trimmed(_ text: some StringProtocol) -> Substring {
    var rest = Substring(text)
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return rest
}
