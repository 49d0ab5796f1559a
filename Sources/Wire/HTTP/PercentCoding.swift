/// Encodes all bytes except RFC 3986's unreserved characters as `%XX`, in capitals.
///
/// - Parameter kept: One more byte that is not encoded.
package func percentEncoded(_ bytes: some Sequence<UInt8>, keeping kept: UInt8? = nil) -> String {
    var result: [UInt8] = []
    for byte in bytes {
        if isUnreserved(byte) || byte == kept {
            result.append(byte)
        } else {
            result += percentEncoded(byte, uppercase: true)
        }
    }
    return String(decoding: result, as: UTF8.self)
}

/// Encodes one byte as `%XX`.
func percentEncoded(_ byte: UInt8, uppercase: Bool) -> [UInt8] {
    [UInt8(ascii: "%")] + hexadecimal(byte, uppercase: uppercase)
}

func hexadecimal(_ byte: UInt8, uppercase: Bool) -> [UInt8] {
    let digits = Array((uppercase ? "0123456789ABCDEF" : "0123456789abcdef").utf8)
    return [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
}

/// Decodes each `%XX` in a text; an incomplete escape stays as it is.
package func percentDecoded(_ text: some StringProtocol) -> [UInt8] {
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
        if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
            let byte = UInt8(String(decoding: bytes[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
        {
            result.append(byte)
            index += 3
        } else {
            result.append(bytes[index])
            index += 1
        }
    }
    return result
}

/// - Source: RFC 3986, section 2.3
func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        true
    default: false
    }
}
