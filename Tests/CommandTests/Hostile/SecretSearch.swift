import Foundation

/// Searches a program's output for secrets: whole, in pieces, and in several encodings.
///
/// It shares no code with the redaction that it tests, so that both can't have the same mistake.
struct SecretSearch: Sendable {
    /// The secrets, by the hash of each piece.
    private var pieces: [UInt64: String] = [:]
    /// The secrets that are shorter than a piece, by their encoded forms.
    private var short: [(form: [UInt8], name: String)] = []

    /// The shortest part of a secret that counts as a leak, in bytes.
    static let pieceLength = 12

    /// - Parameter secrets: The secrets by name.
    init(_ secrets: [String: String]) {
        for (name, secret) in secrets { add(secret, named: name) }
    }

    mutating func add(_ secret: String, named name: String) {
        var known: Set<[UInt8]> = []
        for (encoding, form) in Self.forms(of: secret) where known.insert(form).inserted {
            guard form.count >= Self.pieceLength else {
                // A text of `=` alone would be found everywhere.
                if form.count >= 6 { short.append((form, "\(name) (\(encoding))")) }
                continue
            }
            Self.hashes(of: form) { pieces[$0] = "\(name) (\(encoding))" }
        }
    }

    /// Returns the secrets in the text, with their names and encodings.
    func findings(in text: some Collection<UInt8>) -> Set<String> {
        let text = Array(text)
        var found: Set<String> = []
        Self.hashes(of: text) { if let name = pieces[$0] { found.insert(name) } }
        for (form, name) in short where !text.ranges(of: form).isEmpty { found.insert(name) }
        return found
    }

    func findings(in text: String) -> Set<String> { findings(in: text.utf8) }

    /// A polynomial of each piece's bytes, modulo 2⁶⁴; two different pieces practically never have the same value.
    private static func hashes(of bytes: [UInt8], _ body: (UInt64) -> Void) {
        let base: UInt64 = 0x9E37_79B9_7F4A_7C15
        var oldest: UInt64 = 1
        for _ in 0..<pieceLength { oldest = oldest &* base }
        var hash: UInt64 = 0
        for (place, byte) in bytes.enumerated() {
            hash = hash &* base &+ UInt64(byte) &+ 1
            if place >= pieceLength { hash = hash &- oldest &* (UInt64(bytes[place - pieceLength]) &+ 1) }
            if place >= pieceLength - 1 { body(hash) }
        }
    }

    /// The encodings of a secret.
    static func forms(of secret: String) -> [(encoding: String, bytes: [UInt8])] {
        let bytes = Array(secret.utf8)
        var forms: [(String, [UInt8])] = [("as it is", bytes)]
        for (name, digits) in [("lower", Array("0123456789abcdef".utf8)), ("upper", Array("0123456789ABCDEF".utf8))] {
            var (hex, percent): ([UInt8], [UInt8]) = ([], [])
            for byte in bytes {
                let pair = [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
                hex += pair
                percent += unreserved.contains(byte) ? [byte] : [UInt8(ascii: "%")] + pair
            }
            forms += [("hex, \(name)", hex), ("percent, \(name)", percent)]
        }
        let json = secret.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        forms.append(("JSON", Array(json.replacing("/", with: "\\/").utf8)))
        forms.append(("JSON, slashes as they are", Array(json.utf8)))
        let xml = secret.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
        forms.append(("XML", Array(xml.replacing("\"", with: "&quot;").replacing("'", with: "&apos;").utf8)))
        for before in 0..<3 {
            // Two bits fewer at either end, which depend on the neighbours; the rest depends on the secret only.
            let encoded = Data([UInt8](repeating: 0x55, count: before) + bytes).base64EncodedString()
            let first = [0, 2, 3][before]
            let last = (before + bytes.count) * 8 / 6
            let own = String(encoded.dropFirst(first).prefix(last - first))
            forms.append(("base64", Array(own.utf8)))
            let safe = own.replacing("+", with: "-").replacing("/", with: "_")
            forms.append(("base64url", Array(safe.utf8)))
        }
        return forms
    }

    private static let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
}
