internal import Content
internal import Yams

/// Explains a text that is not YAML.
enum YAMLFault {
    static func problem(
        for error: any Error,
        in text: YAMLText,
        of origin: YAMLTree.Origin
    ) -> RuleFileProblem {
        let start = FilePosition(line: 1, column: 1)
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            let position = FilePosition(mark)
            if problem.contains("found another document") {
                let file = origin == .ruleFile ? "a rule file" : "such a file"
                return .init(at: position, "", "\(file) is one YAML document", "remove the line ---")
            }
            let words = [context.map(\.text), problem].compactMap { $0 }.joined(separator: ", ")
            return .init(
                at: position,
                "",
                "this is not YAML: \(quotable(words, upTo: 200))",
                advice(problem, text.line(position.line), position.column)
            )
        case YamlError.reader(let problem, let offset, _, let yaml):
            return .init(
                at: offset.map { position(of: $0, in: yaml) } ?? start,
                "",
                "this is not YAML: \(quotable(problem, upTo: 200))",
                "remove the character"
            )
        default:
            return .init(at: start, "", "this is not YAML: \(quotable("\(error)", upTo: 200))")
        }
    }

    /// What is usually wrong with such a line.
    private static func advice(_ problem: String, _ line: String, _ column: Int) -> String {
        let indentation = line.prefix { $0 == " " || $0 == "\t" }
        if indentation.contains("\t") { return "indent with blanks, not with tabs" }
        if line.contains("${") {
            return "put ${…} in quotes where it stands between braces or brackets: { account: \"${ACCOUNT}\" }"
        }
        if let sign = line.dropFirst(column - 1).first, "@`%&*!|>".contains(sign) {
            return "put a text that begins with \(sign) in quotes"
        }
        if problem.contains("mapping values are not allowed") { return "put a text that contains ': ' in quotes" }
        return "compare the indentation with the lines above, and see that each bracket and quote is closed"
    }

    private static func position(of offset: Int, in text: String) -> FilePosition {
        let before = text.prefix(offset).unicodeScalars
        let lines = before.split(separator: "\n", omittingEmptySubsequences: false)
        return FilePosition(line: max(1, lines.count), column: (lines.last?.count ?? 0) + 1)
    }
}
