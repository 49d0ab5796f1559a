/// A challenge of a 401: an authentication scheme that the server accepts.
///
/// - Source: RFC 9110, section 11.6.1, and before it RFC 7235, section 4.1
public struct AuthenticationChallenge: Hashable, Sendable {
    /// The scheme in lowercase, for example `bearer`.
    public var scheme: String
    /// The parameters by lowercase name; if a name occurs twice, the first value is used.
    public var parameters: [String: String]

    public init(scheme: String, parameters: [String: String] = [:]) {
        self.scheme = scheme
        self.parameters = parameters
    }

    /// Reads every `WWW-Authenticate` field of an answer: several challenges in one field, or in several, or both.
    ///
    /// Unknown schemes are kept for the caller to skip. A `token68` (as of Negotiate) is left out, and so is malformed
    /// text up to the next comma. It reads no more than ``longestField``, ``mostChallenges`` and ``mostParameters``.
    public static func parse(_ fields: [String]) -> [AuthenticationChallenge] {
        var found: [AuthenticationChallenge] = []
        for field in fields {
            var parser = ChallengeParser(text: FieldParser(field, longest: longestField))
            parser.read(into: &found)
        }
        return found
    }

    /// The longest field, in bytes; real ones have a few hundred.
    public static let longestField = 16_384
    /// The most challenges in one answer; real answers have one or two.
    public static let mostChallenges = 16
    /// The most parameters of one challenge; a bearer challenge has five.
    public static let mostParameters = 32
}

private struct ChallengeParser {
    var text: FieldParser

    /// Reads challenges to the end of the field.
    ///
    /// Each step skips at least a byte, so that parsing ends for any input.
    mutating func read(into found: inout [AuthenticationChallenge]) {
        // A parameter before the first scheme of this field is ignored; it doesn't belong to the field before.
        let first = found.count
        while true {
            text.skip { $0 == FieldParser.comma || FieldParser.isBlank($0) }
            guard !text.isEmpty else { return }
            let name = text.take(isTokenByte)
            guard !name.isEmpty else {
                text.skipElement()
                continue
            }
            text.skip()
            if text.first == equals {
                text.skipOne()
                text.skip()
                guard let value = value(), found.count > first else { continue }
                keep(name.lowercased(), value, in: &found[found.count - 1])
            } else {
                guard found.count < AuthenticationChallenge.mostChallenges else { return }
                found.append(AuthenticationChallenge(scheme: name.lowercased()))
                skipToken68()
            }
        }
    }

    private func keep(_ name: String, _ value: String, in challenge: inout AuthenticationChallenge) {
        guard challenge.parameters.count < AuthenticationChallenge.mostParameters else { return }
        if challenge.parameters[name] == nil { challenge.parameters[name] = value }
    }

    /// Reads a token or a quoted string; `nil` for a quotation without an end.
    private mutating func value() -> String? {
        // Some servers leave out the quotes around an address, which then isn't a token.
        guard text.first == FieldParser.quote else {
            return text.take { $0 != FieldParser.comma && !FieldParser.isBlank($0) }
        }
        let value = text.quoted()
        return value.isWhole ? value.text : nil
    }

    /// Skips a token68 (`YIIJvwYJ…==`), which replaces parameters and looks like a parameter without a value.
    private mutating func skipToken68() {
        let letters = text.rest.prefix { isTokenByte($0) || $0 == slash }
        guard !letters.isEmpty else { return }
        let after = text.rest[letters.endIndex...].drop { $0 == equals }.drop(while: FieldParser.isBlank)
        guard after.first == nil || after.first == FieldParser.comma else { return }
        text.skip(to: after.startIndex)
    }
}

private let equals = UInt8(ascii: "=")
private let slash = UInt8(ascii: "/")

/// `tchar` of RFC 9110, section 5.6.2.
private func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: marks.contains(byte)
    }
}

private let marks = Array("!#$%&'*+-.^_`|~".utf8)
