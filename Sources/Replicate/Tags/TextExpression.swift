/// A regular expression in the syntax of RE2, which Go's tools use: everything except what needs backtracking.
///
/// - Source: github.com/google/re2, "Syntax"
package struct TextExpression {
    private var rest: [Unicode.Scalar]
    private var ignoresCase = false
    private var depth = 0

    /// The deepest nesting of groups.
    private static let deepest = 100
    /// The largest number in `{n,m}`.
    private static let mostRepetitions = 1_000

    /// Why a text is not an expression, and what to write instead.
    package struct Problem: Error {
        package var reason: String
        package var remedy: String?
    }

    package static func parse(_ text: String) throws(Problem) -> TextPattern {
        var parser = TextExpression(rest: text.unicodeScalars.reversed())
        let pattern = try parser.choice()
        guard parser.rest.isEmpty else { throw Problem(reason: "there is a ) without its (") }
        return pattern
    }

    private mutating func choice() throws(Problem) -> TextPattern {
        var choices = [try sequence()]
        while rest.last == "|" {
            rest.removeLast()
            choices.append(try sequence())
        }
        return choices.count == 1 ? choices[0] : .choice(choices)
    }

    private mutating func sequence() throws(Problem) -> TextPattern {
        var parts: [TextPattern] = []
        while let scalar = rest.last, scalar != "|", scalar != ")" {
            parts.append(try repetition(of: try atom()))
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func repetition(of part: TextPattern) throws(Problem) -> TextPattern {
        var pattern = part
        var count = 0
        while let (least, most) = try quantifier() {
            count += 1
            guard count == 1 else { throw Problem(reason: "one repetition follows another") }
            pattern = .repeated(part, least: least, most: most)
            // Whether few or many repetitions are tried first makes no difference to whether the whole text matches.
            if rest.last == "?" { rest.removeLast() }
        }
        return pattern
    }

    private mutating func quantifier() throws(Problem) -> (Int, Int?)? {
        switch rest.last {
        case "*": rest.removeLast(); return (0, nil)
        case "+": rest.removeLast(); return (1, nil)
        case "?": rest.removeLast(); return (0, 1)
        case "{":
            let inside = rest.reversed().dropFirst().prefix { $0 != "}" }
            let numbers = inside.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
                .map { String(String.UnicodeScalarView($0)) }
            let isClosed = rest.count > inside.count + 1
            guard isClosed, let least = Self.number(numbers[0]) else { return nil }
            var most: Int? = least
            if numbers.count == 2 {
                most = Self.number(numbers[1])
                guard most != nil || numbers[1].isEmpty else { return nil }
            }
            guard least <= Self.mostRepetitions, most ?? least <= Self.mostRepetitions else {
                throw Problem(reason: "it repeats something more than \(Self.mostRepetitions) times")
            }
            guard most ?? least >= least else { throw Problem(reason: "the numbers in {} are the wrong way round") }
            rest.removeLast(inside.count + 2)
            return (least, most)
        default: return nil
        }
    }

    private static func number(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 9, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text)
    }

    private mutating func atom() throws(Problem) -> TextPattern {
        guard let scalar = rest.popLast() else { return .empty }
        switch scalar {
        case "(": return try group()
        case "[": return .one(cased(try characterClass()))
        case ".": return .one(.any)
        case "^": return .boundary(.start)
        case "$": return .boundary(.end)
        case "\\": return try escape()
        case "*", "+", "?": throw Problem(reason: "there is nothing that \(scalar) could repeat")
        default: return .one(cased(ScalarSet(scalar)))
        }
    }

    private func cased(_ set: ScalarSet) -> ScalarSet { ignoresCase ? set.ignoringCase : set }

    private mutating func group() throws(Problem) -> TextPattern {
        let outside = ignoresCase
        if rest.last == "?" {
            rest.removeLast()
            if let flags = try flags() {
                ignoresCase = flags.ignoresCase
                // `(?i)` applies up to the end of the group around it.
                guard flags.isOpen else { return .empty }
            }
        }
        depth += 1
        defer {
            depth -= 1
            ignoresCase = outside
        }
        guard depth <= Self.deepest else { throw Problem(reason: "its groups are nested too deeply") }
        let pattern = try choice()
        guard rest.popLast() == ")" else { throw Problem(reason: "there is a ( without its )") }
        return pattern
    }

    /// Reads what follows `(?`: a name, or flags up to `:` or `)`.
    ///
    /// - Returns: `nil` after a name; otherwise the case flag, and whether the group continues after its flags.
    private mutating func flags() throws(Problem) -> (ignoresCase: Bool, isOpen: Bool)? {
        let next = rest.last
        let second = rest.dropLast().last
        if next == "=" || next == "!" || (next == "<" && (second == "=" || second == "!")) {
            throw Problem(
                reason: "(?\(next.map(String.init) ?? "") looks around, which is not supported",
                remedy: "to leave tags out, pass --exclude"
            )
        }
        if next == "P" || next == "<" {
            let name = rest.reversed().prefix { $0 != ">" }
            guard rest.count > name.count, name.dropFirst(next == "P" ? 1 : 0).first == "<" else {
                throw Problem(reason: "the name of a group is written (?<name>…)")
            }
            rest.removeLast(name.count + 1)
            return nil
        }
        var ignores = ignoresCase
        var turnsOn = true
        while let flag = rest.popLast() {
            switch flag {
            case ":": return (ignores, true)
            case ")": return (ignores, false)
            case "-": turnsOn = false
            case "i": ignores = turnsOn
            case "m", "s", "U": continue
            default: throw Problem(reason: "(?\(TagFilter.PatternError.shown(String(flag))) is not supported")
            }
        }
        throw Problem(reason: "there is a ( without its )")
    }

    // MARK: Characters

    private mutating func escape() throws(Problem) -> TextPattern {
        switch rest.last {
        case "b": rest.removeLast(); return .boundary(.word)
        case "B": rest.removeLast(); return .boundary(.notWord)
        case "A": rest.removeLast(); return .boundary(.start)
        case "z", "Z": rest.removeLast(); return .boundary(.end)
        default: return .one(cased(try escapedSet()))
        }
    }

    private mutating func escapedSet() throws(Problem) -> ScalarSet {
        guard let scalar = rest.popLast() else { throw Problem(reason: "nothing follows the last backslash") }
        switch scalar {
        case "d": return .digits
        case "D": return ScalarSet.digits.inverted
        case "w": return .wordCharacters
        case "W": return ScalarSet.wordCharacters.inverted
        case "s": return .blanks
        case "S": return ScalarSet.blanks.inverted
        case "t": return ScalarSet("\t")
        case "n": return ScalarSet("\n")
        case "r": return ScalarSet("\r")
        case "x":
            let isBraced = rest.last == "{"
            let digits = isBraced ? rest.reversed().dropFirst().prefix { $0 != "}" } : rest.reversed().prefix(2)
            guard let code = UInt32(String(String.UnicodeScalarView(digits)), radix: 16),
                let scalar = Unicode.Scalar(code)
            else { throw Problem(reason: "\\x takes two hexadecimal digits") }
            rest.removeLast(min(rest.count, digits.count + (isBraced ? 2 : 0)))
            return ScalarSet(scalar)
        default:
            guard !ScalarSet.wordCharacters.contains(scalar), scalar.value < 128 else {
                throw Problem(reason: "\\\(TagFilter.PatternError.shown(String(scalar))) is not supported")
            }
            return ScalarSet(scalar)
        }
    }

    private mutating func characterClass() throws(Problem) -> ScalarSet {
        let isNegated = rest.last == "^"
        if isNegated { rest.removeLast() }
        var ranges: [ClosedRange<UInt32>] = []
        var isFirst = true
        while let scalar = rest.popLast() {
            // The first ] stands for itself.
            if scalar == "]", !isFirst { return ScalarSet(ranges: ranges, isNegated: isNegated) }
            isFirst = false
            if scalar == "[", rest.last == ":" {
                let name = String(String.UnicodeScalarView(rest.reversed().dropFirst().prefix { $0 != ":" }))
                guard let named = ScalarSet(posixName: name), rest.count >= name.unicodeScalars.count + 3 else {
                    throw Problem(reason: "[:\(TagFilter.PatternError.shown(name)):] is not a class of characters")
                }
                rest.removeLast(name.unicodeScalars.count + 3)
                ranges += named.ranges
                continue
            }
            let low = scalar == "\\" ? try escapedSet() : ScalarSet(scalar)
            guard rest.last == "-", rest.dropLast().last != "]", rest.count > 1, let from = low.only else {
                ranges += low.plainRanges
                continue
            }
            rest.removeLast()
            guard let next = rest.popLast() else { break }
            let high = next == "\\" ? try escapedSet() : ScalarSet(next)
            guard let to = high.only, from <= to else {
                throw Problem(reason: "a range between [ and ] is the wrong way round")
            }
            ranges.append(from...to)
        }
        throw Problem(reason: "there is a [ without its ]")
    }
}

extension ScalarSet {
    /// The set's only scalar; `nil` if the set has none or several.
    fileprivate var only: UInt32? {
        guard !isNegated, ranges.count == 1, ranges[0].lowerBound == ranges[0].upperBound else { return nil }
        return ranges[0].lowerBound
    }
}
