internal import Content

/// Why a part of another program's file can't become a part of a rule file, and what to do about it.
struct NotTranslatable: Error, Hashable {
    var reason: String
    var remedy: String?
}

/// A text of another program's file that may contain variables.
///
/// Each variable is a single character of ``marks`` until the text is split into host, repository and tag, since what
/// a rule file has in its place (`${HOST}`, `${TAG:-latest}`) contains characters that such texts are split at.
struct ForeignText: Hashable {
    /// The text, with a mark in place of each variable.
    private(set) var marked: String
    /// What a rule file has in place of each mark.
    private(set) var stands: [String] = []

    /// The marks are of a Private Use Area, which means nothing in any name.
    private static let marks: ClosedRange<UInt32> = 0xF_0000...0xF_00FF

    /// A text without variables.
    init(_ text: String) { marked = text }

    /// A text that has only a variable: `${NAME}`, or a placeholder such as `{tag}`.
    init(standing written: String) { (marked, stands) = (Self.mark(0), [written]) }

    private static func mark(_ index: Int) -> String {
        Unicode.Scalar(marks.lowerBound + UInt32(index)).map { String($0) } ?? ""
    }

    static func isMark(_ scalar: Unicode.Scalar) -> Bool { marks.contains(scalar.value) }

    /// Whether a part of ``marked`` has a variable in it.
    static func hasVariable(_ part: some StringProtocol) -> Bool { part.unicodeScalars.contains(where: isMark) }

    /// Appends a text, whose marks get the numbers after those here.
    ///
    /// - Throws: ``NotTranslatable`` if there are more variables than marks.
    mutating func append(_ other: ForeignText) throws(NotTranslatable) {
        guard stands.count + other.stands.count <= Self.marks.count else {
            throw NotTranslatable(reason: "it has more than \(Self.marks.count) variables")
        }
        marked += other.marked(from: stands.count)
        stands += other.stands
    }

    private func marked(from offset: Int) -> String {
        guard offset > 0, !stands.isEmpty else { return marked }
        var text = String.UnicodeScalarView()
        for scalar in marked.unicodeScalars {
            let moved = Self.isMark(scalar) ? Unicode.Scalar(scalar.value + UInt32(offset)) : scalar
            text.append(moved ?? scalar)
        }
        return String(text)
    }

    /// A part of the text with the same variables.
    func part(_ part: some StringProtocol) -> ForeignText {
        var text = self
        text.marked = String(part)
        return text
    }

    /// The text as a rule file has it: a dollar that is no variable is doubled.
    var written: String {
        var text = ""
        for scalar in marked.unicodeScalars {
            let index = Int(scalar.value) - Int(Self.marks.lowerBound)
            if stands.indices.contains(index) {
                text += stands[index]
            } else {
                text += scalar == "$" ? "$$" : String(scalar)
            }
        }
        return text
    }

    /// The text with a letter for each variable, to check its form.
    var sample: String {
        var text = String.UnicodeScalarView()
        for scalar in marked.unicodeScalars { text.append(Self.isMark(scalar) ? "x" : scalar) }
        return String(text)
    }

    /// The names of the environment's variables in it.
    var variables: [String] {
        stands.filter { $0.hasPrefix("${") }.map { String($0.dropFirst(2).prefix { $0 != ":" && $0 != "}" }) }
    }
}

/// A text as a rule file has it, where a dollar would begin a variable.
func written(_ text: String) -> String { text.replacing("$", with: "$$") }

/// A text of the other program's file in quotes, for a comment or an error: without the login that a URL may have.
func shown(_ text: String) -> String {
    var text = text[...]
    if let at = text.lastIndex(of: "@"), !text[at...].hasPrefix("@sha256:") {
        let start = text[..<at].lastIndex(of: "/").map { text.index(after: $0) } ?? text.startIndex
        text = text[..<start] + "…" + text[at...]
    }
    return "'\(quotable(text, upTo: 200))'"
}
