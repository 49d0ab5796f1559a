internal import Replicate

/// Patterns that together stand for at least the names that a rule means, as tightly as IAM's wildcards can.
struct NamePatterns: Sendable {
    /// The patterns, none of which covers another.
    private(set) var all: [NamePattern]
    /// Whether they stand for more than what they were made from, apart from slashes that `*` matches.
    private(set) var isRounded: Bool

    /// The most patterns; more of them become one, their common beginning and `*`.
    static let most = 16

    /// Nothing at all.
    static let none = NamePatterns([])

    init(_ patterns: [NamePattern], isRounded: Bool = false) {
        var kept: [NamePattern] = []
        for pattern in patterns where !kept.contains(where: { $0.covers(pattern) }) {
            kept.removeAll { pattern.covers($0) }
            kept.append(pattern)
        }
        (all, self.isRounded) = (kept, isRounded)
        if kept.count > Self.most { self = collapsed }
    }

    /// The pattern for one text.
    init(_ text: String) { self.init([NamePattern(text)]) }

    /// All names that either of the two stands for.
    func joined(with other: NamePatterns) -> NamePatterns {
        NamePatterns(all + other.all, isRounded: isRounded || other.isRounded)
    }

    /// Names of this kind, each followed by one of the other kind.
    func followed(by other: NamePatterns) -> NamePatterns {
        var (first, second) = (self, other)
        if first.all.count * second.all.count > Self.most { first = first.collapsed }
        if first.all.count * second.all.count > Self.most { second = second.collapsed }
        let both = first.all.flatMap { start in second.all.map { NamePattern(start.parts + $0.parts) } }
        return NamePatterns(both, isRounded: first.isRounded || second.isRounded)
    }

    /// One pattern for all: their common beginning and `*`.
    var collapsed: NamePatterns {
        guard all.count > 1, let first = all.first else { return self }
        var common = first.parts[...]
        for pattern in all {
            let same = zip(common, pattern.parts).prefix { $0 == $1 }.count
            common = common.prefix(same)
        }
        let maybeSlash = all.contains { NamePattern(Array($0.parts.dropFirst(common.count))).mayHaveSlash }
        return NamePatterns([NamePattern(common + [.many(maybeSlash: maybeSlash)])], isRounded: true)
    }

    func rounded() -> NamePatterns {
        var rounded = self
        rounded.isRounded = true
        return rounded
    }
}

extension NamePatterns {
    /// The characters of repositories' names.
    ///
    /// - Source: docs/facts/ecr-api.md#fields
    private static let characters = Array("abcdefghijklmnopqrstuvwxyz0123456789._-/".unicodeScalars)

    /// The most copies of a repeated part that are written out.
    private static let mostCopies = 8

    /// The patterns for the names that a glob or an expression matches.
    ///
    /// - Parameters:
    ///   - isFirst: Whether the names begin here.
    ///   - isLast: Whether they end here.
    init(_ pattern: TextPattern, isFirst: Bool = true, isLast: Bool = true) {
        switch pattern {
        case .empty: self.init("")
        case .one(let set): self.init(set)
        case .sequence(let parts):
            self = parts.enumerated().reduce(Self("")) { start, part in
                let next = NamePatterns(
                    part.element,
                    isFirst: isFirst && part.offset == 0,
                    isLast: isLast && part.offset == parts.count - 1
                )
                return start.followed(by: next)
            }
        case .choice(let choices):
            self = choices.reduce(.none) { $0.joined(with: NamePatterns($1, isFirst: isFirst, isLast: isLast)) }
        case .repeated(let part, let least, let most):
            self.init(NamePatterns(part, isFirst: false, isLast: false), least: least, most: most)
        case .boundary(let boundary):
            let isPlain =
                switch boundary {
                case .start: isFirst
                case .end: isLast
                case .word, .notWord: false
                }
            self = isPlain ? Self("") : Self("").rounded()
        }
    }

    private init(_ set: ScalarSet) {
        let matched = Self.characters.filter { scalar in
            set.ranges.contains { $0.contains(scalar.value) } != set.isNegated
        }
        switch matched.count {
        case 0: self = .none
        case 1: self.init([NamePattern([.character(matched[0])])])
        case Self.characters.count: self.init([NamePattern([.one(maybeSlash: true)])])
        default: self.init([NamePattern([.one(maybeSlash: matched.contains("/"))])], isRounded: true)
        }
    }

    private init(_ part: NamePatterns, least: Int, most: Int?) {
        guard !part.all.isEmpty else {
            self = least == 0 ? Self("") : .none
            return
        }
        let copies = (0..<min(least, Self.mostCopies)).reduce(Self("")) { start, _ in start.followed(by: part) }
        if least <= Self.mostCopies, most == least {
            self = copies
        } else if least < Self.mostCopies, most == least + 1 {
            self = copies.joined(with: copies.followed(by: part))
        } else {
            let maybeSlash = part.all.contains { $0.mayHaveSlash }
            let rest = Self([NamePattern([.many(maybeSlash: maybeSlash)])])
            let isAny = most == nil && !part.isRounded && part.all == [NamePattern([.one(maybeSlash: true)])]
            self = isAny && least <= Self.mostCopies ? copies.followed(by: rest) : copies.followed(by: rest).rounded()
        }
    }
}
