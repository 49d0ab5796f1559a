internal import Content

/// A config or credentials file of the AWS CLI, parsed as the AWS CLI parses it.
///
/// Keys are case-insensitive; section names are case-sensitive. A line indented more than its key continues the key's
/// value. Under an empty value such lines are nested keys (`s3 =`, then indented `endpoint_url = …`). `#` and `;` start
/// a comment only at the start of a line. A duplicate section or key is an error, because either could be the intended
/// identity.
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
        /// The keys that are indented under an empty value.
        var nested: [String: String] = [:]
    }

    private(set) var sections: [String: Section] = [:]

    /// - Parameter path: The file's path for errors, which name file and line and never quote the contents.
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
        /// The indentation of the last key or section: a key may be indented itself, as long as its value is indented
        /// more.
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
            guard let end = content.lastIndex(of: "]") else {
                throw malformed(number, "the section heading has no closing ]")
            }
            let name = String(trimmed(content[content.index(after: content.startIndex)..<end]))
            if let earlier = sections[name] {
                throw malformed(number, "the section [\(name)] is a duplicate of line \(earlier.line)")
            }
            sections[name] = Section(line: number)
            section = name
            key = nil
        }

        private mutating func set(_ content: Substring, _ number: Int) throws {
            guard let section else { throw malformed(number, "there is text before the first [section]") }
            let (name, text) = try pair(content, number)
            if let earlier = sections[section]?.values[name] {
                throw malformed(number, "the key \(name) is a duplicate of line \(earlier.line)")
            }
            sections[section]?.values[name] = Value(text: text, line: number)
            key = name
        }

        private mutating func continueValue(_ content: Substring, _ number: Int) throws {
            guard let section, let key, let value = sections[section]?.values[key] else { return }
            if value.text.isEmpty {
                let (name, text) = try pair(content, number)
                sections[section]?.values[key]?.nested[name] = text
            } else {
                sections[section]?.values[key]?.text += "\n" + content
            }
        }

        private func pair(_ content: Substring, _ number: Int) throws -> (String, String) {
            let delimiter = content.firstIndex { $0 == "=" || $0 == ":" } ?? content.startIndex
            let name = trimmed(content[..<delimiter]).lowercased()
            guard !name.isEmpty else { throw malformed(number, "the line is not `key = value`") }
            return (name, String(trimmed(content[content.index(after: delimiter)...])))
        }

        private func malformed(_ number: Int, _ problem: String) -> IdentityError {
            IdentityError("\(path):\(number): \(problem)", remedy: "correct that line")
        }
    }
}
