internal import Content

/// Checks what a file alone decides about several of its values together.
enum RuleFileChecks {
    static func check(_ rules: [LocatedRule], _ problems: inout ProblemList) {
        var writers = WriterTable()
        for rule in rules {
            guard let parts = rule.rule else { continue }
            checkRegistryAbilities(rule, parts, &problems)
            checkRetag(rule, parts, &problems)
            checkPrune(rule, parts, &problems)
            let keepsTagsApart = checkSingleTarget(rule, parts, &problems)
            if keepsTagsApart { writers.add(rule, parts, &problems) }
        }
    }

    /// Refuses stages that need a push time, or images without tags, where the source's registry lists neither.
    private static func checkRegistryAbilities(_ located: LocatedRule, _ rule: Rule, _ problems: inout ProblemList) {
        guard rule.source.registry.isReadable else { return }
        let place = rule.source.registry.place
        func complain(_ key: String, _ message: String, _ suggestion: String) {
            guard let node = located.tagKeys[key] else { return }
            problems.add(.init(at: node.position, node.path, message, suggestion))
        }
        if !place.knowsPushTimes {
            let name = "the source \(place.words)"
            if rule.tags.minAge != nil {
                complain(
                    "minAge",
                    "\(name) does not say when an image was pushed, so minAge can't be known",
                    "remove minAge"
                )
            }
            if rule.tags.newest != nil, rule.tags.newestBy == .pushTime {
                complain(
                    located.tagKeys["newestBy"] == nil ? "newest" : "newestBy",
                    "\(name) does not say when an image was pushed, so newest can't go by that",
                    "write newestBy: semver"
                )
            }
        }
        if !place.isECR {
            // Only ECR scans, knows push times, and has immutable tags: such a gate would never let an image pass.
            for key in ["maxSeverity", "scanNotOlderThan", "minAge", "requireImmutableTag"] {
                guard let node = located.gateKeys[key], rule.gates?.needsECR(for: key) == true else { continue }
                problems.add(
                    .init(
                        at: node.position,
                        node.path,
                        "the gate '\(key)' needs a source in ECR, and \(place.words) is not",
                        "remove \(key), or set gates: {} in this rule"
                    )
                )
            }
        }
        if case .plain = place, rule.tags.untagged {
            complain(
                "untagged",
                "the source \(place.words) does not list images without a tag",
                "name them under digests:"
            )
        }
    }

    /// Refuses a rule that copies every image to its own place.
    private static func checkRetag(_ located: LocatedRule, _ rule: Rule, _ problems: inout ProblemList) {
        for destination in located.destinations where destination.value.registry.isReadable {
            let target = destination.value
            guard target.registry.place == rule.source.registry.place, target.tag.text == "{tag}" else { continue }
            let names = rule.source.fixedRepositories
            let isSame =
                target.repository.text == "{repository}"
                || names.map { names in
                    !names.isEmpty && names.allSatisfy { repository(of: target, for: $0, rule) == $0.value }
                } ?? false
            guard isSame else { continue }
            problems.add(
                .init(
                    at: destination.position,
                    destination.path,
                    "this copies \(target.registry.place.words) to itself",
                    "name another registry, or give repository: or tag: another name"
                )
            )
        }
    }

    /// Refuses pruning where what is left over can't be known or can't be deleted safely.
    ///
    /// A registry that is not ECR lists tags only, and a deletion by digest takes every tag of the image with it (OCI
    /// distribution-spec 1.1, "Deleting manifests"; deletion of a tag alone is optional there).
    private static func checkPrune(_ located: LocatedRule, _ rule: Rule, _ problems: inout ProblemList) {
        guard rule.prune != nil else { return }
        for destination in located.destinations where destination.value.registry.isReadable {
            if case .ecr = destination.value.registry.place { continue }
            problems.add(
                .init(
                    at: destination.position,
                    destination.path,
                    "prune needs a registry of ECR: \(destination.value.registry.place.words) can't delete one tag of an "
                        + "image, and doesn't list images without tags",
                    "write a rule of its own for this destination, with prune: { enabled: false }"
                )
            )
        }
    }

    /// Refuses a destination where all images of a rule would get one tag.
    ///
    /// - Returns: Whether there is no such destination.
    private static func checkSingleTarget(
        _ located: LocatedRule,
        _ rule: Rule,
        _ problems: inout ProblemList
    ) -> Bool {
        var isRight = true
        for destination in located.destinations where destination.value.tag.isConstant {
            let tag = quotable(destination.value.tag.text)
            let repository = quotable(destination.value.repository.text)
            let isOneRepository = rule.source.fixedRepositories?.count == 1
            if destination.value.repository.isConstant, !isOneRepository {
                isRight = false
                problems.add(
                    .init(
                        at: destination.position,
                        destination.path,
                        "several repositories are copied to the one tag \(repository):\(tag)",
                        "use {repository} or {name} in repository:, or {tag} in tag:"
                    )
                )
            } else if !rule.tags.selectsOneImage {
                isRight = false
                problems.add(
                    .init(
                        at: destination.position,
                        destination.path,
                        "every tag that the rule selects is copied to the one tag '\(tag)'",
                        "use {tag} in tag:, or select one image with newest: 1"
                    )
                )
            }
        }
        return isRight
    }

    /// The destination's repository, where the source's is known and no other value is needed.
    static func repository(of destination: RuleDestination, for name: RepositoryName, _ rule: Rule) -> String? {
        guard let pattern = rule.source.pattern(selecting: name) else { return nil }
        let values = NameValues(registry: rule.source.registry, repository: name, selectedBy: pattern)
        return destination.repository.filled(values.values(for: .repository, tag: nil, digest: nil))
    }
}

extension TagRule {
    /// Whether the stages let one image through at most, as far as the rule alone shows.
    var selectsOneImage: Bool {
        if !selectsTags { return digests.count <= 1 && !untagged }
        guard digests.isEmpty, !untagged else { return false }
        return fixedTags.map { $0.count <= 1 } ?? (newest == 1 && include.isEmpty)
    }

    /// Whether stages may drop a tag that the rule names.
    var hasConditions: Bool { semver != nil || !exclude.isEmpty || minAge != nil || newest != nil }

    /// The tags, if the rule names each of them; `nil` for patterns.
    var fixedTags: [Tag]? {
        guard selectsTags, !match.isEmpty else { return nil }
        let literals = match.compactMap(\.literal)
        guard literals.count == match.count else { return nil }
        return Array(Set(literals + include)).sorted()
    }
}

/// The tags that destinations will write for certain, each with the image that is written.
private struct WriterTable {
    private struct Target: Hashable {
        var place: RuleRegistry.Place
        var repository: String
        var tag: String
    }

    private struct Writer {
        var rule: String
        var line: Int
        var source: Target
    }

    private var writers: [Target: Writer] = [:]

    /// The most tags of one rule that are compared.
    private static let most = 10_000

    mutating func add(_ located: LocatedRule, _ rule: Rule, _ problems: inout ProblemList) {
        guard rule.source.registry.isReadable, let repositories = rule.source.fixedRepositories else { return }
        let tags = rule.tags.hasConditions ? [] : rule.tags.fixedTags ?? []
        let usesTag = located.destinations.contains { !$0.value.tag.isConstant }
        guard repositories.count * max(1, tags.count) <= Self.most else { return }
        for destination in located.destinations where destination.value.registry.isReadable {
            for repository in repositories {
                let writes: [Tag?] = destination.value.tag.isConstant ? [tags.first] : tags.map { $0 }
                guard !usesTag || !tags.isEmpty || destination.value.tag.isConstant else { continue }
                for tag in writes {
                    if let clash = add(destination, rule, repository, tag) {
                        problems.add(
                            .init(at: destination.position, destination.path, clash, "give one of them another name")
                        )
                        return
                    }
                }
            }
        }
    }

    /// - Returns: What is wrong, if another image is written to the same tag.
    private mutating func add(
        _ destination: Located<RuleDestination>,
        _ rule: Rule,
        _ name: RepositoryName,
        _ tag: Tag?
    ) -> String? {
        guard let pattern = rule.source.pattern(selecting: name) else { return nil }
        let filler = NameValues(registry: rule.source.registry, repository: name, selectedBy: pattern)
        let match = rule.tags.match
        guard
            let repository = destination.value.repository.filled(
                filler.values(for: .repository, tag: tag, digest: nil, match: match)
            ), let written = destination.value.tag.filled(filler.values(for: .tag, tag: tag, digest: nil, match: match))
        else { return nil }
        let target = Target(place: destination.value.registry.place, repository: repository, tag: written)
        let source = Target(place: rule.source.registry.place, repository: name.value, tag: tag?.value ?? "")
        let writer = Writer(rule: rule.name, line: destination.position.line, source: source)
        guard let earlier = writers.updateValue(writer, forKey: target) else { return nil }
        writers[target] = earlier
        // The same image twice is the same tag in the end; a rule that names one destination twice is a slip.
        guard earlier.source != source || earlier.rule == rule.name else { return nil }
        return "this writes \(quotable(repository)):\(quotable(written)) at \(target.place.words), as rule "
            + "'\(earlier.rule)' in line \(earlier.line) does"
    }
}
