import Platform

/// Writes DER, so that tests can make certificates and lists of any kind, also wrong ones.
enum TestDER {
    static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        [tag] + DERElement.length(content.count) + content
    }

    static func sequence(_ parts: [UInt8]...) -> [UInt8] { element(0x30, parts.flatMap { $0 }) }

    static func integer(_ value: Int) -> [UInt8] {
        var digits: [UInt8] = []
        var rest = value
        repeat {
            digits.insert(UInt8(rest & 0xFF), at: 0)
            rest >>= 8
        } while rest > 0
        if digits[0] >= 0x80 { digits.insert(0, at: 0) }
        return element(0x02, digits)
    }

    static let yes: [UInt8] = [0x01, 0x01, 0xFF]

    static func identifier(_ text: String) -> [UInt8] {
        let numbers = text.split(separator: ".").map { Int($0).certainly }
        var content = [UInt8(numbers[0] * 40 + numbers[1])]
        for number in numbers[2...] {
            var digits = [UInt8(number & 0x7F)]
            var rest = number >> 7
            while rest > 0 {
                digits.insert(UInt8(rest & 0x7F) | 0x80, at: 0)
                rest >>= 7
            }
            content += digits
        }
        return element(0x06, content)
    }

    static func text(_ text: String) -> [UInt8] { element(0x0C, Array(text.utf8)) }

    /// Bits that are all used, as in a signature.
    static func bits(_ bytes: [UInt8]) -> [UInt8] { element(0x03, [0] + bytes) }

    /// A time as GeneralizedTime.
    ///
    /// - Parameter seconds: Since 1970.
    static func time(_ seconds: Int64) -> [UInt8] {
        // Days to a date, by the calendar that repeats every 400 years (Howard Hinnant, "chrono-compatible low-level
        // date algorithms").
        let days = seconds / 86_400 + 719_468
        let era = days / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let rest = seconds % 86_400
        let parts = [(year, 4), (month, 2), (day, 2), (rest / 3_600, 2), (rest / 60 % 60, 2), (rest % 60, 2)]
        let digits = parts.map { value, width in
            let text = String(value)
            return String(repeating: "0", count: width - text.count) + text
        }
        return element(0x18, Array((digits.joined() + "Z").utf8))
    }

    static func name(_ attributes: [(type: String, value: String)]) -> [UInt8] {
        let identifiers = ["CN": "2.5.4.3", "C": "2.5.4.6", "ST": "2.5.4.8", "O": "2.5.4.10", "OU": "2.5.4.11"]
        let parts = attributes.flatMap { attribute in
            element(0x31, sequence(identifier(identifiers[attribute.type].certainly), text(attribute.value)))
        }
        return element(0x30, parts)
    }

    /// The algorithm of a signature with SHA-256 and its companions.
    static func algorithm(_ scheme: SignatureScheme) -> [UInt8] {
        switch scheme {
        case .ecdsa(.sha256): sequence(identifier("1.2.840.10045.4.3.2"))
        case .ecdsa(.sha384): sequence(identifier("1.2.840.10045.4.3.3"))
        case .ecdsa(.sha512): sequence(identifier("1.2.840.10045.4.3.4"))
        case .rsaPKCS1(.sha256): sequence(identifier("1.2.840.113549.1.1.11"), [0x05, 0x00])
        case .ed25519: sequence(identifier("1.3.101.112"))
        default: fatalError("tests sign certificates with the usual schemes")
        }
    }
}
