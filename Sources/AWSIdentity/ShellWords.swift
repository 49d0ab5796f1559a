/// Words as a shell would split them: quotes hold them together, a backslash takes the next character as it is.
///
/// Nothing is expanded, and nothing begins a comment.
///
/// - Returns: `nil` when a quote isn't closed, or nothing follows the last backslash.
/// - Source: Python's `shlex.split`, which botocore reads section names with
func shellWords(_ text: some StringProtocol) -> [String]? {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var rest = Substring(text)
    while let next = rest.popFirst() {
        switch (next, quote) {
        case (let end, let open?) where end == open: quote = nil
        case ("\\", nil):
            guard let escaped = rest.popFirst() else { return nil }
            word = (word ?? "") + String(escaped)
        // Between double quotes only these two need one.
        case ("\\", "\"") where rest.first == "\"" || rest.first == "\\":
            word = (word ?? "") + String(rest.removeFirst())
        case ("\"", nil), ("'", nil):
            quote = next
            word = word ?? ""
        case (" ", nil), ("\t", nil), ("\r", nil), ("\n", nil), ("\r\n", nil):
            if let word { words.append(word) }
            word = nil
        default: word = (word ?? "") + String(next)
        }
    }
    guard quote == nil else { return nil }
    return words + (word.map { [$0] } ?? [])
}
