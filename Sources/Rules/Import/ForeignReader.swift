internal import Content
internal import Platform

/// Reads the values of another program's file, where a missing value counts as an empty one.
struct ForeignReader {
    private var values = ValueReader(variables: [:], problems: ProblemList())

    var problems: ProblemList {
        get { values.problems }
        set { values.problems = newValue }
    }

    mutating func complain<Value>(_ about: Located<Value>, _ message: String, _ suggestion: String? = nil) {
        values.complain(about, message, suggestion)
    }

    mutating func entries(_ node: Unread) -> [(key: Located<String>, value: Unread)] {
        isNothing(node) ? [] : values.named(node)
    }

    /// The entries of a mapping by key.
    mutating func keys(_ node: Unread) -> ForeignKeys {
        ForeignKeys(entries: entries(node))
    }

    mutating func items(_ node: Unread) -> [Unread] {
        isNothing(node) ? [] : values.list(node) ?? []
    }

    mutating func text(_ node: Unread) -> Located<String>? {
        guard !node.value.isFaulty else { return nil }
        guard case .scalar(let scalar) = node.value.value else {
            complain(node, "this must be a text, and is \(node.value.kind)", "write one value after the colon")
            return nil
        }
        return scalar.isNull ? nil : node.with(scalar.written)
    }

    mutating func texts(_ node: Unread) -> [Located<String>] {
        var texts: [Located<String>] = []
        for item in items(node) { if let text = text(item) { texts.append(text) } }
        return texts
    }

    /// A value that YAML takes for true or false.
    mutating func flag(_ node: Unread) -> Bool? {
        guard let text = text(node) else { return nil }
        switch text.value.lowercased() {
        case "true", "yes", "on", "y": return true
        case "false", "no", "off", "n": return false
        default:
            complain(text, "this is neither true nor false", "write true or false")
            return nil
        }
    }

    /// Whether a key has no value.
    func isNothing(_ node: Unread) -> Bool {
        if case .scalar(let scalar) = node.value.value { scalar.isNull } else { false }
    }
}

/// The entries of a mapping, of which those are noted that were not asked for.
struct ForeignKeys {
    private let entries: [(key: Located<String>, value: Unread)]
    private var asked: Set<String> = []

    init(entries: [(key: Located<String>, value: Unread)]) { self.entries = entries }

    /// The value of a key that has an equivalent.
    mutating func take(_ name: String) -> Unread? {
        asked.insert(name)
        return entries.first { $0.key.value == name }?.value
    }

    /// The key that was asked for, with its place.
    func key(_ name: String) -> Located<String>? { entries.first { $0.key.value == name }?.key }

    /// Notes about the keys that were not asked for.
    ///
    /// - Parameters:
    ///   - reasons: Why a known key has no equivalent; an empty text for a key whose loss changes nothing.
    ///   - program: The name of the other program.
    func notes(_ reasons: [String: String], of program: String) -> [ImportNote] {
        entries.compactMap { entry in
            let name = entry.key.value
            guard !asked.contains(name) else { return nil }
            if let reason = reasons[name] { return reason.isEmpty ? nil : ImportNote(entry.key, reason) }
            if name.hasPrefix("x-") {
                return ImportNote(entry.key, "\(program) ignores such a key; its anchors are replaced by their values")
            }
            let meant = nearest(to: name, among: (Array(reasons.keys) + asked).sorted())
            let advice = meant.map { "; did you mean '\($0)'?" } ?? ""
            return ImportNote(entry.key, "this is not a known key of \(program), which ignores it\(advice)")
        }
    }
}
