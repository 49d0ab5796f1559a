internal import Content
internal import Replicate

/// A rule with the positions that checks over several rules need.
struct LocatedRule {
    var node: Unread
    /// `nil` if a part of it could not be read.
    var rule: Rule?
    var destinations: [Located<RuleDestination>]
    var tagKeys: [String: Unread]
    var gateKeys: [String: Unread] = [:]
    var sourceKeys: [String: Unread]
}

extension RuleFileReader {
    mutating func readRules(_ node: Unread, _ defaults: RuleSettings) -> [LocatedRule] {
        guard let items = values.list(node) else { return [] }
        if items.isEmpty { values.complain(node, "there is no rule", "add one, with name:, from: and to:") }
        var lines: [String: Int] = [:]
        return items.map { item in
            let (rule, name) = readRule(item, defaults)
            if let name {
                if let line = lines[name.value] {
                    values.complain(
                        name,
                        "the rule in line \(line) is called '\(name.value)' too",
                        "give each rule a name of its own"
                    )
                } else {
                    lines[name.value] = name.position.line
                }
            }
            return rule
        }
    }

    private mutating func readRule(_ node: Unread, _ defaults: RuleSettings) -> (LocatedRule, Located<String>?) {
        var located = LocatedRule(node: node, rule: nil, destinations: [], tagKeys: [:], sourceKeys: [:])
        guard let keys = values.keys(of: node, RuleFileShape.rule) else { return (located, nil) }
        let name = keys["name"].flatMap { ruleName($0) }
        let settings = self.settings(keys).over(defaults)
        let source = keys["from"].flatMap { self.source($0, &located.sourceKeys) }
        located.tagKeys = settings.tags?.value.keys ?? [:]
        located.gateKeys = settings.gates?.value.keys ?? [:]
        let tags = settings.tags?.value.rule ?? TagRule()
        for item in keys["to"].map({ values.items($0) }) ?? [] {
            if let destination = self.destination(item, source, tags) { located.destinations.append(destination) }
        }
        if let to = keys["to"], case .list(let items) = to.value.value, items.isEmpty {
            values.complain(to, "there is no destination", "add one: { registry: NAME }")
        }
        guard let name, let source, !located.destinations.isEmpty else { return (located, name) }
        located.rule = Rule(
            name: name.value,
            position: node.position,
            source: source,
            destinations: located.destinations.map(\.value),
            tags: tags,
            platforms: settings.platforms?.value ?? [],
            referrers: settings.referrers?.value ?? .all,
            ifExists: settings.ifExists?.value ?? (settings.gates == nil ? .move : .fail),
            createRepository: settings.createRepository?.value ?? .never,
            gates: settings.gates?.value.settings,
            prune: settings.prune?.value
        )
        return (located, name)
    }

    private mutating func ruleName(_ node: Unread) -> Located<String>? {
        guard let text = values.text(node) else { return nil }
        let name = text.value.text
        let isName = name.unicodeScalars.allSatisfy { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-": true
            default: false
            }
        }
        guard isName, name.utf8.count <= 100, !name.hasPrefix("-") else {
            values.complain(text, "\(text.value.shown) is not a name for a rule", "use letters, digits and - _ .")
            return nil
        }
        return text.with(name)
    }

    // MARK: Where from

    private mutating func source(_ node: Unread, _ keys: inout [String: Unread]) -> RuleSource? {
        keys = values.keys(of: node, RuleFileShape.source) ?? [:]
        let registry = keys["registry"].flatMap { self.registry($0) }
        let patterns = keys["repository"].map { repositories($0, at: registry) } ?? []
        let excluded = keys["exclude"].map { repositories($0, at: registry) } ?? []
        if let repository = keys["repository"], case .list(let items) = repository.value.value, items.isEmpty {
            values.complain(repository, "there is no repository", "write \"*\" for all of them")
        }
        guard let registry, !patterns.isEmpty else { return nil }
        let source = RuleSource(registry: registry, patterns: patterns, excluded: excluded)
        if source.fixedRepositories?.isEmpty == true, let exclude = keys["exclude"] {
            values.complain(exclude, "every repository of the rule is excluded", "remove exclude")
        }
        return source
    }

    mutating func registry(_ node: Unread) -> RuleRegistry? {
        guard let text = values.text(node) else { return nil }
        if let registry = registries[text.value.text] { return registry }
        // A file without registries is already complained of.
        guard !registries.isEmpty else { return nil }
        let known = registries.keys.sorted()
        let meant = nearest(to: text.value.text, among: known).map { "did you mean '\($0)'?" }
        values.complain(
            text,
            "there is no registry \(text.value.shown)",
            meant ?? "the registries are \(known.joined(separator: ", "))"
        )
        return nil
    }

    private mutating func repositories(_ node: Unread, at registry: RuleRegistry?) -> [RepositoryPattern] {
        var patterns: [RepositoryPattern] = []
        for text in values.texts(node) {
            var name = text
            var isHub = false
            if case .plain(let place) = registry?.place, place.isDockerHub {
                isHub = true
                // Docker Hub's own images are written without `library/`.
                let isShort = !name.value.text.contains { "/*?[]{}:".contains($0) }
                if isShort { name.value.text = "library/\(name.value.text)" }
            }
            let parsed = values.parsed(
                name,
                { text throws(RepositoryPattern.Problem) in try RepositoryPattern(parsing: text) },
                { (text.value.shown + " is not a pattern for repositories: \($0.reason)", $0.remedy) }
            )
            guard let pattern = parsed?.value else { continue }
            if isHub, pattern.literal == nil {
                values.complain(text, "Docker Hub does not list its repositories", "name each repository")
            }
            patterns.append(pattern)
        }
        return patterns
    }
}
