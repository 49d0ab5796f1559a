internal import FoundationEssentials

extension UploadLayerPart {
    /// The part as base64 between the two halves of a small JSON object, written once.
    ///
    /// A JSON encoder would hold the part four times over.
    public func body() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        var result: [UInt8] = Array(#"{"layerPartBlob":""#.utf8)
        let head = try encoder.encode(self).dropFirst()
        result.reserveCapacity(result.count + (layerPartBlob.count + 2) / 3 * 4 + 2 + head.count)
        appendBase64(of: layerPartBlob, to: &result)
        result.append(UInt8(ascii: "\""))
        result.append(UInt8(ascii: ","))
        result += head
        return result
    }
}

/// Standard base64 with padding, as the AWS JSON protocol wants blobs.
func appendBase64(of bytes: [UInt8], to result: inout [UInt8]) {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var index = 0
    while index + 2 < bytes.count {
        let word = UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2])
        result.append(alphabet[Int(word >> 18)])
        result.append(alphabet[Int(word >> 12 & 63)])
        result.append(alphabet[Int(word >> 6 & 63)])
        result.append(alphabet[Int(word & 63)])
        index += 3
    }
    let left = bytes.count - index
    guard left > 0 else { return }
    let word = UInt32(bytes[index]) << 16 | (left == 2 ? UInt32(bytes[index + 1]) << 8 : 0)
    result.append(alphabet[Int(word >> 18)])
    result.append(alphabet[Int(word >> 12 & 63)])
    result.append(left == 2 ? alphabet[Int(word >> 6 & 63)] : UInt8(ascii: "="))
    result.append(UInt8(ascii: "="))
}
