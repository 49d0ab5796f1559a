/// Matches IAM's patterns: `*` is any text, `?` any one character.
enum Wildcard {
    /// - Parameter ignoringCase: `true` for actions and condition keys, `false` for everything else.
    static func matches(_ text: String, _ pattern: String, ignoringCase: Bool = false) -> Bool {
        let text = Array((ignoringCase ? text.lowercased() : text).utf8)
        let pattern = Array((ignoringCase ? pattern.lowercased() : pattern).utf8)
        var (textIndex, patternIndex) = (0, 0)
        // The indexes to retry from when the text after the last star doesn't match.
        var star: (patternIndex: Int, textIndex: Int)?
        while textIndex < text.count {
            if patternIndex < pattern.count, pattern[patternIndex] == UInt8(ascii: "*") {
                star = (patternIndex, textIndex)
                patternIndex += 1
            } else if patternIndex < pattern.count,
                pattern[patternIndex] == text[textIndex] || pattern[patternIndex] == UInt8(ascii: "?")
            {
                textIndex += 1
                patternIndex += 1
            } else if let last = star {
                star = (last.patternIndex, last.textIndex + 1)
                patternIndex = last.patternIndex + 1
                textIndex = last.textIndex + 1
            } else {
                return false
            }
        }
        return pattern[patternIndex...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// Whether a statement with `pattern` covers a resource.
    ///
    /// A star at the end of an ARN's part may also match the parts after it; any other star stays within its part.
    ///
    /// - Source: IAM User Guide, "IAM JSON policy elements: Resource", "Using wildcards in resource ARNs"
    static func matchesResource(_ arn: String, _ pattern: String) -> Bool {
        let colon = UInt8(ascii: ":")
        let pattern = Array(pattern.utf8)
        // The positions in the pattern that the text so far may have reached.
        var indexes: Set<Int> = [0]
        func passStars() {
            for index in indexes {
                for next in index..<pattern.count {
                    guard pattern[next] == UInt8(ascii: "*") else { break }
                    indexes.insert(next + 1)
                }
            }
        }
        passStars()
        // The resource's own name follows the fifth colon.
        let name = pattern.indices.filter { pattern[$0] == colon }.dropFirst(4).first ?? pattern.count
        for byte in arn.utf8 {
            indexes = Set(
                indexes.compactMap { index in
                    guard index < pattern.count else { return nil }
                    switch pattern[index] {
                    case UInt8(ascii: "*"):
                        let endsPart = index + 1 == pattern.count || pattern[index + 1] == colon
                        return byte != colon || endsPart || index > name ? index : nil
                    case UInt8(ascii: "?"): return byte != colon || index > name ? index + 1 : nil
                    case byte: return index + 1
                    default: return nil
                    }
                }
            )
            passStars()
        }
        return indexes.contains(pattern.count)
    }

    /// Compares two ARNs part by part, as IAM's ARN operators do.
    ///
    /// A star in one part doesn't match text in the next. The last part may contain colons.
    static func matchesARN(_ arn: String, _ pattern: String) -> Bool {
        if pattern == "*" { return true }
        let (parts, patterns) = (parts(of: arn), parts(of: pattern))
        return parts.count == patterns.count && zip(parts, patterns).allSatisfy { matches($0, $1) }
    }

    private static func parts(of arn: String) -> [String] {
        arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
    }
}
