internal import Content
internal import Platform

/// Explains a text that is not YAML.
enum YAMLFault {
    static func problem(
        for failure: YAMLParser.Failure,
        in text: YAMLText,
        of origin: YAMLTree.Origin
    ) -> RuleFileProblem {
        if let offset = failure.byteOffset {
            return .init(
                at: position(ofByte: offset, in: text.text),
                "",
                "this is not YAML: \(quotable(failure.problem, upTo: 200))",
                "remove the character"
            )
        }
        let position = FilePosition(failure.mark)
        if failure.problem == YAMLNode.anotherDocument {
            let file = origin == .ruleFile ? "a rule file" : "such a file"
            return .init(at: position, "", "\(file) is one YAML document", "remove the line ---")
        }
        if failure.problem == YAMLNode.nestedTooDeeply {
            return .init(at: position, "", "this is nested too deeply", "a rule needs six levels")
        }
        let words = [failure.context, failure.problem].filter { !$0.isEmpty }.joined(separator: ", ")
        return .init(
            at: position,
            "",
            "this is not YAML: \(quotable(words, upTo: 200))",
            advice(failure.problem, text.line(position.line), position.column)
        )
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

    private static func position(ofByte offset: Int, in text: String) -> FilePosition {
        let before = String(decoding: text.utf8.prefix(offset), as: UTF8.self).unicodeScalars
        let lines = before.split(separator: "\n", omittingEmptySubsequences: false)
        return FilePosition(line: max(1, lines.count), column: (lines.last?.count ?? 0) + 1)
    }
}
