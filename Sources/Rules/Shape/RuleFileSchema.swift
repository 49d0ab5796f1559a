internal import FoundationEssentials

/// The JSON Schema of rule files, for editors.
///
/// It is of draft-07, because SchemaStore and many editors know nothing newer. It has keys, kinds and choices; only the
/// program checks what depends on several values.
package enum RuleFileSchema {
    /// The document, as it is committed in `config/rules.schema.json`.
    package static var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = (try? encoder.encode(document)) ?? Data()
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    private static let shapes = [
        RuleFileShape.registry, RuleFileShape.defaults, RuleFileShape.rule, RuleFileShape.source,
        RuleFileShape.destination, RuleFileShape.tags, RuleFileShape.gates,
        RuleFileShape.ignoredFinding, RuleFileShape.prune,
    ]

    private static var document: JSONValue {
        var members = schema(of: RuleFileShape.file)
        members["$schema"] = "http://json-schema.org/draft-07/schema#"
        members["title"] = "Rule file of ecr-replicate"
        members["definitions"] = .object(
            Dictionary(uniqueKeysWithValues: shapes.map { ($0.name, .object(schema(of: $0))) })
        )
        return .object(members)
    }

    private static func schema(of shape: Shape) -> [String: JSONValue] {
        var properties: [String: JSONValue] = [:]
        for key in shape.keys {
            var members = schema(of: key.kind)
            members["description"] = .string(key.summary)
            // Draft-07 ignores everything beside a reference.
            if let reference = members.removeValue(forKey: "$ref") { members["allOf"] = [["$ref": reference]] }
            properties[key.name] = .object(members)
        }
        var members: [String: JSONValue] = [
            "type": "object", "additionalProperties": false, "properties": .object(properties),
            "patternProperties": ["^(x-|<<$)": true],
        ]
        let required = shape.keys.filter(\.isRequired).map { JSONValue.string($0.name) }
        if !required.isEmpty { members["required"] = .array(required) }
        if !shape.forms.isEmpty {
            members["oneOf"] = .array(shape.forms.map { ["required": .array($0.map { .string($0) })] })
        }
        return members
    }

    private static func schema(of kind: Shape.Kind) -> [String: JSONValue] {
        switch kind {
        case .version: ["const": 1]
        case .text(let pattern):
            pattern.map { ["type": ["string", "number"], "pattern": .string($0)] } ?? ["type": ["string", "number"]]
        case .texts:
            ["oneOf": [textual, ["type": "array", "items": textual]]]
        case .flag: ["oneOf": [["type": "boolean"], variable]]
        case .count: ["oneOf": [["type": "integer", "minimum": 1], variable]]
        case .choice(let words): ["oneOf": [["enum": .array(words.map { .string($0) })], variable]]
        case .object(let shape): reference(to: shape)
        case .objects(let shape):
            ["oneOf": [.object(reference(to: shape)), list(of: shape)]]
        case .list(let shape): ["type": "array", "minItems": 1, "items": .object(reference(to: shape))]
        case .named(let shape):
            [
                "type": "object", "minProperties": 1,
                "patternProperties": ["^(x-|<<$)": true],
                "additionalProperties": .object(reference(to: shape)),
            ]
        case .textsByName: ["type": "object", "additionalProperties": textual]
        }
    }

    private static let textual: JSONValue = ["type": ["string", "number"]]
    /// A text that is a value once its variable is replaced.
    private static let variable: JSONValue = ["type": "string", "pattern": "\\$\\{"]

    private static func list(of shape: Shape) -> JSONValue {
        ["type": "array", "minItems": 1, "items": .object(reference(to: shape))]
    }

    private static func reference(to shape: Shape) -> [String: JSONValue] {
        ["$ref": .string("#/definitions/\(shape.name)")]
    }
}
