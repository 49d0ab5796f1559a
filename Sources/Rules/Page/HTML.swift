internal import Content
internal import FoundationEssentials

/// A piece of a page.
///
/// Literals are markup. Every string that is interpolated is escaped, so that text from a registry can't become markup;
/// pieces and numbers are inserted as they are.
struct HTML: Sendable, Equatable, ExpressibleByStringInterpolation {
    private(set) var markup: String

    /// The longest text that is shown, in bytes of UTF-8.
    static let longestText = 2_000

    init(stringLiteral markup: String) { self.markup = markup }

    init(stringInterpolation: Interpolation) { markup = stringInterpolation.markup }

    struct Interpolation: StringInterpolationProtocol {
        fileprivate var markup = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            markup.reserveCapacity(literalCapacity + 24 * interpolationCount)
        }

        mutating func appendLiteral(_ literal: String) { markup += literal }
        mutating func appendInterpolation(_ piece: HTML) { markup += piece.markup }
        mutating func appendInterpolation(_ number: Int) { markup += "\(number)" }
        mutating func appendInterpolation(_ text: some StringProtocol) { HTML.escape(text, into: &markup) }
    }

    static func + (left: HTML, right: HTML) -> HTML {
        var sum = left
        sum.markup += right.markup
        return sum
    }

    static func += (left: inout HTML, right: HTML) { left.markup += right.markup }

    var bytes: String.UTF8View { markup.utf8 }
    var isEmpty: Bool { markup.isEmpty }

    /// Text as one line, without invisible and direction-changing characters, cut to ``longestText``, and escaped for an
    /// element and for an attribute between double quotes.
    private static func escape(_ text: some StringProtocol, into markup: inout String) {
        let whole = String(text)
        let line = whole.utf8.contains(UInt8(ascii: "\n")) ? whole.replacing("\n", with: " ") : whole
        let shown = quotable(line, upTo: longestText)
        guard shown.utf8.contains(where: { replacement(of: $0) != nil }) else {
            markup += shown
            return
        }
        for scalar in shown.unicodeScalars {
            if scalar.isASCII, let replacement = replacement(of: UInt8(scalar.value)) {
                markup += replacement
            } else {
                markup.unicodeScalars.append(scalar)
            }
        }
    }

    private static func replacement(of byte: UInt8) -> String? {
        switch byte {
        case UInt8(ascii: "&"): "&amp;"
        case UInt8(ascii: "<"): "&lt;"
        case UInt8(ascii: ">"): "&gt;"
        case UInt8(ascii: "\""): "&quot;"
        case UInt8(ascii: "'"): "&#39;"
        default: nil
        }
    }
}

extension Sequence<HTML> {
    func joined(separator: HTML = "") -> HTML {
        var all: HTML = ""
        for (index, piece) in enumerated() { all += index == 0 ? piece : separator + piece }
        return all
    }
}

extension HTML {
    /// A digest that the page shows shortened: the title has all of it, and so does a copied selection.
    init(_ digest: Digest) {
        let text = "\(digest)"
        self = "<code class=\"d\" title=\"\(text)\">\(text)</code>"
    }

    /// A name with a place to break the line after each slash.
    init(breaking name: String) {
        self = name.split(separator: "/", omittingEmptySubsequences: false)
            .map { part -> HTML in "\(part)" }
            .joined(separator: "/<wbr>")
    }

    /// A number with a comma between groups of three digits.
    init(grouped number: Int) {
        var digits = Array(String(abs(number)))
        var place = digits.count - 3
        while place > 0 {
            digits.insert(",", at: place)
            place -= 3
        }
        self = "\(number < 0 ? "-" : "")\(String(digits))"
    }
}
