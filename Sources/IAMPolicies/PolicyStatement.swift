/// One statement of a policy that allows something.
///
/// - Source: IAM User Guide, "IAM JSON policy elements reference"
package struct PolicyStatement: Sendable, Hashable {
    /// The callers that a resource's policy lets in.
    package enum Principal: Sendable, Hashable {
        case anyone
        case aws(String)
    }

    /// A condition on the request: `test`, for example `StringEquals`, compares `key` with `value`.
    package struct Condition: Sendable, Hashable {
        package var test: String
        package var key: String
        package var value: String

        package init(_ test: String, _ key: String, _ value: String) {
            (self.test, self.key, self.value) = (test, key, value)
        }
    }

    package var id: String?
    package var principal: Principal?
    package var actions: [String]
    /// The resources of the statement; empty in a resource's own policy, which is about that resource.
    package var resources: [String]
    /// The conditions, all of which must hold.
    package var conditions: [Condition]

    package init(
        id: String? = nil,
        principal: Principal? = nil,
        _ actions: [String],
        on resources: [String] = [],
        conditions: [Condition] = []
    ) {
        (self.id, self.principal, self.actions, self.resources) = (id, principal, actions, resources)
        self.conditions = conditions
    }

    /// The statement as one line of JSON, ready to be pasted into a policy.
    package var line: String { json.line }

    var json: PolicyJSON {
        var members: [(String, PolicyJSON)] = id.map { [("Sid", .text($0))] } ?? []
        members.append(("Effect", .text("Allow")))
        switch principal {
        case .anyone: members.append(("Principal", .text("*")))
        case .aws(let arn): members.append(("Principal", .members([("AWS", .text(arn))])))
        case nil: break
        }
        members.append(("Action", PolicyJSON(oneOrMany: actions)))
        if !resources.isEmpty { members.append(("Resource", PolicyJSON(oneOrMany: resources))) }
        if !conditions.isEmpty { members.append(("Condition", conditionJSON)) }
        return .members(members)
    }

    /// The conditions as JSON, in which each test appears once with all its keys.
    private var conditionJSON: PolicyJSON {
        var tests: [String] = []
        for condition in conditions where !tests.contains(condition.test) { tests.append(condition.test) }
        return .members(
            tests.map { test in
                (test, .members(conditions.filter { $0.test == test }.map { ($0.key, .text($0.value)) }))
            }
        )
    }
}

/// A policy document, as `--policy-document` and `--policy-text` take it.
package struct PolicyDocument: Sendable, Hashable {
    package var statements: [PolicyStatement]

    package init(_ statements: [PolicyStatement]) { self.statements = statements }

    /// The policy as JSON over several lines, with a line feed at the end.
    package var text: String { json.pages() + "\n" }

    var json: PolicyJSON {
        .members([("Version", .text("2012-10-17")), ("Statement", .list(statements.map(\.json)))])
    }
}

extension PolicyDocument: Encodable {
    package func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }
}

/// JSON whose members keep the order in which policies are written.
enum PolicyJSON {
    case text(String)
    case list([PolicyJSON])
    case members([(String, PolicyJSON)])

    init(oneOrMany texts: [String]) {
        self = texts.count == 1 ? .text(texts[0]) : .list(texts.map { .text($0) })
    }

    var line: String {
        switch self {
        case .text(let text): Self.quoted(text)
        case .list(let items): "[\(items.map(\.line).joined(separator: ","))]"
        case .members(let members):
            "{\(members.map { "\(Self.quoted($0)):\($1.line)" }.joined(separator: ","))}"
        }
    }

    func pages(_ indentation: String = "") -> String {
        let deeper = indentation + "  "
        return switch self {
        case .text: line
        case .list(let items):
            "[\n\(items.map { deeper + $0.pages(deeper) }.joined(separator: ",\n"))\n\(indentation)]"
        case .members(let members):
            "{\n\(members.map { "\(deeper)\(Self.quoted($0)): \($1.pages(deeper))" }.joined(separator: ",\n"))\n\(indentation)}"
        }
    }

    private static func quoted(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar -> String in
            switch scalar {
            case "\"", "\\": "\\\(scalar)"
            case _ where scalar.value < 32: " "
            default: String(scalar)
            }
        }
        return "\"\(escaped.joined())\""
    }
}

extension PolicyJSON: Encodable {
    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        switch self {
        case .text(let text):
            var container = encoder.singleValueContainer()
            try container.encode(text)
        case .list(let items):
            var container = encoder.unkeyedContainer()
            for item in items { try container.encode(item) }
        case .members(let members):
            var container = encoder.container(keyedBy: Key.self)
            for (name, value) in members { try container.encode(value, forKey: Key(stringValue: name)) }
        }
    }
}
