public import Content

/// A filter for the tagged images of a repository.
///
/// Digest tags (`sha256-….sig` and the like) are never chosen by themselves: they are copied with their image.
///
/// - Source: docs/tags.md#patterns
public struct TagFilter: Sendable {
    /// A tag passes if one of these matches, or if there are none.
    public var patterns: [Pattern]
    /// A tag that matches one of these does not pass, whatever ``patterns`` contains.
    public var excluded: [Pattern]
    /// The most images that are chosen, the last pushed first.
    public var newest: Int?

    public init(patterns: [Pattern] = [], excluded: [Pattern] = [], newest: Int? = nil) {
        self.patterns = patterns
        self.excluded = excluded
        self.newest = newest
    }

    /// Whether a tag of this name is chosen; a registry may list names that are not valid tags.
    func passes(_ name: String) -> Bool {
        (patterns.isEmpty || patterns.contains { $0.matches(name) }) && !excluded.contains { $0.matches(name) }
    }

    /// The images that pass, each with those of its tags that do.
    ///
    /// - Throws: `Unordered` if the newest are asked for and the registry doesn't say when images were pushed.
    func select(from listed: [ListedImage], digestTagsToo: Bool = false) throws(Unordered) -> [ListedImage] {
        var chosen: [ListedImage] = []
        for var image in listed {
            image.tags = image.tags.filter { passes($0, digestTagsToo) }.sorted()
            image.sharedTags = image.sharedTags.filter { passes($0, digestTagsToo) }.sorted()
            if !image.tags.isEmpty || !image.sharedTags.isEmpty { chosen.append(image) }
        }
        guard let newest else { return chosen }
        guard chosen.allSatisfy({ $0.pushedAt != nil }) else { throw Unordered() }
        let ordered = chosen.sorted { left, right in
            // Images with equal times are ordered by digest, so that two runs choose the same ones.
            (right.pushedAt ?? 0, left.digest.hex) < (left.pushedAt ?? 0, right.digest.hex)
        }
        return Array(ordered.prefix(max(0, newest)))
    }

    /// Whether the filter takes every tag that is not excluded.
    var takesAll: Bool { patterns.isEmpty && newest == nil }

    /// Filters images with digest tags, for digest tags that are chosen by themselves.
    func select(digestTags listed: [ListedImage]) -> [ListedImage] {
        var filter = self
        filter.newest = nil
        return (try? filter.select(from: listed, digestTagsToo: true)) ?? []
    }

    /// Whether the filter restricts the tags in any way.
    var choosesTags: Bool { !patterns.isEmpty || !excluded.isEmpty || newest != nil }

    private func passes(_ tag: Tag, _ digestTagsToo: Bool) -> Bool {
        (digestTagsToo || !ReferrerFinder.isDigestTag(tag)) && passes(tag.value)
    }

    /// The error for images without push times, of which the newest were asked for.
    struct Unordered: Error {}
}

extension TagFilter {
    /// A pattern for tags: a glob, `re:` and a regular expression, or `semver:` and a range of versions.
    public struct Pattern: Sendable {
        private enum Form: Sendable {
            case automaton(TextAutomaton)
            case versions(VersionRange)
        }

        private let form: Form

        /// The longest pattern, in characters.
        static let longest = 1_000

        /// - Throws: ``PatternError``, which says what is wrong and may suggest a pattern.
        public init(parsing text: String) throws(PatternError) {
            guard text.unicodeScalars.count <= Self.longest else {
                throw PatternError(text: text, reason: "it has more than \(Self.longest) characters")
            }
            if text.hasPrefix("re:") {
                let expression = text.dropFirst(3)
                guard !expression.isEmpty else { throw PatternError(text: text, reason: "nothing follows re:") }
                let pattern: TextPattern
                do {
                    pattern = try TextExpression.parse(String(expression))
                } catch {
                    let reason = "it is not a regular expression: \(error.reason)"
                    throw PatternError(text: text, reason: reason, remedy: error.remedy)
                }
                form = .automaton(try Self.automaton(pattern, of: text))
            } else if text.hasPrefix("semver:") {
                guard let range = VersionRange(String(text.dropFirst(7))) else {
                    throw PatternError(text: text, reason: "not a range of versions, such as semver:>=1.2 <2")
                }
                form = .versions(range)
            } else {
                guard !text.isEmpty else { throw PatternError(text: text, reason: "it is empty") }
                form = .automaton(try Self.automaton(try Glob.parse(text), of: text))
            }
        }

        private static func automaton(_ pattern: TextPattern, of text: String) throws(PatternError) -> TextAutomaton {
            do {
                return try TextAutomaton(pattern)
            } catch {
                let reason = "its repetitions come to more than \(TextAutomaton.mostSteps) steps"
                throw PatternError(text: text, reason: reason, remedy: "repeat less, or pass several patterns")
            }
        }

        /// Whether the whole tag matches.
        public func matches(_ tag: Tag) -> Bool { matches(tag.value) }

        /// Whether the whole name matches; it need not be a valid tag.
        func matches(_ name: String) -> Bool {
            switch form {
            case .automaton(let automaton): automaton.matches(name)
            case .versions(let range): Version(tag: name).map(range.contains) ?? false
            }
        }
    }

    /// Why a text is not a pattern for tags.
    public struct PatternError: Error, Sendable, CustomStringConvertible {
        public var text: String
        public var reason: String
        /// What to write instead, if that can be guessed.
        public var remedy: String?

        public init(text: String, reason: String, remedy: String? = nil) {
            (self.text, self.reason, self.remedy) = (text, reason, remedy)
        }

        static func shown(_ text: String) -> String { quotable(text, upTo: 200) }

        public var description: String {
            "'\(Self.shown(text))' is not a pattern for tags: \(reason)" + (remedy.map { "\n  next: \($0)" } ?? "")
        }
    }
}
