/// The groups of a regular expression, which templates of names may use.
package struct ExpressionGroups: Sendable {
    /// The names in order; `nil` for a group without a name.
    package let names: [String?]
    private let expression: String

    init(of expression: String) {
        self.expression = expression
        names = Self.names(in: expression)
    }

    /// Whether there is a group of this name or number.
    func has(_ group: String) -> Bool {
        if let number = Int(group) { return (1...max(1, names.count)).contains(number) && !names.isEmpty }
        return names.contains(group)
    }

    /// Whether the groups can be read at all: Swift's expressions lack some of what RE2 has.
    var isReadable: Bool { (try? Regex(expression)) != nil }

    /// The texts of the groups in a name that the expression matches as a whole, by name and by number.
    ///
    /// Swift's `Regex` backtracks, so it is asked only about names that the automaton has accepted.
    package func texts(in name: String) -> [String: String] {
        guard let regex = try? Regex(expression), let match = try? regex.wholeMatch(in: name) else { return [:] }
        var texts: [String: String] = [:]
        for (index, group) in match.output.enumerated() where index > 0 {
            let text = group.substring.map(String.init) ?? ""
            texts[String(index)] = text
            if index <= names.count, let name = names[index - 1] { texts[name] = text }
        }
        return texts
    }

    /// Finds the groups: each `(` that is neither escaped nor in a class, and opens a group that is kept.
    private static func names(in expression: String) -> [String?] {
        var names: [String?] = []
        var rest = expression[...]
        var isInClass = false
        while let character = rest.popFirst() {
            switch character {
            case "\\": _ = rest.popFirst()
            case "[" where !isInClass:
                isInClass = true
                // The first ] stands for itself.
                if rest.first == "^" { rest.removeFirst() }
                if rest.first == "]" { rest.removeFirst() }
            case "[" where rest.first == ":":
                // A POSIX class, as in [[:digit:]].
                if let end = rest.firstIndex(of: "]") { rest = rest[end...].dropFirst() }
            case "]": isInClass = false
            case "(" where !isInClass:
                guard rest.first == "?" else {
                    names.append(nil)
                    continue
                }
                let opening = rest.dropFirst(rest.hasPrefix("?P<") ? 2 : 1)
                if opening.first == "<" { names.append(String(opening.dropFirst().prefix { $0 != ">" })) }
            default: continue
            }
        }
        return names
    }
}
