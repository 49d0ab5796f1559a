internal import Content

/// A place in a text file; both numbers count from 1, and a column is one Unicode scalar wide.
package struct FilePosition: Hashable, Sendable, Comparable, CustomStringConvertible {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) { (self.line, self.column) = (line, column) }

    package var description: String { "\(line):\(column)" }

    package static func < (left: FilePosition, right: FilePosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// One mistake in a rule file.
package struct RuleFileProblem: Hashable, Sendable {
    package var position: FilePosition
    /// The value that is wrong, for example `rules[0].tags.semver`; empty for the file as a whole.
    package var path: String
    package var message: String
    /// What to write instead, as an imperative.
    package var suggestion: String?

    package init(at position: FilePosition, _ path: String, _ message: String, _ suggestion: String? = nil) {
        (self.position, self.path, self.message, self.suggestion) = (position, path, message, suggestion)
    }

    /// The problem in two lines at most, as compilers write theirs: `FILE:LINE:COLUMN: PATH: MESSAGE`.
    package func text(file: String) -> String {
        "\(quotable(file)):\(position): " + (path.isEmpty ? "" : "\(path): ") + message
            + (suggestion.map { "\n  next: \($0)" } ?? "")
    }
}

/// All mistakes of a rule file, in the order of the file.
package struct RuleFileError: Error, Sendable, CustomStringConvertible {
    package var file: String
    package var problems: [RuleFileProblem]

    package var description: String { problems.map { $0.text(file: file) }.joined(separator: "\n") }
}

/// The problems found so far.
///
/// A value that several aliases use is reported once.
struct ProblemList {
    private(set) var problems: [RuleFileProblem] = []
    private var known: Set<Key> = []

    /// The most problems that are reported; a file of another program would have thousands.
    static let most = 100

    private struct Key: Hashable {
        let position: FilePosition
        let message: String
    }

    mutating func add(_ problem: RuleFileProblem) {
        guard problems.count < Self.most else { return }
        if known.insert(Key(position: problem.position, message: problem.message)).inserted {
            problems.append(problem)
        }
    }

    var sorted: [RuleFileProblem] {
        problems.enumerated().sorted { ($0.element.position, $0.offset) < ($1.element.position, $1.offset) }
            .map(\.element)
    }
}
