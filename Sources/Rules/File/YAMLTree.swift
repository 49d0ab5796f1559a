internal import Content
internal import Platform

/// Turns the text of a rule file into nodes.
struct YAMLTree {
    /// The program that a file belongs to.
    enum Origin {
        case ruleFile
        /// A file that a rule file is made from: its `x-` keys are kept, so that they can be named, and its values are
        /// not repeated, because they may be passwords.
        case otherProgram
    }

    private let origin: Origin
    private var anchors: [String: RuleNode] = [:]
    private var problems: ProblemList

    /// The most values of a file, each alias counted in full.
    ///
    /// A rule has some ten values, so this is room for thousands of rules.
    static let mostValues = 100_000
    /// The deepest nesting; a rule needs six levels.
    private static let deepest = 50

    /// - Returns: The root; `nil` after a syntax error, or if the file is empty.
    static func read(_ text: String, _ problems: inout ProblemList, of origin: Origin = .ruleFile) -> RuleNode? {
        let start = FilePosition(line: 1, column: 1)
        if let position = YAMLText.reservedPosition(in: text) {
            problems.add(
                .init(at: position, "", "private use characters have no meaning here", "remove the character")
            )
            return nil
        }
        let prepared = YAMLText(text)
        do throws(YAMLParser.Failure) {
            guard let root = try YAMLNode.root(of: prepared.text), !isEmpty(root) else {
                let advice = origin == .ruleFile ? "begin with version: 1" : "name the file that the program reads"
                problems.add(.init(at: start, "", "the file is empty", advice))
                return nil
            }
            var tree = YAMLTree(of: origin, problems: problems)
            let node = tree.node(root, "", depth: 0)
            problems = tree.problems
            return node
        } catch {
            problems.add(YAMLFault.problem(for: error, in: prepared, of: origin))
            return nil
        }
    }

    private init(of origin: Origin, problems: ProblemList) { (self.origin, self.problems) = (origin, problems) }

    private static func isEmpty(_ root: YAMLNode) -> Bool {
        if case .scalar(let text, isPlain: true) = root.value { text.isEmpty } else { false }
    }

    private mutating func node(_ yaml: YAMLNode, _ path: String, depth: Int) -> RuleNode {
        let position = yaml.position
        guard depth <= Self.deepest else {
            problems.add(.init(at: position, path, "this is nested too deeply", "a rule needs six levels"))
            return RuleNode(.faulty, at: position)
        }
        guard checkTag(of: yaml, at: position, path) else { return RuleNode(.faulty, at: position) }
        let value: RuleNode.Value
        switch yaml.value {
        case .scalar(let text, let isPlain):
            if isPlain, text.unicodeScalars.first == YAMLText.aliasMark { return alias(text, at: position, path) }
            value = .scalar(.init(written: YAMLText.restored(text), isPlain: isPlain))
        case .sequence(let nodes):
            value = .list(
                nodes.enumerated().map { index, item in node(item, "\(path)[\(index)]", depth: depth + 1) }
            )
        case .mapping(let mapping):
            value = .mapping(entries(of: mapping, path, depth))
        case .unusable: return RuleNode(.faulty, at: position)
        }
        let made = RuleNode(value, at: position)
        guard made.weight <= Self.mostValues else {
            problems.add(
                .init(
                    at: position,
                    path,
                    "this stands for more than \(Self.mostValues) values once its aliases are replaced",
                    "use fewer aliases, or several files"
                )
            )
            return RuleNode(.faulty, at: position)
        }
        if let anchor = yaml.anchor { anchors[anchor] = made }
        return made
    }

    private mutating func alias(_ text: String, at position: FilePosition, _ path: String) -> RuleNode {
        guard let name = YAMLText.alias(in: text) else {
            let written = quotable(YAMLText.restored(text))
            let advice = origin == .ruleFile ? "write \"\(written)\"" : "put it in quotes"
            problems.add(.init(at: position, path, "a text that begins with * needs quotes", advice))
            return RuleNode(.faulty, at: position)
        }
        if let node = anchors[name] { return node }
        guard origin == .ruleFile else {
            problems.add(
                .init(
                    at: position,
                    path,
                    "there is no anchor of this name above this line",
                    "put a text that begins with * in quotes"
                )
            )
            return RuleNode(.faulty, at: position)
        }
        let known = nearest(to: name, among: anchors.keys.sorted()).map { "did you mean *\($0)?" }
        problems.add(
            .init(
                at: position,
                path,
                "there is no anchor &\(name) above this line",
                known ?? "put a text that begins with * in quotes: \"*\(name)\""
            )
        )
        return RuleNode(.faulty, at: position)
    }

    /// Refuses tags such as `!secret`, which other programs give a meaning.
    private mutating func checkTag(of yaml: YAMLNode, at position: FilePosition, _ path: String) -> Bool {
        let tag = yaml.tag ?? ""
        let core = "tag:yaml.org,2002:"
        let isKnown =
            tag.isEmpty || tag == "!"
            || ["str", "int", "bool", "float", "null", "seq", "map"].contains { core + $0 == tag }
        if !isKnown {
            let shown = origin == .ruleFile ? " \(quotable(tag.replacing(core, with: "!!"), upTo: 100))" : ""
            problems.add(
                .init(at: position, path, "the YAML tag\(shown) is not supported", "write the value without a tag")
            )
        }
        return isKnown
    }

    // MARK: Mappings

    private mutating func entries(
        of mapping: [(key: YAMLNode, value: YAMLNode)],
        _ path: String,
        _ depth: Int
    ) -> [RuleNode.Entry] {
        var entries: [RuleNode.Entry] = []
        var merged: [RuleNode] = []
        var first: [String: FilePosition] = [:]
        for (key, value) in mapping {
            let position = key.position
            guard case .scalar(let text, let isPlain) = key.value,
                !isPlain || text.unicodeScalars.first != YAMLText.aliasMark
            else {
                problems.add(.init(at: position, path, "a key must be a single word", "write NAME: VALUE"))
                continue
            }
            let name = YAMLText.restored(text)
            let inner = pathed(path, name)
            let node = node(value, inner, depth: depth + 1)
            if let earlier = first[name] {
                problems.add(
                    .init(
                        at: max(earlier, position),
                        inner,
                        "the key '\(quotable(name))' is already given in line \(min(earlier, position).line)",
                        name == "<<" ? "write <<: [*ONE, *OTHER]" : "keep one of them"
                    )
                )
                continue
            }
            first[name] = position
            // A place for anchors.
            guard origin == .otherProgram || !name.hasPrefix("x-") else { continue }
            if name == "<<", isPlain {
                merged += mergeable(node, inner)
            } else {
                entries.append(.init(key: name, keyPosition: position, node: node))
            }
        }
        var known = Set(entries.map(\.key))
        for node in merged {
            for entry in node.entries ?? [] where known.insert(entry.key).inserted { entries.append(entry) }
        }
        return entries
    }

    /// The mappings that a merge key names, the one that wins first.
    ///
    /// - Source: yaml.org, "Merge Key Language-Independent Type for YAML"
    private mutating func mergeable(_ node: RuleNode, _ path: String) -> [RuleNode] {
        switch node.value {
        case .mapping: return [node]
        case .list(let nodes) where nodes.allSatisfy({ $0.entries != nil }): return nodes
        case .faulty: return []
        case .list, .scalar:
            problems.add(
                .init(at: node.position, path, "<< merges mappings, and this is \(node.kind)", "write <<: *ANCHOR")
            )
            return []
        }
    }
}

/// The path of a key in the mapping at `path`.
func pathed(_ path: String, _ key: String) -> String {
    let isWord =
        !key.isEmpty
        && key.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || "0123456789_-<".unicodeScalars.contains($0))
        }
    guard isWord else { return "\(path)[\"\(quotable(key, upTo: 100))\"]" }
    return path.isEmpty ? key : "\(path).\(key)"
}
