/// Texts that are difficult for parsers.
private let pieces: [[UInt8]] =
    [
        "{", "}", "[", "]", ",", ":", ";", "=", "\"", "\\", "\\u", "\\ud800", "null", "true", "-", "1e", "1e9999",
        "0.1",
        "9223372036854775808", "é", "e\u{301}", "\u{0}", "\u{FEFF}", "/", "//", "@", "?", "#", "<", ">", "</",
        "&#x110000;",
        "&", "\r\n", "\n", "\t", " ", "sha256:", "repository/", ".", "..", "arn:", "http://", "https://", "[::",
        "localhost", ".dkr.ecr.", "\"size\":", "\"mediaType\":", "\"data\":\"e30\"", "rel=", "next", "HTTP/1.1 ",
    ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xEF, 0xBB, 0xBF], [0xED, 0xA0, 0x80]]

/// Returns the bytes with one to six changes: cut, doubled, replaced, flipped, or mixed with texts that are difficult
/// for parsers.
public func mutated(_ bytes: [UInt8], using random: inout Seeded) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...6, using: &random) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        let end = Int.random(in: place...min(bytes.count, place + 24), using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes.removeSubrange(place..<end)
        case 1: bytes.insert(contentsOf: pieces.randomElement(using: &random) ?? [], at: place)
        case 2: bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
        case 3 where place < bytes.count: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
        case 4 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        default: bytes.replaceSubrange(place..<end, with: pieces.randomElement(using: &random) ?? [])
        }
    }
    return bytes
}

public func mutated(_ text: String, using random: inout Seeded) -> String {
    String(decoding: mutated(Array(text.utf8), using: &random), as: UTF8.self)
}
