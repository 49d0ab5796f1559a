/// A regular language, as a glob or a regular expression describes it.
package indirect enum TextPattern: Sendable {
    case empty
    /// One Unicode scalar out of a set.
    case one(ScalarSet)
    case sequence([TextPattern])
    case choice([TextPattern])
    /// At least `least` times, and at most `most` times if there is a bound.
    case repeated(TextPattern, least: Int, most: Int?)
    case boundary(Boundary)

    /// A place in the text that takes no scalar.
    package enum Boundary: Sendable {
        case start, end
        /// Between a word character and another, or an end of the text.
        case word, notWord
    }
}

/// A set of Unicode scalars.
package struct ScalarSet: Sendable {
    package var ranges: [ClosedRange<UInt32>] = []
    package var isNegated = false

    package static let any = ScalarSet(isNegated: true)
    static let digits = ScalarSet(ranges: [48...57])
    static let wordCharacters = ScalarSet(ranges: [48...57, 65...90, 95...95, 97...122])
    static let blanks = ScalarSet(ranges: [9...13, 32...32])

    package init(ranges: [ClosedRange<UInt32>] = [], isNegated: Bool = false) {
        (self.ranges, self.isNegated) = (ranges, isNegated)
    }

    package init(_ scalar: Unicode.Scalar) { self.init(ranges: [scalar.value...scalar.value]) }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        ranges.contains { $0.contains(scalar.value) } != isNegated
    }

    /// Every scalar that this set lacks.
    var inverted: ScalarSet { ScalarSet(ranges: ranges, isNegated: !isNegated) }

    /// The set as ranges, without the negation, so that it can be joined with others.
    var plainRanges: [ClosedRange<UInt32>] {
        guard isNegated else { return ranges }
        var gaps: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { gaps.append(next...(range.lowerBound - 1)) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10FFFF { gaps.append(next...0x10FFFF) }
        return gaps
    }

    /// The set with the other case of each ASCII letter in it.
    var ignoringCase: ScalarSet {
        var both = self
        for range in ranges {
            for (letters, shift) in [(UInt32(65)...90, Int32(32)), (UInt32(97)...122, Int32(-32))]
            where range.overlaps(letters) {
                let part = range.clamped(to: letters)
                let (low, high) = (Int32(part.lowerBound) + shift, Int32(part.upperBound) + shift)
                both.ranges.append(UInt32(low)...UInt32(high))
            }
        }
        return both
    }
}

/// Decides whether a whole text matches a pattern, in time proportional to the text's length times the pattern's.
///
/// It follows all paths through the pattern at once, so it never backtracks: a backtracking matcher needs hours for
/// `(a+)+b` and thirty letters.
///
/// - Source: Thompson, "Regular Expression Search Algorithm", CACM 11(6), 1968
package struct TextAutomaton: Sendable {
    private enum Step: Sendable {
        case take(ScalarSet)
        case jump(Int)
        case split(Int, Int)
        case require(TextPattern.Boundary)
        case accept
    }

    /// The error for a pattern that is too long once its repetitions are expanded.
    package struct TooLarge: Error {}

    /// The most steps of one pattern, and the most visits to its parts while they are expanded.
    package static let mostSteps = 4_000
    private static let mostVisits = 20_000

    private var steps: [Step] = []
    private var visits = 0

    package init(_ pattern: TextPattern) throws(TooLarge) {
        try add(pattern)
        steps.append(.accept)
    }

    private mutating func add(_ pattern: TextPattern) throws(TooLarge) {
        visits += 1
        guard visits <= Self.mostVisits, steps.count < Self.mostSteps else { throw TooLarge() }
        switch pattern {
        case .empty: break
        case .one(let set): steps.append(.take(set))
        case .boundary(let boundary): steps.append(.require(boundary))
        case .sequence(let parts): for part in parts { try add(part) }
        case .choice(let choices):
            var ends: [Int] = []
            for (index, choice) in choices.enumerated() {
                guard index < choices.count - 1 else {
                    try add(choice)
                    break
                }
                let fork = steps.count
                steps.append(.accept)
                try add(choice)
                ends.append(steps.count)
                steps.append(.accept)
                steps[fork] = .split(fork + 1, steps.count)
            }
            for end in ends { steps[end] = .jump(steps.count) }
        case .repeated(let part, let least, let most):
            for _ in 0..<least { try add(part) }
            guard let most else {
                let fork = steps.count
                steps.append(.accept)
                try add(part)
                steps.append(.jump(fork))
                steps[fork] = .split(fork + 1, steps.count)
                return
            }
            var forks: [Int] = []
            for _ in least..<max(least, most) {
                forks.append(steps.count)
                steps.append(.accept)
                try add(part)
            }
            for fork in forks { steps[fork] = .split(fork + 1, steps.count) }
        }
    }

    package func matches(_ text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        var current = Threads(count: steps.count)
        follow(0, at: 0, scalars, &current)
        for (place, scalar) in scalars.enumerated() {
            guard !current.list.isEmpty else { return false }
            var next = Threads(count: steps.count)
            for step in current.list {
                guard case .take(let set) = steps[step], set.contains(scalar) else { continue }
                follow(step + 1, at: place + 1, scalars, &next)
            }
            current = next
        }
        return current.isAccepted
    }

    /// The steps at which a text may be.
    private struct Threads {
        var list: [Int] = []
        var isAccepted = false
        var seen: [Bool]

        init(count: Int) { seen = Array(repeating: false, count: count) }
    }

    /// Adds a step, and all steps that can be reached from it without consuming a scalar.
    private func follow(_ first: Int, at place: Int, _ text: [Unicode.Scalar], _ threads: inout Threads) {
        var waiting = [first]
        while let step = waiting.popLast() {
            guard !threads.seen[step] else { continue }
            threads.seen[step] = true
            switch steps[step] {
            case .take: threads.list.append(step)
            case .jump(let target): waiting.append(target)
            case .split(let left, let right): waiting += [right, left]
            case .require(let boundary): if holds(boundary, at: place, text) { waiting.append(step + 1) }
            case .accept: threads.isAccepted = true
            }
        }
    }

    private func holds(_ boundary: TextPattern.Boundary, at place: Int, _ text: [Unicode.Scalar]) -> Bool {
        func isWord(_ index: Int) -> Bool {
            text.indices.contains(index) && ScalarSet.wordCharacters.contains(text[index])
        }
        return switch boundary {
        case .start: place == 0
        case .end: place == text.count
        case .word: isWord(place - 1) != isWord(place)
        case .notWord: isWord(place - 1) == isWord(place)
        }
    }
}
