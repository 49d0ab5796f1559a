/// Splits a command line into words as a POSIX shell does, without expanding anything.
///
/// This is Python's `shlex.split`, which the AWS CLI uses. White space separates words. Single quotes keep everything.
/// Between double quotes a backslash escapes `"` and `\` only; elsewhere it escapes the next character.
///
/// - Returns: `nil` if a quote isn't closed, or if a backslash ends the text.
/// - Source: docs/facts/identity.md#credential_process
func shellWords(_ text: String) -> [String]? {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var rest = text[...]
    while let next = rest.popFirst() {
        switch (next, quote) {
        case ("'", "'"), ("\"", "\""): quote = nil
        case ("\\", nil), ("\\", "\""):
            guard let kept = rest.popFirst() else { return nil }
            let isKeptAlone = quote == nil || kept == "\"" || kept == "\\"
            word = (word ?? "") + (isKeptAlone ? "" : "\\") + String(kept)
        case ("'", nil), ("\"", nil):
            quote = next
            word = word ?? ""
        case (_, nil) where next.isWhitespace:
            if let finished = word.take() { words.append(finished) }
        default: word = (word ?? "") + String(next)
        }
    }
    guard quote == nil else { return nil }
    return words + (word.map { [$0] } ?? [])
}
