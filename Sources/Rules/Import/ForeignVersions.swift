internal import Content
internal import Replicate

/// A range of versions of another program, in the words of a rule file.
struct ForeignVersions: Hashable {
    /// The range, as a rule file has it.
    var range: String
    var takesPrereleases: Bool
    /// Patterns of versions that the range leaves out in its middle.
    var excluded: [String] = []
    /// Whether the other program also takes the pre-releases of an upper bound, as 2.0.0-rc.1 for `<2.0.0`.
    var losesPrereleases = false
}

// MARK: regsync

extension ForeignVersions {
    /// Reads ranges of regsync, of which a version must be in one.
    ///
    /// A missing number is 0: `1.2` is 1.2.0 alone, and `~1` ends before 1.1.0. Pre-releases are versions like any
    /// other.
    ///
    /// - Source: docs/facts/rule-files-of-others.md#versions
    init(regsync ranges: [String]) throws(NotTranslatable) {
        var alternatives: [String] = []
        var losesPrereleases = false
        for range in ranges {
            var bounds: [String] = []
            for word in range.split(whereSeparator: \.isWhitespace) {
                let operation = [">=", "<=", ">", "<", "=", "^", "~"].first { word.hasPrefix($0) } ?? ""
                let version = try Self.padded(word.dropFirst(operation.count), of: range)
                bounds.append((operation.isEmpty ? "=" : operation) + version)
                losesPrereleases = losesPrereleases || ["<", "^", "~"].contains(operation) && !version.contains("-")
            }
            alternatives.append(bounds.joined(separator: " "))
        }
        range = alternatives.joined(separator: " || ")
        takesPrereleases = true
        self.losesPrereleases = losesPrereleases
        try check(ranges.joined(separator: ", "))
    }

    /// The version with three numbers.
    private static func padded(_ text: Substring, of range: String) throws(NotTranslatable) -> String {
        let text = (text.hasPrefix("v") ? text.dropFirst() : text).prefix { $0 != "+" }
        let core = text.prefix { $0 != "-" }
        var numbers = core.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard numbers.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } }) else {
            throw NotTranslatable(reason: "\(shown(range)) is not a range of versions for regsync")
        }
        while numbers.count > 3, numbers.last?.allSatisfy({ $0 == "0" }) == true { numbers.removeLast() }
        guard numbers.count <= 3 else {
            throw NotTranslatable(
                reason: "\(shown(range)) has a version of \(numbers.count) numbers, and a rule file knows three",
                remedy: "select these tags with match:"
            )
        }
        while numbers.count < 3 { numbers.append("0") }
        return numbers.joined(separator: ".") + text.dropFirst(core.count)
    }

    private func check(_ range: String) throws(NotTranslatable) {
        guard VersionRange(self.range) == nil else { return }
        throw NotTranslatable(reason: "\(shown(range)) is a range of versions that a rule file can't have")
    }
}

// MARK: skopeo

extension ForeignVersions {
    /// Reads a range of skopeo, which is one of github.com/Masterminds/semver.
    ///
    /// - Source: docs/facts/rule-files-of-others.md#versions
    init(skopeo constraint: String) throws(NotTranslatable) {
        let groups = try Self.alternatives(of: constraint).map { group throws(NotTranslatable) in
            try Bounds(group, of: constraint)
        }
        range = groups.map { $0.bounds.isEmpty ? "*" : $0.bounds.joined(separator: " ") }.joined(separator: " || ")
        excluded = groups.flatMap(\.excluded)
        guard excluded.isEmpty || groups.count == 1 else {
            throw NotTranslatable(
                reason: "\(shown(constraint)) has != beside ||, which no single rule can say",
                remedy: "write a rule for each alternative"
            )
        }
        let namesPrereleases = Set(groups.map(\.namesPrerelease))
        guard namesPrereleases.count == 1 else {
            throw NotTranslatable(
                reason: "\(shown(constraint)) takes pre-releases in one of its alternatives only",
                remedy: "write a rule for each alternative"
            )
        }
        takesPrereleases = namesPrereleases.contains(true)
        losesPrereleases = takesPrereleases && groups.contains { $0.hasOpenEnd }
        try check(constraint)
    }

    private static func alternatives(of constraint: String) -> [String] {
        constraint.split(separator: "||", omittingEmptySubsequences: false).map(String.init)
    }

    /// The bounds that a version must all be within.
    private struct Bounds {
        var bounds: [String] = []
        var excluded: [String] = []
        var namesPrerelease = false
        /// Whether a version must be below a release, whose pre-releases are below it too.
        var hasOpenEnd = false

        private static let operations = [
            "": "", "=": "=", "!=": "!=", ">": ">", "<": "<", ">=": ">=", "=>": ">=", "<=": "<=", "=<": "<=",
            "~": "~", "~>": "~", "^": "^",
        ]

        init(_ text: String, of constraint: String) throws(NotTranslatable) {
            let faulty = NotTranslatable(reason: "\(shown(constraint)) is not a range of versions for skopeo")
            var words = Self.words(of: text)
            // `1.2 - 1.4` has both ends.
            while let hyphen = words.firstIndex(of: "-") {
                guard hyphen > 0, hyphen + 1 < words.count else { throw faulty }
                words.replaceSubrange(
                    hyphen - 1...hyphen + 1,
                    with: [">=", words[hyphen - 1], "<=", words[hyphen + 1]]
                )
            }
            var operation = ""
            for word in words {
                if word.allSatisfy({ "=!<>~^".contains($0) }) {
                    guard operation.isEmpty else { throw faulty }
                    operation = word
                    continue
                }
                guard let known = Self.operations[operation], let version = Version(word) else { throw faulty }
                try add(known, version, faulty)
                operation = ""
            }
            guard operation.isEmpty else { throw faulty }
        }

        /// Operators and versions; a comma is a blank.
        private static func words(of text: String) -> [String] {
            var words: [String] = []
            for piece in text.split(whereSeparator: { $0.isWhitespace || $0 == "," }) {
                let operation = piece.prefix { "=!<>~^".contains($0) }
                if !operation.isEmpty { words.append(String(operation)) }
                if operation.count < piece.count { words.append(String(piece.dropFirst(operation.count))) }
            }
            return words
        }

        private mutating func add(
            _ operation: String,
            _ version: Version,
            _ faulty: NotTranslatable
        ) throws(NotTranslatable) {
            if version.hasPrerelease { namesPrerelease = true }
            guard !version.numbers.isEmpty else {
                // `*` is every version; `>*` and the like are not worth a rule.
                guard ["", "=", ">=", "~", "^"].contains(operation), !version.hasPrerelease else { throw faulty }
                return
            }
            switch operation {
            case "!=": excluded.append("semver:" + (version.isWhole ? "=" : "") + version.text)
            // `~0.0.0` is every version for this library.
            case "~" where version.isWhole && version.numbers.allSatisfy({ $0 == "0" }):
                bounds.append(">=" + version.text)
            default:
                if operation == "<", !version.hasPrerelease { hasOpenEnd = true }
                bounds.append(operation + version.text)
            }
        }
    }

    /// A version of which the last numbers may be missing, or be `x`.
    private struct Version {
        var numbers: [String] = []
        var suffix: Substring

        var isWhole: Bool { numbers.count == 3 }
        var hasPrerelease: Bool { suffix.hasPrefix("-") }
        /// The version without its metadata.
        var text: String { numbers.joined(separator: ".") + suffix }

        init?(_ text: String) {
            var rest = text[...]
            if rest.hasPrefix("v") { rest.removeFirst() }
            rest = rest.prefix { $0 != "+" }
            let core = rest.prefix { $0 != "-" }
            suffix = rest.dropFirst(core.count)
            let parts = core.split(separator: ".", omittingEmptySubsequences: false)
            guard (1...3).contains(parts.count) else { return nil }
            var isOpen = false
            for part in parts {
                if ["x", "X", "*"].contains(part) {
                    isOpen = true
                    continue
                }
                guard !part.isEmpty, part.utf8.count <= 18, part.utf8.allSatisfy({ (48...57).contains($0) }) else {
                    return nil
                }
                // Numbers after an x count as x.
                if !isOpen { numbers.append(String(part)) }
            }
        }
    }
}
