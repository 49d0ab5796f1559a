package import Content
internal import Replicate

/// A pattern for the names of repositories: a name, a glob, or `re:` and a regular expression.
///
/// In a glob, `*` matches any characters, slashes too, as it does in IAM policies.
package struct RepositoryPattern: Sendable {
    /// The pattern as it is written.
    package let text: String
    /// The only repository that it matches; `nil` for a pattern of several.
    package let literal: RepositoryName?
    /// The groups, if it is an expression.
    package let groups: ExpressionGroups?
    private let automaton: TextAutomaton?

    /// Why a text is not a pattern, and what to write instead.
    struct Problem: Error {
        var reason: String
        var remedy: String?
    }

    /// The longest pattern, in characters.
    private static let longest = 1_000

    init(parsing text: String) throws(Problem) {
        self.text = text
        guard text.unicodeScalars.count <= Self.longest else {
            throw Problem(reason: "it has more than \(Self.longest) characters")
        }
        let pattern: TextPattern
        if text.hasPrefix("re:") {
            let expression = String(text.dropFirst(3))
            guard !expression.isEmpty else { throw Problem(reason: "nothing follows re:") }
            do {
                pattern = try TextExpression.parse(expression)
            } catch {
                throw Problem(reason: error.reason, remedy: error.remedy.map(inRuleFileWords))
            }
            (literal, groups) = (nil, ExpressionGroups(of: expression))
        } else if text.contains(where: { "*?[]{}".contains($0) }) {
            pattern = try RepositoryGlob.parse(text)
            (literal, groups) = (nil, nil)
        } else {
            do {
                literal = try RepositoryName(parsing: text)
            } catch {
                throw Problem(reason: "it is not the name of a repository", remedy: Self.advice(on: text))
            }
            (groups, automaton) = (nil, nil)
            return
        }
        do {
            automaton = try TextAutomaton(pattern)
        } catch {
            throw Problem(reason: "its repetitions come to more than \(TextAutomaton.mostSteps) steps")
        }
    }

    /// What the pattern describes; `nil` if it is a name.
    var shape: TextPattern? {
        guard literal == nil else { return nil }
        return text.hasPrefix("re:")
            ? try? TextExpression.parse(String(text.dropFirst(3))) : try? RepositoryGlob.parse(text)
    }

    package func matches(_ repository: RepositoryName) -> Bool {
        literal.map { $0 == repository } ?? automaton?.matches(repository.value) ?? false
    }

    private static func advice(on text: String) -> String {
        if text.contains(":") || text.contains("@") {
            return "leave out tag and digest; tags are selected under tags:"
        }
        if text.hasPrefix("/") || text.hasSuffix("/") {
            let bare = quotable(text.split(separator: "/").joined(separator: "/"))
            return "write \(bare) for one repository, or end it in /* for all below"
        }
        if text.contains(where: \.isUppercase) {
            return "names of repositories have no capitals: write \(quotable(text.lowercased()))"
        }
        if text.contains(where: { "^$()|+\\".contains($0) }) { return "write re: before a regular expression" }
        if text.contains(",") || text.contains(" ") { return "make each repository an item of a list" }
        return "write 2 to 256 of a-z, 0-9 and . _ - /"
    }
}

/// The advice of a parser for command lines, in the words of a rule file.
func inRuleFileWords(_ advice: String) -> String {
    advice.replacing("pass --exclude", with: "use exclude:")
        .replacing("pass the option once for each pattern", with: "make each pattern an item of a list")
        .replacing(", or pass several patterns", with: ", or write several patterns")
}

/// A glob for the names of repositories: `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`.
enum RepositoryGlob {
    static func parse(_ text: String) throws(RepositoryPattern.Problem) -> TextPattern {
        do throws(GlobParser.Problem) {
            return try GlobParser.parse(text, check)
        } catch {
            throw RepositoryPattern.Problem(reason: error.reason, remedy: error.remedy)
        }
    }

    private static func check(_ scalar: Unicode.Scalar) throws(GlobParser.Problem) {
        switch scalar {
        case "a"..."z", "0"..."9", ".", "_", "-", "/": return
        case "A"..."Z":
            throw GlobParser.Problem(
                "names of repositories have no capitals",
                "write \(scalar.properties.lowercaseMapping)"
            )
        default:
            throw GlobParser.Problem(
                "no name of a repository can hold '\(quotable(String(scalar)))'",
                "write re: before a regular expression"
            )
        }
    }
}
