internal import Content
package import Platform
internal import Replicate

/// A rule file with its defaults written into every rule, and without aliases and `x-` keys.
///
/// It is a rule file itself, which means the same.
package struct ExpandedFile: Encodable, Sendable {
    private var root: ExpandedValue

    /// - Parameter showsValues: Whether variables are replaced; otherwise they stay as they are written, since their
    ///   values may be secret.
    /// - Throws: ``RuleFileError`` with all mistakes of the file.
    package init(
        parsing bytes: [UInt8],
        name: String,
        variables: EnvironmentVariables,
        showsValues: Bool
    ) throws(RuleFileError) {
        let (file, root) = try RuleFileReader.read(bytes, name, variables)
        let expansion = Expansion(variables: variables, showsValues: showsValues)
        self.root = expansion.expanded(root, file)
    }

    /// The file in YAML.
    package var yaml: String { YAMLWriter.text(of: root) }

    package func encode(to encoder: any Encoder) throws { try root.encode(to: encoder) }
}

/// A value of an expanded file; members keep their order.
indirect enum ExpandedValue: Sendable {
    case text(String)
    case number(Int)
    case flag(Bool)
    case list([ExpandedValue])
    case mapping([(key: String, value: ExpandedValue)])
    /// An item or a member that is a comment; a member's key means nothing then, and JSON does not have it.
    case comment(String)

    var json: JSONValue {
        switch self {
        case .text(let text): .string(text)
        case .number(let number): .number(number)
        case .flag(let flag): .flag(flag)
        case .list(let values): .array(values.filter { !$0.isComment }.map(\.json))
        case .mapping(let members):
            .object(
                Dictionary(members.filter { !$0.value.isComment }.map { ($0.key, $0.value.json) }) { first, _ in first }
            )
        case .comment(let text): .string(text)
        }
    }
}

extension ExpandedValue {
    var isComment: Bool { if case .comment = self { true } else { false } }
}

extension ExpandedValue: Encodable {
    func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }
}

/// Writes the nodes of a correct file anew, in the order of the shapes.
private struct Expansion {
    let variables: EnvironmentVariables
    let showsValues: Bool

    func expanded(_ root: RuleNode, _ file: RuleFile) -> ExpandedValue {
        let members = root.byKey
        let defaults = members["defaults"]?.byKey ?? [:]
        let rules: [ExpandedValue]
        if case .list(let nodes)? = members["rules"]?.value {
            rules = zip(nodes, file.rules).map { rule($0, defaults, $1) }
        } else {
            rules = []
        }
        let registries = members["registries"].map { value($0, .named(RuleFileShape.registry)) }
        return .mapping([
            ("version", .number(1)), ("registries", registries ?? .mapping([])), ("rules", .list(rules)),
        ])
    }

    private func rule(_ node: RuleNode, _ defaults: [String: RuleNode], _ rule: Rule) -> ExpandedValue {
        let own = node.byKey
        var members: [(key: String, value: ExpandedValue)] = []
        for key in RuleFileShape.rule.keys {
            if let node = own[key.name] ?? defaults[key.name] {
                members.append((key.name, value(node, key.kind)))
            } else if let usual = Self.usual(key.name, rule) {
                members.append((key.name, usual))
            }
        }
        return .mapping(members)
    }

    /// What the program assumes for a key that is not given.
    private static func usual(_ key: String, _ rule: Rule) -> ExpandedValue? {
        switch key {
        case "platforms": .list([])
        case "referrers": .text(rule.referrers.rawValue)
        case "ifExists": .text(rule.ifExists.rawValue)
        case "createRepository": .text(rule.createRepository.rawValue)
        case "prune": .mapping([("enabled", .flag(false))])
        default: nil
        }
    }

    private func value(_ node: RuleNode, _ kind: Shape.Kind) -> ExpandedValue {
        switch kind {
        case .version, .text, .texts, .choice, .flag, .count: single(node, kind)
        case .object(let shape): mapping(node, shape)
        case .objects(let shape), .list(let shape): .list(node.listed.map { mapping($0, shape) })
        case .named(let shape):
            .mapping((node.entries ?? []).map { ($0.key, mapping($0.node, shape)) })
        case .textsByName:
            .mapping((node.entries ?? []).map { ($0.key, single($0.node, .text())) })
        }
    }

    private func mapping(_ node: RuleNode, _ shape: Shape) -> ExpandedValue {
        let own = node.byKey
        var members: [(key: String, value: ExpandedValue)] = []
        for key in shape.keys {
            if let node = own[key.name] {
                members.append((key.name, value(node, key.kind)))
            } else if shape.name == RuleFileShape.destination.name, key.name != "registry" {
                members.append((key.name, .text("{\(key.name)}")))
            }
        }
        return .mapping(members)
    }

    private func single(_ node: RuleNode, _ kind: Shape.Kind) -> ExpandedValue {
        if case .texts = kind { return .list(node.listed.map { single($0, .text()) }) }
        guard case .scalar(let scalar) = node.value,
            let substitution = try? Substitution(of: scalar.written, with: variables)
        else { return .text("") }
        // A dollar of the value is written as two, so that what is printed means the same.
        let shown = showsValues ? substitution.text.replacing("$", with: "$$") : scalar.written
        switch kind {
        case .flag: return shown == "true" ? .flag(true) : shown == "false" ? .flag(false) : .text(shown)
        case .count: return Int(shown).map(ExpandedValue.number) ?? .text(shown)
        default: return .text(shown)
        }
    }
}

extension RuleNode {
    fileprivate var byKey: [String: RuleNode] {
        Dictionary((entries ?? []).map { ($0.key, $0.node) }) { first, _ in first }
    }

    /// The items of a list, or the node itself.
    fileprivate var listed: [RuleNode] { if case .list(let nodes) = value { nodes } else { [self] } }
}
