/// Whether all of `text` matches `pattern`, in which `*` stands for any run of characters.
package func matchesWildcard(_ text: some StringProtocol, _ pattern: some StringProtocol) -> Bool {
    let pieces = String(pattern).split(separator: Character("*"), omittingEmptySubsequences: false).map(String.init)
    guard pieces.count > 1, let first = pieces.first, let last = pieces.last else {
        return String(text) == String(pattern)
    }
    var rest = Substring(String(text))
    guard rest.hasPrefix(first) else { return false }
    rest = rest.dropFirst(first.count)
    for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
        guard let range = rest.firstRange(of: piece) else { return false }
        rest = rest[range.upperBound...]
    }
    return rest.count >= last.count && rest.hasSuffix(last)
}
