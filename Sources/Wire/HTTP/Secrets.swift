internal import FoundationEssentials
internal import HTTPTypes
internal import Platform

/// Secret texts to remove from any text that is shown.
///
/// A server's error may quote the request, for example in a debugging page or a dump. Secrets are found whole and in
/// pieces, plain and encoded as base64, hexadecimal, percent-encoding, JSON or XML.
public struct Secrets: Sendable {
    private let texts: [String]
    private let forms: Forms

    /// The encoded forms of the secrets, computed when the first text is searched.
    private final class Forms: Sendable {
        private let made = Lock<[[UInt8]]?>(nil)

        func of(_ texts: [String]) -> [[UInt8]] {
            made.withLock { made in
                if let made { return made }
                let forms = texts.flatMap { Secrets.forms(of: Array($0.utf8)) }
                made = forms
                return forms
            }
        }
    }

    /// The shortest piece of a secret that is removed, in bytes: a shorter one reveals little and may be a common word.
    private static let piece = 12
    /// The shortest secret, in bytes: a shorter text may occur in any other.
    private static let shortest = 6

    public init(_ texts: [String] = []) {
        self.texts = texts.filter { $0.utf8.count >= Self.shortest }
        forms = Forms()
    }

    /// Replaces each secret in `text`, and each piece of one of 12 bytes or more, with `…`.
    public func cut(from text: String) -> String {
        guard !texts.isEmpty, text.utf8.count >= Self.shortest else { return text }
        let bytes = Array(text.utf8)
        var isSecret = [Bool](repeating: false, count: bytes.count)
        let there = Set(Self.windows(of: bytes))
        var found: Set<UInt128> = []
        for form in forms.of(texts) {
            if form.count >= Self.piece {
                for window in Self.windows(of: form) where there.contains(window) { found.insert(window) }
            } else {
                for range in bytes.ranges(of: form) { for place in range { isSecret[place] = true } }
            }
        }
        for (place, window) in Self.windows(of: bytes).enumerated() where found.contains(window) {
            for place in place..<place + Self.piece { isSecret[place] = true }
        }
        guard isSecret.contains(true) else { return text }
        var kept: [UInt8] = []
        for (place, byte) in bytes.enumerated() {
            if !isSecret[place] {
                kept.append(byte)
            } else if place == 0 || !isSecret[place - 1] {
                kept += "…".utf8
            }
        }
        return String(decoding: kept, as: UTF8.self)
    }

    /// Every piece of `bytes`, each as a number.
    private static func windows(of bytes: [UInt8]) -> [UInt128] {
        guard bytes.count >= piece else { return [] }
        let mask = UInt128.max >> (128 - 8 * piece)
        var window: UInt128 = 0
        var all: [UInt128] = []
        all.reserveCapacity(bytes.count - piece + 1)
        // The loop uses an index: iterating costs ten times as much in a debug build, and tokens have kilobytes.
        var place = 0
        while place < bytes.count {
            window = (window << 8 | UInt128(bytes[place])) & mask
            place += 1
            if place >= piece { all.append(window) }
        }
        return all
    }

    /// The secret itself and its encoded forms.
    private static func forms(of secret: [UInt8]) -> [[UInt8]] {
        let texts = [secret, escaped(secret, inJSON), escaped(secret, inXML)]
        let percent = [true, false].map { uppercase in
            written(secret) { isUnreserved($0) ? [$0] : percentEncoded($0, uppercase: uppercase) }
        }
        let hexadecimals = [true, false].map { uppercase in
            written(secret) { hexadecimal($0, uppercase: uppercase) }
        }
        return texts + percent + hexadecimals + base64(secret)
    }

    private static func written(_ secret: [UInt8], _ byByte: (UInt8) -> [UInt8]) -> [UInt8] {
        // The encoding of each of the 256 bytes is computed once.
        var table = [[UInt8]?](repeating: nil, count: 256)
        var form: [UInt8] = []
        form.reserveCapacity(2 * secret.count)
        var place = 0
        while place < secret.count {
            let byte = Int(secret[place])
            let piece = table[byte] ?? byByte(secret[place])
            table[byte] = piece
            form += piece
            place += 1
        }
        return form
    }

    /// The base64 of a secret inside a longer text: at each of the three alignments, in both alphabets, without the
    /// characters that depend on neighbouring bytes.
    private static func base64(_ secret: [UInt8]) -> [[UInt8]] {
        (0..<3).flatMap { shift in
            let whole = Array(Data([UInt8](repeating: 0, count: shift) + secret).base64EncodedString().utf8)
            let own = Array(whole[(8 * shift + 5) / 6..<8 * (shift + secret.count) / 6])
            let safe = own.map { byte in
                byte == UInt8(ascii: "+") ? UInt8(ascii: "-") : byte == UInt8(ascii: "/") ? UInt8(ascii: "_") : byte
            }
            return [own, safe]
        }
    }

    private static func escaped(_ secret: [UInt8], _ escapes: [UInt8: String]) -> [UInt8] {
        written(secret) { byte in escapes[byte].map { Array($0.utf8) } ?? [byte] }
    }

    private static let inJSON = [
        UInt8(ascii: "/"): "\\/", UInt8(ascii: "\""): "\\\"", UInt8(ascii: "\\"): "\\\\",
    ]
    private static let inXML = [
        UInt8(ascii: "&"): "&amp;", UInt8(ascii: "<"): "&lt;", UInt8(ascii: ">"): "&gt;", UInt8(ascii: "\""): "&quot;",
        UInt8(ascii: "'"): "&apos;",
    ]
}

extension Secrets: Hashable {
    public static func == (left: Secrets, right: Secrets) -> Bool { left.texts == right.texts }
    public func hash(into hasher: inout Hasher) { hasher.combine(texts) }
}

/// Printing, dumping or reflecting a value shows only the number of secrets.
extension Secrets: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "\(texts.count) secrets" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension WireRequest {
    /// The secrets that an answer may quote from this request: credentials, tokens and signatures in its fields, query
    /// and body.
    public var secrets: Secrets {
        var texts = secretsInBody
        for field in fields {
            let name = field.name.canonicalName
            if name == "authorization" {
                texts += secretParts(ofAuthorization: field.value)
            } else if name.hasSuffix("token") {
                texts.append(field.value)
            }
        }
        for item in (url.query ?? "").split(separator: "&") {
            let parts = item.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, !publicParameters.contains(String(parts[0])) else { continue }
            texts += [String(parts[1]), String(decoding: percentDecoded(parts[1]), as: UTF8.self)]
        }
        return Secrets(texts)
    }
}

/// The query parameters that this client writes itself; any other came with an address and may be a signature.
private let publicParameters: Set<String> = [
    "account_id", "artifactType", "digest", "from", "last", "mount", "n", "role_name", "scope", "service",
]

private func secretParts(ofAuthorization value: String) -> [String] {
    // The region and the names of fields are not secret, and are useful when a server quotes them.
    if value.hasPrefix("AWS4-") {
        return value.split { $0 == " " || $0 == "," }.compactMap { part in
            if part.hasPrefix("Credential=") { return part.dropFirst("Credential=".count).prefix { $0 != "/" } }
            return part.hasPrefix("Signature=") ? part.dropFirst("Signature=".count) : nil
        }.map(String.init)
    }
    let words = value.split(separator: " ").map(String.init)
    // A container's token may have no scheme.
    guard words.count == 2 else { return [value] }
    guard words[0].lowercased() == "basic", let plain = Data(base64Encoded: words[1]) else { return [words[1]] }
    let password = plain.drop { $0 != UInt8(ascii: ":") }.dropFirst()
    return [words[1], String(decoding: password, as: UTF8.self)]
}
