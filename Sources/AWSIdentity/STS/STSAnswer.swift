internal import Content
internal import Wire

/// An answer from STS, reduced to the texts of its elements.
///
/// STS answers in XML. The answers are flat and small, so this parser handles elements, text and entities only; each text
/// is stored under the path of its element, such as `AssumeRoleResult/Credentials/AccessKeyId`.
struct STSAnswer {
    private var texts: [String: String] = [:]

    /// The longest answer that is parsed, in bytes.
    private static let longest = WireRequest.largestSmallAnswer

    /// Parses an answer.
    ///
    /// - Returns: `nil` for bytes that aren't one complete XML document.
    init?(_ bytes: [UInt8]) {
        guard bytes.count <= Self.longest else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        var path: [Substring] = []
        var rest = text[...]
        var sawRoot = false
        while let open = rest.firstIndex(of: "<") {
            if path.count > 1 {
                texts[path.dropFirst().joined(separator: "/"), default: ""] += Self.unescaped(rest[..<open])
            }
            guard let close = rest[open...].firstIndex(of: ">") else { return nil }
            let tag = rest[rest.index(after: open)..<close]
            rest = rest[rest.index(after: close)...]
            if tag.hasPrefix("?") || tag.hasPrefix("!") { continue }
            if tag.hasPrefix("/") {
                guard path.popLast() == tag.dropFirst().prefix(while: { !$0.isWhitespace }) else { return nil }
            } else if !tag.hasSuffix("/") {
                path.append(tag.prefix { !$0.isWhitespace })
                sawRoot = true
            }
        }
        guard sawRoot, path.isEmpty else { return nil }
    }

    /// Returns the text of the element at `path` under the root, without surrounding white space.
    subscript(path: String) -> String? {
        texts[path].map { String(trimmed($0)) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func unescaped(_ text: Substring) -> String {
        guard text.contains("&") else { return String(text) }
        var result = ""
        var rest = text
        while let ampersand = rest.firstIndex(of: "&") {
            result += rest[..<ampersand]
            let after = rest[rest.index(after: ampersand)...]
            guard let end = after.firstIndex(of: ";"), let character = entity(after[..<end]) else {
                result += "&"
                rest = after
                continue
            }
            result.append(character)
            rest = after[after.index(after: end)...]
        }
        return result + rest
    }

    private static func entity(_ name: Substring) -> Character? {
        switch name {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            let code =
                name.hasPrefix("#x")
                ? UInt32(name.dropFirst(2), radix: 16)
                : name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
            return code.flatMap(Unicode.Scalar.init).map(Character.init)
        }
    }
}
