/// The groups of a regular expression, which templates of names may use.
package struct ExpressionGroups: Sendable {
    /// The names in order; `nil` for a group without a name.
    package let names: [String?]
    /// What stands between the parentheses of each group.
    let bodies: [Body]
    private let expression: String

    /// What stands between the parentheses of a group.
    struct Body: Sendable {
        var text: String
        /// Whether a text may match the expression without this group, whose text is then empty.
        var mayBeLeftOut: Bool
    }

    init(of expression: String) {
        self.expression = expression
        var scan = GroupScan()
        scan.read(expression)
        (names, bodies) = (scan.names, scan.bodies)
    }

    /// The group of this name or number; the first of several.
    func body(of group: String) -> Body? {
        let index = Int(group).map { $0 - 1 } ?? names.firstIndex(of: group)
        return index.flatMap { bodies.indices.contains($0) ? bodies[$0] : nil }
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
}

/// Finds the groups of an expression: each `(` that is neither escaped nor in a class, and opens a group that is kept.
private struct GroupScan {
    private(set) var names: [String?] = []
    private(set) var bodies: [ExpressionGroups.Body] = []
    private var open: [Parenthesis] = []

    /// A parenthesis that is not closed yet.
    private struct Parenthesis {
        /// The number of groups before it.
        var groupsBefore: Int
        /// The text after it, if it opens a group that is kept.
        var body: Substring?
        /// Whether it has several alternatives, so that a match may leave out the groups inside.
        var hasChoices = false
    }

    mutating func read(_ expression: String) {
        var rest = expression[...]
        var isInClass = false
        open = [Parenthesis(groupsBefore: 0)]
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
            case "(" where !isInClass: begin(&rest)
            case "|" where !isInClass: open[open.count - 1].hasChoices = true
            case ")" where !isInClass && open.count > 1: end(before: rest)
            default: continue
            }
        }
        if open.first?.hasChoices == true { leaveOut(from: 0) }
    }

    private mutating func begin(_ rest: inout Substring) {
        var parenthesis = Parenthesis(groupsBefore: names.count)
        defer { open.append(parenthesis) }
        guard rest.first == "?" else {
            parenthesis.body = rest
            return add(nil)
        }
        let opening = rest.dropFirst(rest.hasPrefix("?P<") ? 2 : 1)
        guard opening.first == "<" else { return }
        let name = opening.dropFirst().prefix { $0 != ">" }
        parenthesis.body = rest[name.endIndex...].dropFirst()
        add(String(name))
    }

    private mutating func add(_ name: String?) {
        names.append(name)
        bodies.append(ExpressionGroups.Body(text: "", mayBeLeftOut: false))
    }

    /// - Parameter rest: What follows the `)`.
    private mutating func end(before rest: Substring) {
        let parenthesis = open.removeLast()
        if let body = parenthesis.body {
            let end = rest.base.index(before: rest.startIndex)
            bodies[parenthesis.groupsBefore].text = String(rest.base[body.startIndex..<end])
        }
        let isRepeated = rest.first.map { "?*{".contains($0) } ?? false
        if isRepeated {
            leaveOut(from: parenthesis.groupsBefore)
        } else if parenthesis.hasChoices {
            leaveOut(from: parenthesis.groupsBefore + (parenthesis.body == nil ? 0 : 1))
        }
    }

    private mutating func leaveOut(from group: Int) {
        for index in bodies.indices.dropFirst(group) { bodies[index].mayBeLeftOut = true }
    }
}
