/// Patterns as IAM writes them: `*` is any text, `?` any one character.
enum Wildcard {
    /// - Parameter ignoringCase: Actions and condition keys are the same in any case, all else is not.
    static func matches(_ text: String, _ pattern: String, ignoringCase: Bool = false) -> Bool {
        let text = Array((ignoringCase ? text.lowercased() : text).utf8)
        let pattern = Array((ignoringCase ? pattern.lowercased() : pattern).utf8)
        var (position, place) = (0, 0)
        // Where to go on when what followed the last star didn't fit.
        var star: (place: Int, position: Int)?
        while position < text.count {
            if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                star = (place, position)
                place += 1
            } else if place < pattern.count,
                pattern[place] == text[position] || pattern[place] == UInt8(ascii: "?")
            {
                position += 1
                place += 1
            } else if let last = star {
                star = (last.place, last.position + 1)
                place = last.place + 1
                position = last.position + 1
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// Part by part: a star in one part of an ARN says nothing of the next; the last part may have colons.
    static func matchesARN(_ arn: String, _ pattern: String) -> Bool {
        if pattern == "*" { return true }
        let (parts, patterns) = (parts(of: arn), parts(of: pattern))
        return parts.count == patterns.count && zip(parts, patterns).allSatisfy { matches($0, $1) }
    }

    private static func parts(of arn: String) -> [String] {
        arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
    }
}
