internal import Content
internal import Replicate

extension RuleFileReader {
    mutating func tags(_ node: Unread) -> Located<LocatedTagRule>? {
        guard let keys = values.keys(of: node, RuleFileShape.tags) else { return nil }
        var rule = TagRule()
        rule.match = keys["match"].map { patterns($0) } ?? []
        rule.semver = range(keys)
        rule.exclude = keys["exclude"].map { patterns($0) } ?? []
        rule.minAge = keys["minAge"].flatMap { values.duration($0) }?.value
        rule.newest = keys["newest"].flatMap { values.count($0) }?.value
        if let order = keys["newestBy"].flatMap({ values.choice($0, of: NewestBy.self) }) {
            rule.newestBy = order.value
            if keys["newest"] == nil {
                values.complain(order, "'newestBy' has no effect without newest", "add newest: 10, or remove it")
            }
        }
        rule.include = keys["include"].map { literals($0) } ?? []
        rule.minTags = keys["minTags"].flatMap { values.count($0) }?.value
        rule.digests = keys["digests"].map { digests($0) } ?? []
        rule.untagged = keys["untagged"].flatMap { values.flag($0) }?.value ?? false
        let stages = ["match", "semver", "exclude", "minAge", "newest", "include", "minTags"]
        rule.selectsTags = stages.contains { keys[$0] != nil } || (keys["digests"] == nil && !rule.untagged)
        return node.with(LocatedTagRule(rule: rule, keys: keys))
    }

    private mutating func patterns(_ node: Unread) -> [TextualPattern] {
        var patterns: [TextualPattern] = []
        for text in values.texts(node) {
            let parsed = values.parsed(
                text,
                { text throws(TagFilter.PatternError) in try TagFilter.Pattern(parsing: text) }
            ) { error in
                (
                    "'\(quotable(error.text, upTo: 200))' is not a pattern for tags: \(error.reason)",
                    error.remedy.map(inRuleFileWords) ?? "write a glob, re:EXPRESSION or semver:RANGE"
                )
            }
            guard let pattern = parsed?.value else { continue }
            let expression = text.value.text.hasPrefix("re:") ? String(text.value.text.dropFirst(3)) : nil
            patterns.append(
                TextualPattern(text: text.value.text, pattern: pattern, groups: expression.map(ExpressionGroups.init))
            )
        }
        return patterns
    }

    private mutating func range(_ keys: [String: Unread]) -> TextualRange? {
        let prerelease = keys["prerelease"].flatMap { values.flag($0) }
        guard let node = keys["semver"] else {
            if let prerelease {
                values.complain(
                    prerelease,
                    "'prerelease' has no effect without semver",
                    "add semver: \"*\", or remove it"
                )
            }
            return nil
        }
        guard let text = values.text(node) else { return nil }
        let written = text.value.text.hasPrefix("semver:") ? String(text.value.text.dropFirst(7)) : text.value.text
        guard let range = VersionRange(written) else {
            values.complain(
                text,
                "\(text.value.shown) is not a range of versions",
                written.contains("*") && written != "*"
                    ? "for a glob use match:; a range is written as >=1.2 <2, ^1.2, ~1.2.3 or 1.x"
                    : "write it as >=1.2 <2, ^1.2, ~1.2.3 or 1.x"
            )
            return nil
        }
        return TextualRange(text: text.value.written, range: range, takesPrereleases: prerelease?.value ?? false)
    }

    private mutating func literals(_ node: Unread) -> [Tag] {
        var tags: [Tag] = []
        for text in values.texts(node) {
            let tag = values.parsed(text, { text throws(ReferenceError) in try Tag(parsing: text) }) { error in
                let isPattern = text.value.text.contains { "*?[{:".contains($0) }
                return (
                    "\(error)",
                    isPattern ? "include takes whole tags; for patterns use match:" : "write the tag as it is"
                )
            }
            if let tag, !tags.contains(tag.value) { tags.append(tag.value) }
        }
        return tags
    }

    private mutating func digests(_ node: Unread) -> [Digest] {
        var digests: [Digest] = []
        for text in values.texts(node) {
            let digest = values.parsed(text, { text throws(ReferenceError) in try Digest(parsing: text) }) {
                ("\($0)", "copy it from ecr-replicate inspect")
            }
            if let digest, !digests.contains(digest.value) { digests.append(digest.value) }
        }
        return digests
    }
}
