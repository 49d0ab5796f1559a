internal import Content

/// A key of another program's file that has no equivalent, or not the same meaning, in a rule file.
struct ImportNote: Hashable {
    /// The key in the other program's file, as `sync[0].hooks`; empty for the file as a whole.
    var path: String
    var line: Int
    /// Why there is no equivalent, and what to do instead.
    var reason: String

    init(_ path: String, line: Int, _ reason: String) { (self.path, self.line, self.reason) = (path, line, reason) }

    /// A note about a value, at its key's line.
    init<Value>(_ value: Located<Value>, _ reason: String) {
        self.init(value.path, line: value.position.line, reason)
    }

    /// The most lines that one comment names.
    private static let mostLines = 12
    /// The most steps whose same key one comment names.
    private static let mostOfOneKey = 3

    /// The comments for notes: one for each reason, with the keys that it is about.
    static func comments(_ notes: [ImportNote]) -> [String] {
        var reasons: [String] = []
        var byReason: [String: [ImportNote]] = [:]
        for note in notes {
            if byReason[note.reason] == nil { reasons.append(note.reason) }
            byReason[note.reason, default: []].append(note)
        }
        return reasons.map { reason in
            let about = (byReason[reason] ?? []).filter { !$0.path.isEmpty }
            guard !about.isEmpty else { return reason }
            let lines = Set(about.map(\.line)).sorted()
            let shown = lines.prefix(mostLines).map(String.init).joined(separator: ", ")
            let more = lines.count > mostLines ? " and \(lines.count - mostLines) more" : ""
            return "\(paths(of: about)) (line\(lines.count == 1 ? "" : "s") \(shown)\(more)): \(reason)"
        }
    }

    /// The keys; of a key that many steps have, only the first.
    private static func paths(of notes: [ImportNote]) -> String {
        var keys: [String] = []
        var byKey: [String: [String]] = [:]
        for note in notes {
            // The keys of two steps differ in the steps' numbers.
            let key = note.path.replacing(#/\[[0-9]+\]/#, with: "[]")
            if byKey[key] == nil { keys.append(key) }
            byKey[key, default: []].append(note.path)
        }
        return keys.map { key in
            let paths = byKey[key] ?? []
            guard paths.count > mostOfOneKey else { return paths.joined(separator: ", ") }
            return "\(paths[0]) and \(paths.count - 1) more"
        }.joined(separator: ", ")
    }
}
