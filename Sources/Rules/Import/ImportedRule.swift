internal import Content
internal import Replicate

/// A rule that is made from a step of another program's file; all texts are as a rule file has them.
struct ImportedRule {
    /// The name that is asked for; several rules may ask for the same one.
    var name: String
    /// The steps in the other program's file.
    var origins: [Located<Void>]
    /// The place of the source's registry in ``ImportedFile/registries``.
    var source: Int
    var repositories: [String]
    var excluded: [String] = []
    var destinations: [ImportedDestination]
    var tags = ImportedTags()
    var platforms: [String] = []
    var referrers: CopyOptions.Referrers
    var createRepository = RuleRepositoryCreation.never
    var notes: [Slot: [ImportNote]] = [:]
    /// Whether steps that differ only in their tag may become one rule with it.
    var joinsTags = false

    /// The keys of a rule before which comments may stand.
    enum Slot: String, CaseIterable { case from, to, tags, platforms, referrers, end }

    mutating func note(_ slot: Slot, _ note: ImportNote) { notes[slot, default: []].append(note) }

    /// Everything but its name, destinations and notes.
    struct Selection: Hashable {
        var source: Int
        var repositories: [String]
        var excluded: [String]
        var tags: ImportedTags?
        var platforms: [String]
        var referrers: CopyOptions.Referrers
        var createRepository: RuleRepositoryCreation
        /// The destinations, if they belong to what is compared.
        var destinations: [ImportedDestination] = []
    }

    func selection(withTags: Bool) -> Selection {
        Selection(
            source: source,
            repositories: repositories,
            excluded: excluded,
            tags: withTags ? tags.sorted : nil,
            platforms: platforms,
            referrers: referrers,
            createRepository: createRepository,
            destinations: withTags ? [] : destinations
        )
    }

    /// Adds the tags or the destinations of a rule that differs in nothing else.
    mutating func join(_ other: ImportedRule) {
        origins += other.origins
        let tags = other.tags.match.filter { !self.tags.match.contains($0) }
        let destinations = other.destinations.filter { !self.destinations.contains($0) }
        self.tags.match += tags
        self.destinations += destinations
        for slot in Slot.allCases { notes[slot, default: []] += other.notes[slot] ?? [] }
        if tags.isEmpty, destinations.isEmpty {
            let reason = "this copies what \(origins[0].path) copies"
            for origin in other.origins { note(.end, ImportNote(origin, reason)) }
        }
    }
}

struct ImportedDestination: Hashable {
    /// The place of the registry in ``ImportedFile/registries``.
    var registry: Int
    /// `nil` if the source's name is kept.
    var repository: String?
    var tag: String?
}

/// The selection of tags that is made from another program's.
struct ImportedTags: Hashable {
    var match: [String] = []
    var semver: String?
    var takesPrereleases = false
    var exclude: [String] = []
    var include: [String] = []
    var digests: [String] = []

    /// The selection with its patterns sorted, so that two selections can be compared.
    var sorted: ImportedTags {
        var tags = self
        tags.match.sort()
        tags.exclude.sort()
        tags.include.sort()
        tags.digests.sort()
        return tags
    }

    /// Whether every pattern is a single tag, and there is nothing else.
    var isListOfTags: Bool {
        self == ImportedTags(match: match) && !match.isEmpty && match.allSatisfy(Self.isTag)
    }

    /// Whether a pattern is a tag, or a variable for one.
    static func isTag(_ pattern: String) -> Bool {
        !pattern.hasPrefix("re:") && !pattern.hasPrefix("semver:") && !pattern.contains { "*?[".contains($0) }
    }

    /// Whether it would select the tag of a signature, `sha256-….sig`, as the other program selects it.
    var takesDigestTags: Bool {
        guard semver == nil, digests.isEmpty || !match.isEmpty,
            let sample = try? Tag(parsing: "sha256-" + String(repeating: "0", count: 64) + ".sig")
        else { return false }
        func matches(_ pattern: String) -> Bool {
            let text = pattern.replacing("$$", with: "$")
            return (try? TagFilter.Pattern(parsing: text))?.matches(sample) ?? false
        }
        return (match.isEmpty || match.contains(where: matches)) && !exclude.contains(where: matches)
    }

    var expanded: ExpandedValue? {
        var members: [(key: String, value: ExpandedValue)] = []
        if !match.isEmpty { members.append(("match", .texts(match))) }
        if let semver { members.append(("semver", .text(semver))) }
        if takesPrereleases { members.append(("prerelease", .flag(true))) }
        if !exclude.isEmpty { members.append(("exclude", .texts(exclude))) }
        if !include.isEmpty { members.append(("include", .texts(include))) }
        if !digests.isEmpty { members.append(("digests", .texts(digests))) }
        return members.isEmpty ? nil : .mapping(members)
    }
}

extension ExpandedValue {
    /// One text, or a list of several.
    static func texts(_ texts: [String]) -> ExpandedValue {
        texts.count == 1 ? .text(texts[0]) : .list(texts.map(ExpandedValue.text))
    }
}
