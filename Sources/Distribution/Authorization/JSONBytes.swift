/// Returns the bytes of a JSON text without a byte order mark, which some programs write and JSON doesn't allow.
///
/// - Source: RFC 8259, section 8.1
func withoutByteOrderMark(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes
}

/// Whether a byte is white space in JSON.
///
/// - Source: RFC 8259, section 2
func isJSONBlank(_ byte: UInt8) -> Bool { [9, 10, 13, 32].contains(byte) }
