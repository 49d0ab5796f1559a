internal import Content
internal import Platform
internal import Replicate

extension ImportedFile {
    /// The file with comments, in the order in which people read it.
    var expanded: ExpandedValue {
        var members: [(key: String, value: ExpandedValue)] = header.map { ("", .comment($0)) }
        members.append(("version", .number(1)))
        members.append(("registries", .mapping(registryMembers)))
        let notes = ImportNote.comments(defaultsNotes)
        members += notes.map { ("", .comment($0)) }
        members.append(("defaults", .mapping([("referrers", .text(referrers.rawValue))])))
        members.append(("rules", .list(ruleValues)))
        return .mapping(members)
    }

    private var registryMembers: [(key: String, value: ExpandedValue)] {
        let used = Set(rules.flatMap { rule in [rule.source] + rule.destinations.map(\.registry) })
        var members: [(key: String, value: ExpandedValue)] = []
        var others: [ImportNote] = otherRegistryNotes
        for (index, registry) in registries.enumerated() {
            guard used.contains(index) else {
                others += registry.notes
                continue
            }
            let notes = ImportNote.comments(registry.notes)
            members.append((registry.name, .mapping(registry.place.members + notes.map { ("", .comment($0)) })))
        }
        return members + ImportNote.comments(others).map { ("", .comment($0)) }
    }

    private var ruleValues: [ExpandedValue] {
        var names = UniqueNames()
        return steps.map { step in
            switch step {
            case .rule(let rule): value(of: rule, called: names.name(rule.name))
            case .leftOut(let step): .comment(step.text)
            }
        }
    }

    private func value(of rule: ImportedRule, called name: String) -> ExpandedValue {
        var members: [(key: String, value: ExpandedValue)] = [("name", .text(name))]
        func add(_ slot: ImportedRule.Slot, _ value: ExpandedValue?) {
            members += ImportNote.comments(rule.notes[slot] ?? []).map { ("", .comment($0)) }
            if let value { members.append((slot.rawValue, value)) }
        }
        var source: [(key: String, value: ExpandedValue)] = [
            ("registry", .text(registries[rule.source].name)), ("repository", .texts(rule.repositories)),
        ]
        if !rule.excluded.isEmpty { source.append(("exclude", .texts(rule.excluded))) }
        add(.from, .mapping(source))
        let destinations = rule.destinations.map(value)
        add(.to, destinations.count == 1 ? destinations[0] : .list(destinations))
        add(.tags, rule.tags.expanded)
        add(.platforms, rule.platforms.isEmpty ? nil : .texts(rule.platforms))
        add(.referrers, rule.referrers == referrers ? nil : .text(rule.referrers.rawValue))
        if rule.createRepository != .never {
            members.append(("createRepository", .text(rule.createRepository.rawValue)))
        }
        add(.end, nil)
        return .mapping(members)
    }

    private func value(of destination: ImportedDestination) -> ExpandedValue {
        var members: [(key: String, value: ExpandedValue)] = [
            ("registry", .text(registries[destination.registry].name))
        ]
        if let repository = destination.repository { members.append(("repository", .text(repository))) }
        if let tag = destination.tag { members.append(("tag", .text(tag))) }
        return .mapping(members)
    }

    // MARK: Checking

    /// The most steps that are checked one by one, because a rule file has a largest size.
    private static let mostCheckedAlone = 5_000

    /// Joins steps, and leaves out what a rule file can't have.
    ///
    /// A step that is refused must not take others with it, so steps are checked before they are joined.
    ///
    /// - Throws: ``RuleFileError`` if the file as a whole is not accepted.
    mutating func finish() throws(RuleFileError) {
        if rules.count <= Self.mostCheckedAlone { try leaveOutWhatIsRefused() }
        join()
        try leaveOutWhatIsRefused()
    }

    /// Reads the file as a rule file, and leaves out the rules that are not accepted, until it is.
    ///
    /// Two steps may write the same tag, for example, or copy a registry to itself.
    private mutating func leaveOutWhatIsRefused() throws(RuleFileError) {
        let values = Dictionary(
            variables.sorted().enumerated().map { ($1, "x\($0 + 1).example") },
            uniquingKeysWith: { first, _ in first }
        )
        while !rules.isEmpty {
            let bytes = Array(YAMLWriter.text(of: expanded).utf8)
            do {
                _ = try RuleFile(parsing: bytes, name: "", variables: EnvironmentVariables(values))
                return
            } catch {
                let refused = refusals(in: error)
                guard !refused.isEmpty else { throw error }
                leaveOut(refused)
            }
        }
    }

    /// The reasons for which rules are refused, by their places among ``rules``.
    private func refusals(in error: RuleFileError) -> [Int: NotTranslatable] {
        var reasons: [Int: NotTranslatable] = [:]
        let rules = rules
        for problem in error.problems {
            // Lines of the file that is being made mean nothing to its reader.
            let message = problem.message.replacing(#/ in line [0-9]+/#, with: "")
            let why = NotTranslatable(reason: "in a rule file, \(message)", remedy: problem.suggestion)
            if let number = Self.number(in: problem.path, of: "rules"), rules.indices.contains(number) {
                reasons[number] = reasons[number] ?? why
                continue
            }
            for (index, registry) in registries.enumerated() {
                let path = pathed("registries", registry.name)
                guard problem.path == path || problem.path.hasPrefix(path + ".") else { continue }
                for (number, rule) in rules.enumerated()
                where rule.source == index || rule.destinations.contains(where: { $0.registry == index }) {
                    reasons[number] = reasons[number] ?? why
                }
            }
        }
        return reasons
    }

    /// The number in a path such as `rules[12].from`.
    private static func number(in path: String, of list: String) -> Int? {
        guard path.hasPrefix("\(list)[") else { return nil }
        return Int(path.dropFirst(list.count + 1).prefix { $0 != "]" })
    }
}

extension ImportedFile.LeftOut {
    /// The comment in place of the rule.
    fileprivate var text: String {
        "\(origin.path) (line \(origin.position.line)) is left out: \(why.reason)"
            + (why.remedy.map { "; \($0)" } ?? "")
    }

    /// The line on standard error.
    var problem: RuleFileProblem { .init(at: origin.position, origin.path, "left out: \(why.reason)", why.remedy) }
}
