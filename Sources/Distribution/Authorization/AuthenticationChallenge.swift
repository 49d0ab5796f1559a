/// One way in that a server offers with its 401.
///
/// - Source: RFC 9110, section 11.6.1; RFC 7235, section 4.1 said the same
public struct AuthenticationChallenge: Hashable, Sendable {
    /// Lowercase, for example `bearer`.
    public var scheme: String
    /// By lowercase name; of a name that comes twice the first value counts.
    public var parameters: [String: String]

    public init(scheme: String, parameters: [String: String] = [:]) {
        self.scheme = scheme
        self.parameters = parameters
    }

    /// Reads every `WWW-Authenticate` field of an answer: several challenges in one field, or in several, or both.
    ///
    /// Schemes that nobody here knows are kept for the caller to pass over. A `token68` (as of Negotiate) is left
    /// out, and so is what isn't well formed, to the next comma. It reads no more than ``longestField``,
    /// ``mostChallenges`` and ``mostParameters``.
    public static func parse(_ fields: [String]) -> [AuthenticationChallenge] {
        var found: [AuthenticationChallenge] = []
        for field in fields {
            var parser = ChallengeParser(text: FieldText(field, longest: longestField))
            parser.read(into: &found)
        }
        return found
    }

    /// In bytes; real ones have a few hundred.
    public static let longestField = 16_384
    /// Of one answer; real ones have one or two.
    public static let mostChallenges = 16
    /// Of one challenge; a bearer challenge has five.
    public static let mostParameters = 32
}

private struct ChallengeParser {
    var text: FieldText

    /// Every step takes at least a byte, so that hostile input ends as well.
    mutating func read(into found: inout [AuthenticationChallenge]) {
        // A parameter before any scheme of this field belongs to nobody, least of all to the field before.
        let first = found.count
        while true {
            text.skip { $0 == FieldText.comma || FieldText.isBlank($0) }
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

    /// A token or a quoted string; `nil` for a quotation that never ends.
    private mutating func value() -> String? {
        // Some servers leave out the quotes around an address, which then is no token.
        guard text.first == FieldText.quote else {
            return text.take { $0 != FieldText.comma && !FieldText.isBlank($0) }
        }
        let value = text.quoted()
        return value.isWhole ? value.text : nil
    }

    /// `YIIJvwYJ…==`, which may stand where parameters do and looks like one that has no value.
    private mutating func skipToken68() {
        let letters = text.rest.prefix { isTokenByte($0) || $0 == slash }
        guard !letters.isEmpty else { return }
        let after = text.rest[letters.endIndex...].drop { $0 == equals }.drop(while: FieldText.isBlank)
        guard after.first == nil || after.first == FieldText.comma else { return }
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
