/// A parser of patterns as shells write them: `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`.
///
/// - Source: POSIX.1-2017, Shell Command Language 2.13 "Pattern Matching Notation"; the braces are those of bash
package struct GlobParser {
    /// Why a text is not a glob, and what to write instead.
    package struct Problem: Error {
        package var reason: String
        package var remedy: String?

        package init(_ reason: String, _ remedy: String? = nil) { (self.reason, self.remedy) = (reason, remedy) }
    }

    /// Throws for a character that the names can't hold.
    package typealias Check = (Unicode.Scalar) throws(Problem) -> Void

    private var rest: [Unicode.Scalar]
    private let check: Check
    private var depth = 0

    /// The deepest nesting of braces.
    private static let deepest = 50

    /// - Parameter check: Called with each character that stands for itself, and with the ends of ranges.
    /// - Throws: ``Problem``
    package static func parse(_ text: String, _ check: @escaping Check) throws(Problem) -> TextPattern {
        var parser = GlobParser(rest: text.unicodeScalars.reversed(), check: check)
        return try parser.sequence(inBraces: false)
    }

    private mutating func sequence(inBraces: Bool) throws(Problem) -> TextPattern {
        var parts: [TextPattern] = []
        while let scalar = rest.last {
            if inBraces, scalar == "," || scalar == "}" { break }
            rest.removeLast()
            switch scalar {
            case "*": parts.append(.repeated(.one(.any), least: 0, most: nil))
            case "?": parts.append(.one(.any))
            case "[": parts.append(.one(try characterClass()))
            case "{": parts.append(try braces())
            case "}": throw Problem("there is a } without its {")
            case "]": throw Problem("there is a ] without its [")
            default:
                try check(scalar)
                parts.append(.one(ScalarSet(scalar)))
            }
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func braces() throws(Problem) -> TextPattern {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw Problem("its braces are nested too deeply") }
        let inside = String(String.UnicodeScalarView(rest.reversed().prefix { $0 != "}" }))
        var choices = [try sequence(inBraces: true)]
        while rest.last == "," {
            rest.removeLast()
            choices.append(try sequence(inBraces: true))
        }
        guard rest.popLast() == "}" else { throw Problem("there is a { without its }") }
        if choices.count == 1, inside.contains("..") {
            throw Problem(
                "braces hold alternatives with commas between them",
                "write {1,2,3}, or [1-3] for one character"
            )
        }
        return .choice(choices)
    }

    private mutating func characterClass() throws(Problem) -> ScalarSet {
        let isNegated = rest.last == "!" || rest.last == "^"
        if isNegated { rest.removeLast() }
        var ranges: [ClosedRange<UInt32>] = []
        var isClosed = false
        while let scalar = rest.popLast() {
            isClosed = scalar == "]"
            if isClosed { break }
            if scalar == "[", rest.last == ":" {
                let name = String(String.UnicodeScalarView(rest.reversed().dropFirst().prefix { $0 != ":" }))
                guard let named = ScalarSet(posixName: name), rest.count >= name.unicodeScalars.count + 3 else {
                    throw Problem(
                        "[:\(name):] is not a class of characters",
                        "write [:digit:], [:alpha:] or [:alnum:]"
                    )
                }
                rest.removeLast(name.unicodeScalars.count + 3)
                ranges += named.ranges
                continue
            }
            try check(scalar)
            guard rest.last == "-", let end = rest.dropLast().last, end != "]" else {
                ranges.append(scalar.value...scalar.value)
                continue
            }
            rest.removeLast(2)
            try check(end)
            guard scalar.value <= end.value else {
                throw Problem("the range \(scalar)-\(end) is the wrong way round")
            }
            ranges.append(scalar.value...end.value)
        }
        guard isClosed else { throw Problem("there is a [ without its ]") }
        guard !ranges.isEmpty else { throw Problem("there is nothing between [ and ]") }
        return ScalarSet(ranges: ranges, isNegated: isNegated)
    }
}
