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

    /// The most keys, and the most lines, that one comment names.
    private static let most = 20

    /// The comments for notes: one for each reason, with the keys that it is about.
    static func comments(_ notes: [ImportNote]) -> [String] {
        var reasons: [String] = []
        var byReason: [String: [ImportNote]] = [:]
        for note in notes {
            if byReason[note.reason] == nil { reasons.append(note.reason) }
            byReason[note.reason, default: []].append(note)
        }
        return reasons.map { reason in
            let about = byReason[reason] ?? []
            let paths = some(of: about.map(\.path).filter { !$0.isEmpty })
            guard !paths.isEmpty else { return reason }
            let lines = Array(Set(about.map(\.line))).sorted().map(String.init)
            return "\(paths) (line\(lines.count == 1 ? "" : "s") \(some(of: lines))): \(reason)"
        }
    }

    private static func some(of words: [String]) -> String {
        let shown = words.prefix(most).joined(separator: ", ")
        return words.count > most ? "\(shown) and \(words.count - most) more" : shown
    }
}
