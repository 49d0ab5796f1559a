/// A value of a rule file with its position; aliases and merge keys are resolved.
struct RuleNode: Sendable {
    enum Value: Sendable {
        case scalar(Scalar)
        case list([RuleNode])
        case mapping([Entry])
        /// A value whose mistake is already reported.
        case faulty
    }

    struct Scalar: Sendable, Hashable {
        /// The text without quotes, before variables are replaced.
        var written: String
        /// Whether it is written without quotes, so that it may be a number, `true`, `false` or `null`.
        var isPlain: Bool

        /// Whether it stands for no value.
        var isNull: Bool { isPlain && ["", "~", "null", "Null", "NULL"].contains(written) }
    }

    struct Entry: Sendable {
        var key: String
        var keyPosition: FilePosition
        var node: RuleNode
    }

    var position: FilePosition
    var value: Value
    /// The number of values in it, itself included, with every alias counted in full.
    var weight: Int

    init(_ value: Value, at position: FilePosition) {
        (self.value, self.position) = (value, position)
        weight =
            switch value {
            case .scalar, .faulty: 1
            case .list(let nodes): nodes.reduce(1) { $0 + $1.weight }
            case .mapping(let entries): entries.reduce(1) { $0 + $1.node.weight }
            }
    }

    /// The kind of value in words, for error messages.
    var kind: String {
        switch value {
        case .scalar(let scalar): scalar.isNull ? "nothing" : "a single value"
        case .list: "a list"
        case .mapping: "a mapping"
        case .faulty: "a mistake"
        }
    }

    var isFaulty: Bool { if case .faulty = value { true } else { false } }

    var entries: [Entry]? { if case .mapping(let entries) = value { entries } else { nil } }
}
