/// The two forms of an ECDSA signature: DER, and the two numbers one after the other.
///
/// - Source: RFC 3279, section 2.2.3; RFC 7518, section 3.4
package enum ECDSASignature {
    /// Turns the two numbers into DER.
    ///
    /// - Returns: `nil` if the length is not twice the length of the curve's numbers.
    package static func der(fromRaw raw: [UInt8], _ curve: KeyKind.Curve) -> [UInt8]? {
        let length = curve.numberLength
        guard raw.count == 2 * length else { return nil }
        let numbers = integer(raw[..<length]) + integer(raw[length...])
        return [0x30] + DERElement.length(numbers.count) + numbers
    }

    /// Turns DER into the two numbers, each padded to the length of the curve's numbers.
    package static func raw(fromDER der: [UInt8], _ curve: KeyKind.Curve) -> [UInt8]? {
        guard let outer = DERElement(wholly: der, tag: 0x30),
            let first = DERElement(in: der, at: outer.content.lowerBound), first.tag == 0x02,
            let second = DERElement(in: der, at: first.end), second.tag == 0x02, second.end == outer.end
        else { return nil }
        var raw: [UInt8] = []
        for number in [first, second] {
            let digits = der[number.content].drop { $0 == 0 }
            guard digits.count <= curve.numberLength else { return nil }
            raw += [UInt8](repeating: 0, count: curve.numberLength - digits.count) + digits
        }
        return raw
    }

    private static func integer(_ number: ArraySlice<UInt8>) -> [UInt8] {
        var digits = Array(number.drop { $0 == 0 })
        if digits.isEmpty || digits[0] >= 0x80 { digits.insert(0, at: 0) }
        return [0x02] + DERElement.length(digits.count) + digits
    }
}

/// Where one element of DER begins and ends.
///
/// It is used to find bytes that are signed as they stand, such as the body of a certificate.
package struct DERElement: Sendable, Hashable {
    package let tag: UInt8
    /// The content's place.
    package let content: Range<Int>
    package var end: Int { content.upperBound }

    /// Reads the tag and the length at a place; `nil` if they are not DER or if the content isn't all there.
    package init?(in bytes: [UInt8], at start: Int) {
        guard start >= 0, start + 2 <= bytes.count, bytes[start] & 0x1F != 0x1F else { return nil }
        tag = bytes[start]
        var length = Int(bytes[start + 1])
        var place = start + 2
        if length >= 0x80 {
            let count = length - 0x80
            guard (1...4).contains(count), place + count <= bytes.count, bytes[place] != 0 else { return nil }
            length = bytes[place..<place + count].reduce(0) { $0 << 8 | Int($1) }
            guard length >= 0x80 else { return nil }
            place += count
        }
        guard length <= bytes.count - place else { return nil }
        content = place..<place + length
    }

    /// Reads an element that takes up all bytes.
    package init?(wholly bytes: [UInt8], tag: UInt8) {
        guard let element = DERElement(in: bytes, at: 0), element.tag == tag, element.end == bytes.count else {
            return nil
        }
        self = element
    }

    /// The bytes that state a length.
    package static func length(_ length: Int) -> [UInt8] {
        guard length >= 0x80 else { return [UInt8(length)] }
        var digits: [UInt8] = []
        var rest = length
        while rest > 0 {
            digits.insert(UInt8(rest & 0xFF), at: 0)
            rest >>= 8
        }
        return [0x80 | UInt8(digits.count)] + digits
    }
}
