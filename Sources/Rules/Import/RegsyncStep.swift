internal import Content
internal import Replicate

/// A step of regsync, as far as its rules have it.
struct RegsyncStep {
    var origin: Located<Void>
    var source: Located<String>
    var target: Located<String>
    var platforms: [String] = []
    var copiesReferrers = false
    var notes: [ImportedRule.Slot: [ImportNote]] = [:]

    private var platformTexts: [Located<String>] = []
    private var tagSets: [TagSet] = []
    private var allowedRepositories: [Located<String>] = []
    private var deniedRepositories: [Located<String>] = []
    private var targetTagText: Located<String>?
    /// The keys that only some types of steps have, by that type.
    private var keysOfTypes: [String: [Located<String>]] = [:]

    /// Conditions that a tag must all meet.
    private struct TagSet {
        var place: Located<Void>
        var allowed: [Located<String>] = []
        var denied: [Located<String>] = []
        var ranges: [Located<String>] = []

        var isEmpty: Bool { allowed.isEmpty && denied.isEmpty && ranges.isEmpty }
    }

    init(origin: Located<Void>, source: Located<String>, target: Located<String>) {
        (self.origin, self.source, self.target) = (origin, source, target)
    }

    mutating func note(_ slot: ImportedRule.Slot, _ note: ImportNote) { notes[slot, default: []].append(note) }

    /// The step for a second rule, without the notes that its first rule has.
    var withoutNotes: RegsyncStep {
        var step = self
        step.notes = [:]
        return step
    }

    mutating func read(_ keys: inout ForeignKeys, _ reader: inout ForeignReader, _ defaults: RegsyncImport.StepDefaults)
    {
        let platform = keys.take("platform").flatMap { reader.text($0) }
        platformTexts = platform.map { [$0] } ?? []
        if let node = keys.take("platforms") { platformTexts += reader.texts(node) }
        platforms = platformTexts.map { written($0.value) }
        readReferrers(&keys, &reader, defaults)
        targetTagText = keys.take("targetTag").flatMap { reader.text($0) }
        if let node = keys.take("tagSets") { for item in reader.items(node) { tagSets.append(tagSet(item, &reader)) } }
        if let node = keys.take("tags") {
            let set = tagSet(node, &reader)
            if !set.isEmpty { tagSets.append(set) }
        }
        if let node = keys.take("repos") {
            var repos = reader.keys(node)
            allowedRepositories = repos.take("allow").map { reader.texts($0) } ?? []
            deniedRepositories = repos.take("deny").map { reader.texts($0) } ?? []
            notes[.from, default: []] += repos.notes(RegsyncKeys.repos, of: "regsync")
        }
        keysOfTypes["registry"] = ["repos"].compactMap { keys.key($0) }
        keysOfTypes["list"] = ["tags", "tagSets", "targetTag"].compactMap { keys.key($0) }
    }

    private mutating func readReferrers(
        _ keys: inout ForeignKeys,
        _ reader: inout ForeignReader,
        _ defaults: RegsyncImport.StepDefaults
    ) {
        let referrers = keys.take("referrers").flatMap { reader.flag($0) } ?? defaults.referrers
        let digestTags = keys.take("digestTags").flatMap { reader.flag($0) } ?? defaults.digestTags
        copiesReferrers = referrers || digestTags
        if referrers != digestTags, let key = keys.key("referrers") ?? keys.key("digestTags") {
            note(.referrers, ImportNote(key, RegsyncKeys.oneKindOfReferrer))
        }
    }

    private mutating func tagSet(_ node: Unread, _ reader: inout ForeignReader) -> TagSet {
        var keys = reader.keys(node)
        let set = TagSet(
            place: node.with(()),
            allowed: keys.take("allow").map { reader.texts($0) } ?? [],
            denied: keys.take("deny").map { reader.texts($0) } ?? [],
            ranges: (keys.take("semverRange").map { reader.texts($0) } ?? []).filter { !$0.value.isEmpty }
        )
        notes[.tags, default: []] += keys.notes(RegsyncKeys.tags, of: "regsync")
        return set
    }

    /// Notes the keys that regsync does not read in a step of this type.
    mutating func noteUnused(_ type: String) {
        let unused = (keysOfTypes["registry"] ?? []) + (type == "image" ? keysOfTypes["list"] ?? [] : [])
        for key in unused { note(.end, ImportNote(key, "regsync does not read this in a step of type \(type)")) }
    }

    // MARK: Platforms

    /// Checks the platforms.
    ///
    /// - Returns: Notes about what differs.
    func checkedPlatforms() throws(NotTranslatable) -> [ImportNote] {
        for text in platformTexts {
            do {
                _ = try ImagePlatform(parsing: text.value)
            } catch {
                throw NotTranslatable(
                    reason: "\(shown(text.value)) is not a platform that a rule file knows",
                    remedy: "write it as linux/amd64"
                )
            }
        }
        guard platformTexts.count > 1, let first = platformTexts.first else { return [] }
        return [
            ImportNote(
                first,
                "regsync keeps the list of platforms and its digest, and copies these images of it; a rule makes a new "
                    + "list, which has another digest"
            )
        ]
    }

    // MARK: Repositories

    /// The patterns of `repos`.
    mutating func repositories() throws(NotTranslatable) -> (allowed: [String], denied: [String]) {
        var allowed: [String] = []
        for text in allowedRepositories {
            do throws(NotTranslatable) {
                allowed.append(try ForeignExpression.pattern(text.value, .betweenEnds))
            } catch {
                // Fewer repositories are copied, never more.
                guard allowedRepositories.count > 1 else { throw error }
                note(.from, ImportNote(text, error.reason))
            }
        }
        var denied: [String] = []
        for text in deniedRepositories { denied.append(try ForeignExpression.pattern(text.value, .betweenEnds)) }
        guard !allowed.isEmpty || allowedRepositories.isEmpty else {
            throw NotTranslatable(reason: "a rule file can have none of the expressions in repos.allow")
        }
        return (allowed.isEmpty ? ["*"] : allowed, denied)
    }

    // MARK: Tags

    /// The template of the destination's tag; `nil` if the source's is kept.
    func targetTag(_ source: ForeignReference) throws(NotTranslatable) -> ForeignText? {
        guard let text = targetTagText else { return nil }
        var fields = [".Source.Tag": ForeignText(standing: "{tag}")]
        fields[".Source.Repository"] =
            source.repository.marked.isEmpty ? ForeignText(standing: "{repository}") : source.repository
        let tag = try GoTemplate.text(of: text.value, fields)
        try ForeignReference.check(tag: tag)
        return tag.written == "{tag}" ? nil : tag
    }

    /// The selections of tags, each for a rule of its own: a tag is copied if one of them selects it.
    mutating func selections() throws(NotTranslatable) -> [ImportedTags] {
        guard !tagSets.isEmpty else { return [ImportedTags()] }
        var selections: [ImportedTags] = []
        for set in tagSets {
            do throws(NotTranslatable) {
                selections.append(try selection(of: set))
            } catch {
                guard tagSets.count > 1 else { throw error }
                note(.tags, ImportNote(set.place, "these tags are left out: \(error.reason)"))
            }
        }
        guard !selections.isEmpty else {
            throw NotTranslatable(reason: "a rule file can have none of its tagSets")
        }
        // A set without conditions takes every tag.
        if selections.contains(ImportedTags()) { return [ImportedTags()] }
        let tags = selections.filter(\.isListOfTags).flatMap(\.match)
        var others = selections.filter { !$0.isListOfTags }
        guard !others.isEmpty else {
            return [ImportedTags(match: tags.enumerated().filter { tags.firstIndex(of: $1) == $0 }.map(\.element))]
        }
        others[0].include = tags
        return others
    }

    private mutating func selection(of set: TagSet) throws(NotTranslatable) -> ImportedTags {
        var tags = ImportedTags()
        for text in set.allowed {
            do throws(NotTranslatable) {
                tags.match.append(try ForeignExpression.pattern(text.value, .betweenEnds))
                noteAlternatives(text)
            } catch {
                // Fewer tags are copied, never more.
                guard set.allowed.count > 1 else { throw error }
                note(.tags, ImportNote(text, error.reason))
            }
        }
        if !set.allowed.isEmpty, tags.match.isEmpty {
            throw NotTranslatable(reason: "a rule file can have none of its expressions")
        }
        for text in set.denied {
            tags.exclude.append(try ForeignExpression.pattern(text.value, .betweenEnds))
            noteAlternatives(text)
        }
        guard !set.ranges.isEmpty else { return tags }
        let versions = try ForeignVersions(regsync: set.ranges.map(\.value))
        tags.semver = written(versions.range)
        tags.takesPrereleases = versions.takesPrereleases
        if versions.losesPrereleases {
            note(
                .tags,
                ImportNote(
                    set.ranges[0],
                    "regsync also takes the pre-releases of an upper bound, as 2.0.0-rc.1 for <2.0.0; a rule does not"
                )
            )
        }
        return tags
    }

    private mutating func noteAlternatives(_ text: Located<String>) {
        guard ForeignExpression.hasAlternatives(text.value) else { return }
        note(
            .tags,
            ImportNote(
                text,
                "regsync binds only the first alternative to the beginning and only the last to the end, and so does "
                    + "this pattern; write re:A|B to match whole tags"
            )
        )
    }
}
