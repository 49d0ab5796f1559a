import Platform
import Testing

@testable import Rules

/// A rule file with one mistake, and what must be said about it.
///
/// A `«` in the text marks the place of the mistake; it is removed before the text is read.
struct WrongFile: Sendable, CustomTestStringConvertible {
    var text: String
    var path: String
    var message: String
    var suggestion: String?

    init(_ text: String, _ path: String, _ message: String, _ suggestion: String?) {
        (self.text, self.path, self.message, self.suggestion) = (text, path, message, suggestion)
    }

    /// A file whose only rule has a mistake.
    static func rule(_ text: String, _ path: String, _ message: String, _ suggestion: String?) -> WrongFile {
        WrongFile(
            registries + "rules:\n" + text + "\n",
            path.isEmpty ? "rules[0]" : "rules[0].\(path)",
            message,
            suggestion
        )
    }

    /// A rule from `a` to `b` with a further line that has a mistake.
    static func setting(_ text: String, _ path: String, _ message: String, _ suggestion: String?) -> WrongFile {
        rule(
            """
              - name: r
                from: { registry: a, repository: team/app }
                to: { registry: b }
                \(text)
            """,
            path,
            message,
            suggestion
        )
    }

    /// A file with a registry that has a mistake.
    static func registry(_ text: String, _ path: String, _ message: String, _ suggestion: String?) -> WrongFile {
        WrongFile(
            """
            version: 1
            registries:
              r: \(text)
            rules:
              - { name: r, from: { registry: r, repository: team/app }, to: { registry: r, tag: other, repository: "x/{name}" } , tags: { match: v1 } }
            """,
            path.isEmpty ? "registries.r" : "registries.r.\(path)",
            message,
            suggestion
        )
    }

    static let registries = """
        version: 1
        registries:
          a: { account: "111122223333", region: eu-west-1 }
          b: { account: "444455556666", region: us-east-1 }
          hub: { host: docker.io }
          plain: { host: registry.example.com }
          disk: { layout: ./images }

        """

    /// The text without the mark, and the position of the mark.
    var marked: (text: String, position: FilePosition) {
        let before = text.prefix { $0 != "«" }
        let lines = before.split(separator: "\n", omittingEmptySubsequences: false)
        let position = FilePosition(line: lines.count, column: (lines.last?.unicodeScalars.count ?? 0) + 1)
        return (text.replacing("«", with: ""), position)
    }

    var testDescription: String { "\(path): \(message)" }
}

/// The problems of a file; empty for a correct one.
func problems(of text: String, _ variables: EnvironmentVariables = [:]) -> [RuleFileProblem] {
    do {
        _ = try RuleFile(parsing: Array(text.utf8), name: "rules.yaml", variables: variables)
        return []
    } catch {
        return error.problems
    }
}

/// A correct file with these rules.
func ruleFile(_ rules: String, _ variables: EnvironmentVariables = [:]) throws -> RuleFile {
    let text = WrongFile.registries + "rules:\n" + rules
    return try RuleFile(parsing: Array(text.utf8), name: "rules.yaml", variables: variables)
}

/// The only rule of a file, from `a` to `b`, with further lines.
func onlyRule(_ lines: String...) throws -> Rule {
    let head = ["  - name: r", "    from: { registry: a, repository: team/app }", "    to: { registry: b }"]
    let file = try ruleFile((head + lines.map { "    \($0)" }).joined(separator: "\n") + "\n")
    return try #require(file.rules.first)
}

extension WrongFile {
    /// Every mistake.
    static let all = inFiles + inRegistries + inSources + inDestinations + inSettings + inStages
}
