internal import Content
internal import Replicate

extension RuleSource {
    /// The repositories that a pattern of the rule selects, as patterns of names.
    ///
    /// A name that the rule leaves out is left out here too; IAM's patterns can't leave out more.
    func names(selectedBy pattern: RepositoryPattern) -> NamePatterns {
        let selected = pattern.literal.map { NamePatterns($0.value) } ?? pattern.shape.map { NamePatterns($0) } ?? .none
        return selected.keeping { name in !excluded.contains { $0.matches(name) } }
    }
}

extension Rule {
    /// The repositories that are written at a destination, as patterns of names.
    ///
    /// - Parameters:
    ///   - name: The source's repositories, or some of them.
    ///   - pattern: The pattern that selects them.
    func names(
        at destination: RuleDestination,
        for name: NamePattern,
        selectedBy pattern: RepositoryPattern
    ) -> NamePatterns {
        destination.repository.parts.reduce(NamePatterns("")) { start, part in
            switch part {
            case .text(let text): start.followed(by: NamePatterns(text))
            case .placeholder(let placeholder): start.followed(by: value(of: placeholder, name, pattern))
            }
        }.keeping { _ in true }
    }

    /// The values of a placeholder, by the rules of ``NameValues``.
    private func value(of placeholder: String, _ name: NamePattern, _ pattern: RepositoryPattern) -> NamePatterns {
        switch placeholder {
        case "registry": NamePatterns(source.registry.name)
        case "repository": NamePatterns([name])
        case "name": name.lastComponents
        case "tag": tags.names
        // The digits of a digest.
        case "digest": NamePatterns([NamePattern(Array(repeating: .one(maybeSlash: false), count: 64))])
        default: group(placeholder, pattern)
        }
    }

    private func group(_ group: String, _ pattern: RepositoryPattern) -> NamePatterns {
        if let body = pattern.groups?.body(of: group) { return NamePatterns(body) }
        // A numbered group is one of the repository's pattern.
        guard Int(group) == nil else { return NamePatterns("") }
        let bodies = tags.match.compactMap { $0.groups?.body(of: group) }
        return bodies.reduce(.none) { $0.joined(with: NamePatterns($1)) }
    }
}

extension TagRule {
    /// The tags that the rule may select, as far as they can be in a repository's name.
    fileprivate var names: NamePatterns {
        let any = NamePatterns([NamePattern([.one(maybeSlash: false), .many(maybeSlash: false)])])
        guard selectsTags, !match.isEmpty else { return any }
        let selected = match.reduce(NamePatterns.none) { names, pattern in
            if let literal = pattern.literal { return names.joined(with: NamePatterns(literal.value)) }
            if pattern.text.hasPrefix("re:"), let shape = try? TextExpression.parse(String(pattern.text.dropFirst(3))) {
                return names.joined(with: NamePatterns(shape))
            }
            guard !pattern.text.contains(":") else { return names.joined(with: any) }
            let start = NamePattern(String(pattern.text.prefix { !"*?[{".contains($0) }))
            return names.joined(with: NamePatterns([NamePattern(start.parts + [.many(maybeSlash: false)])]))
        }
        return include.reduce(selected) { $0.joined(with: NamePatterns($1.value)) }
    }
}

extension NamePattern {
    /// What follows the last slash of the names.
    fileprivate var lastComponents: NamePatterns {
        let start = (parts.lastIndex(of: .character("/")) ?? -1) + 1
        var all = [NamePattern(Array(parts[start...]))]
        // A wildcard may hold the last slash: then only what follows it is left.
        for index in parts.indices.dropFirst(start) where parts[index].maybeSlash {
            let rest = Array(parts[(index + 1)...])
            if case .many = parts[index] {
                all.append(NamePattern([.many(maybeSlash: false)] + rest))
            } else {
                all.append(NamePattern(rest))
            }
        }
        return NamePatterns(all.map(\.withoutSlashes))
    }

    /// The pattern for those of its names that have no slash.
    private var withoutSlashes: NamePattern {
        NamePattern(
            parts.map { part in
                switch part {
                case .character: part
                case .one: .one(maybeSlash: false)
                case .many: .many(maybeSlash: false)
                }
            }
        )
    }
}

extension NamePatterns {
    /// The texts of a group; without regard to capitals, because an expression may say so outside of the group.
    fileprivate init(_ body: ExpressionGroups.Body) {
        let shape = try? TextExpression.parse("(?i)" + body.text)
        let names =
            shape.map { NamePatterns($0, isFirst: false, isLast: false) }
            ?? NamePatterns([NamePattern([.many(maybeSlash: true)])])
        self = body.mayBeLeftOut ? names.joined(with: NamePatterns("")) : names
    }

    /// Without single names that are not names of repositories, or that `isKept` doesn't keep.
    fileprivate func keeping(_ isKept: (RepositoryName) -> Bool) -> NamePatterns {
        NamePatterns(
            all.filter { pattern in
                guard pattern.isText else { return true }
                return (try? RepositoryName(parsing: pattern.text)).map(isKept) ?? false
            },
            isRounded: isRounded
        )
    }
}
