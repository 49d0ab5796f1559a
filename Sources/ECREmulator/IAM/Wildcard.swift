/// Matches IAM's patterns: `*` is any text, `?` any one character.
enum Wildcard {
    /// - Parameter ignoringCase: Set for actions and condition keys, which are case-insensitive; all else isn't.
    static func matches(_ text: String, _ pattern: String, ignoringCase: Bool = false) -> Bool {
        let text = Array((ignoringCase ? text.lowercased() : text).utf8)
        let pattern = Array((ignoringCase ? pattern.lowercased() : pattern).utf8)
        var (position, place) = (0, 0)
        // Where to retry when the text after the last star didn't match.
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

    /// Whether a statement with `pattern` covers a resource: a star at the end of an ARN's part may also match the
    /// parts after it, any other star stays within its part.
    ///
    /// - Source: IAM User Guide, "IAM JSON policy elements: Resource", "Using wildcards in resource ARNs"
    static func matchesResource(_ arn: String, _ pattern: String) -> Bool {
        let colon = UInt8(ascii: ":")
        let pattern = Array(pattern.utf8)
        // The positions in the pattern that the text so far may have reached.
        var places: Set<Int> = [0]
        func passStars() {
            for place in places {
                for next in place..<pattern.count {
                    guard pattern[next] == UInt8(ascii: "*") else { break }
                    places.insert(next + 1)
                }
            }
        }
        passStars()
        // The resource's own name follows the fifth colon.
        let name = pattern.indices.filter { pattern[$0] == colon }.dropFirst(4).first ?? pattern.count
        for byte in arn.utf8 {
            places = Set(
                places.compactMap { place in
                    guard place < pattern.count else { return nil }
                    switch pattern[place] {
                    case UInt8(ascii: "*"):
                        let endsPart = place + 1 == pattern.count || pattern[place + 1] == colon
                        return byte != colon || endsPart || place > name ? place : nil
                    case UInt8(ascii: "?"): return byte != colon || place > name ? place + 1 : nil
                    case byte: return place + 1
                    default: return nil
                    }
                }
            )
            passStars()
        }
        return places.contains(pattern.count)
    }

    /// Compares part by part, as IAM's ARN operators do: a star in one part doesn't reach the next; the last part may
    /// contain colons.
    static func matchesARN(_ arn: String, _ pattern: String) -> Bool {
        if pattern == "*" { return true }
        let (parts, patterns) = (parts(of: arn), parts(of: pattern))
        return parts.count == patterns.count && zip(parts, patterns).allSatisfy { matches($0, $1) }
    }

    private static func parts(of arn: String) -> [String] {
        arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
    }
}
