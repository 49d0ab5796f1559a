internal import FoundationEssentials

/// Decodes base64 as the signature formats use it.
///
/// - Source: RFC 4648, sections 4 and 5
enum Base64Text {
    enum Alphabet {
        /// With `+` and `/`, padded.
        case standard
        /// With `-` and `_`, without padding, as in JWS.
        case webUnpadded
        /// Either alphabet, not both in one text; the standard one is padded, the other may be. DSSE asks for that.
        case either
    }

    /// - Returns: `nil` for text that is not in the alphabet, or not padded as it should be.
    static func decode(_ text: String, _ alphabet: Alphabet) -> [UInt8]? {
        var digits = Array(text.utf8)
        let isWeb = digits.contains { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        let isStandard = digits.contains { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "/") }
        switch alphabet {
        case .standard: guard !isWeb else { return nil }
        case .webUnpadded:
            guard !isStandard, digits.last != UInt8(ascii: "=") else { return nil }
            pad(&digits)
        case .either:
            guard !(isWeb && isStandard) else { return nil }
            if !isStandard, digits.last != UInt8(ascii: "=") { pad(&digits) }
        }
        // Foundation reads more padding than there may be.
        let end = digits.drop { $0 != UInt8(ascii: "=") }
        guard digits.count.isMultiple(of: 4), end.count <= 2, end.allSatisfy({ $0 == UInt8(ascii: "=") }) else {
            return nil
        }
        for place in digits.indices {
            switch digits[place] {
            case UInt8(ascii: "-"): digits[place] = UInt8(ascii: "+")
            case UInt8(ascii: "_"): digits[place] = UInt8(ascii: "/")
            default: break
            }
        }
        return Data(base64Encoded: Data(digits)).map { [UInt8]($0) }
    }

    /// Standard base64 with padding.
    static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    private static func pad(_ digits: inout [UInt8]) {
        while !digits.count.isMultiple(of: 4) { digits.append(UInt8(ascii: "=")) }
    }
}
