internal import Content
internal import Replicate

/// Reads destinations, and checks that their templates can be filled.
extension RuleFileReader {
    mutating func destination(
        _ node: Unread,
        _ source: RuleSource?,
        _ tags: TagRule
    ) -> Located<RuleDestination>? {
        guard let keys = values.keys(of: node, RuleFileShape.destination) else { return nil }
        let registry = keys["registry"].flatMap { self.registry($0) }
        let repository = template(keys["repository"], usual: "{repository}")
        let tag = template(keys["tag"], usual: "{tag}")
        guard let registry, let repository, let tag else { return nil }
        let destination = RuleDestination(registry: registry, repository: repository, tag: tag)
        guard let source else { return node.with(destination) }
        let isRight = check(destination, keys, source, tags)
        return isRight ? node.with(destination) : nil
    }

    private mutating func template(_ node: Unread?, usual: String) -> NameTemplate? {
        guard let node else { return try? NameTemplate(parsing: usual) }
        guard let text = values.text(node) else { return nil }
        return values.parsed(
            text,
            { text throws(NameTemplate.Problem) in try NameTemplate(parsing: text) },
            {
                (
                    "\(text.value.shown) is not a template of a name: \($0.reason)",
                    $0.remedy ?? "write a placeholder as {name}"
                )
            }
        )?.value
    }

    /// Checks that the templates can be filled, and give valid names.
    private mutating func check(
        _ destination: RuleDestination,
        _ keys: [String: Unread],
        _ source: RuleSource,
        _ tags: TagRule
    ) -> Bool {
        var isRight = true
        for (key, template, kind) in [
            ("repository", destination.repository, NameValues.Kind.repository), ("tag", destination.tag, .tag),
        ] {
            guard let node = keys[key] else { continue }
            var known: [String: String] = [:]
            for name in Set(template.names).sorted() {
                if NameTemplate.placeholders.contains(name) {
                    known[name] = Self.sample(of: name, source)
                } else if let problem = problem(withGroup: name, kind, source, tags) {
                    values.complain(node, problem.message, problem.suggestion)
                    isRight = false
                } else {
                    known[name] = "0a"
                }
            }
            guard isRight, let sample = template.filled(known) else { continue }
            if let problem = Self.problem(withName: sample, of: template, kind, destination.registry) {
                values.complain(node, problem.message, problem.suggestion)
                isRight = false
            }
        }
        return isRight
    }

    /// A value that any valid name could have.
    private static func sample(of placeholder: String, _ source: RuleSource) -> String {
        switch placeholder {
        case "registry": source.registry.name
        case "digest": String(repeating: "0", count: 64)
        default: "0a"
        }
    }

    private static func problem(
        withName sample: String,
        of template: NameTemplate,
        _ kind: NameValues.Kind,
        _ registry: RuleRegistry
    ) -> (message: String, suggestion: String)? {
        do {
            switch kind {
            case .repository: _ = try RepositoryName(parsing: sample)
            case .tag: _ = try Tag(parsing: sample, as: registry.tagGrammar)
            }
            return nil
        } catch {
            let what = kind == .repository ? "the name of a repository" : "a tag"
            let reason =
                switch error {
                case .malformedRepository(_, let reason), .malformedTag(_, let reason): reason
                default: "\(error)"
                }
            let text = quotable(template.text, upTo: 200)
            return (
                "'\(text)' does not give \(what): \(reason)",
                template.isConstant ? "write another name" : "change the text between the placeholders"
            )
        }
    }

    /// Says why a placeholder can't stand for a group of the patterns.
    private func problem(
        withGroup name: String,
        _ kind: NameValues.Kind,
        _ source: RuleSource,
        _ tags: TagRule
    ) -> (message: String, suggestion: String)? {
        let isNumber = Int(name) != nil
        let ofRepositories = source.patterns.map { ($0.text, $0.groups) }
        let ofTags = tags.match.map { ($0.text, $0.groups) }
        let candidates = isNumber ? [kind == .repository ? ofRepositories : ofTags] : [ofRepositories, ofTags]
        guard let patterns = candidates.first(where: { list in list.contains { $0.1?.has(name) == true } }) else {
            return isNumber
                ? Self.noGroup(name, kind) : Self.noPlaceholder(name, (ofRepositories + ofTags).compactMap(\.1))
        }
        if let other = patterns.first(where: { $0.1?.has(name) != true }) {
            return (
                "the pattern '\(quotable(other.0, upTo: 200))' has no group {\(name)}",
                "give every pattern the group, or write a rule for each"
            )
        }
        if let unreadable = patterns.first(where: { $0.1?.isReadable == false }) {
            return (
                "the groups of '\(quotable(unreadable.0, upTo: 200))' can't be read",
                "write the expression without (?U) and other flags than (?i)"
            )
        }
        if !isNumber || kind == .tag,
            candidates.count == 1 || !source.patterns.contains(where: { $0.groups?.has(name) == true }),
            let tag = tags.include.first(where: { tag in !tags.match.contains { $0.pattern.matches(tag) } })
        {
            return (
                "the tag '\(tag)' of include matches no pattern, so {\(name)} has no value for it",
                "write a rule for it"
            )
        }
        return nil
    }

    private static func noGroup(_ number: String, _ kind: NameValues.Kind) -> (message: String, suggestion: String) {
        let place = kind == .repository ? "from.repository" : "tags.match"
        return (
            "there is no group {\(number)} in the expressions of \(place)",
            "write re: and an expression with a group in parentheses"
        )
    }

    private static func noPlaceholder(
        _ name: String,
        _ groups: [ExpressionGroups]
    ) -> (message: String, suggestion: String) {
        let known = NameTemplate.placeholders + groups.flatMap { $0.names.compactMap { $0 } }
        let all = known.map { "{\($0)}" }.joined(separator: ", ")
        return (
            "there is no placeholder {\(quotable(name, upTo: 100))}",
            nearest(to: name, among: known).map { "did you mean {\($0)}?" } ?? "the placeholders are \(all)"
        )
    }
}
