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
            var parser = ChallengeParser(rest: Array(field.utf8.prefix(longestField))[...])
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
    var rest: ArraySlice<UInt8>

    /// Every step takes at least a byte, so that hostile input ends as well.
    mutating func read(into found: inout [AuthenticationChallenge]) {
        // A parameter before any scheme of this field belongs to nobody, least of all to the field before.
        let first = found.count
        while true {
            skip { $0 == comma || isBlank($0) }
            guard !rest.isEmpty else { return }
            let name = take(isTokenByte)
            guard !name.isEmpty else {
                skipElement()
                continue
            }
            skip(isBlank)
            if rest.first == equals {
                rest = rest.dropFirst()
                skip(isBlank)
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
        guard rest.first == quote else { return take { $0 != comma && !isBlank($0) } }
        rest = rest.dropFirst()
        var text: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case quote: return String(decoding: text, as: UTF8.self)
            case backslash:
                guard let escaped = rest.popFirst() else { return nil }
                text.append(escaped)
            default: text.append(byte)
            }
        }
        return nil
    }

    /// `YIIJvwYJ…==`, which may stand where parameters do and looks like one that has no value.
    private mutating func skipToken68() {
        let letters = rest.prefix { isTokenByte($0) || $0 == slash }
        guard !letters.isEmpty else { return }
        let after = rest[letters.endIndex...].drop { $0 == equals }.drop(while: isBlank)
        guard after.first == nil || after.first == comma else { return }
        rest = after
    }

    /// To behind the next comma that isn't quoted.
    private mutating func skipElement() {
        while let byte = rest.first, byte != comma {
            if byte == quote { _ = value() } else { rest = rest.dropFirst() }
        }
        rest = rest.dropFirst()
    }

    private mutating func skip(_ matches: (UInt8) -> Bool) {
        rest = rest.drop(while: matches)
    }

    private mutating func take(_ matches: (UInt8) -> Bool) -> String {
        let taken = rest.prefix(while: matches)
        rest = rest[taken.endIndex...]
        return String(decoding: taken, as: UTF8.self)
    }
}

private let comma = UInt8(ascii: ",")
private let equals = UInt8(ascii: "=")
private let quote = UInt8(ascii: "\"")
private let backslash = UInt8(ascii: "\\")
private let slash = UInt8(ascii: "/")

private func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }

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
