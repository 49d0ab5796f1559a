internal import Content

/// A value of the file, and where it stands.
struct Located<Value> {
    var value: Value
    var position: FilePosition
    var path: String

    init(_ value: Value, at position: FilePosition, _ path: String) {
        (self.value, self.position, self.path) = (value, position, path)
    }

    func with<Other>(_ other: Other) -> Located<Other> { .init(other, at: position, path) }
}

/// A node that is still to be read.
typealias Unread = Located<RuleNode>

/// The text of a value, with its variables replaced.
struct RuleText {
    var text: String
    /// The text as the file has it, for error messages: a variable's value may be secret.
    var written: String
    var isPlain: Bool

    var shown: String { "'\(quotable(written, upTo: 200))'" }
}
