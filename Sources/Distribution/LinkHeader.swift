/// The address of the next page in a `Link` field, as it stands there.
///
/// Reads `<target>; rel="next"; …` among others separated by commas; quoted values may hold anything, and `rel` may
/// hold several words in any case. What isn't well formed is skipped to the next comma.
///
/// - Source: RFC 8288, section 3; OCI distribution-spec 1.1, "Listing Tags"
func nextPage(inLink field: String) -> String? {
    var parser = LinkParser(rest: Array(field.utf8.prefix(longestLink))[...])
    while !parser.rest.isEmpty {
        if let link = parser.link(), link.isNext { return link.target }
    }
    return nil
}

/// In bytes, all links of one answer together.
private let longestLink = 65_536

private struct LinkParser {
    var rest: ArraySlice<UInt8>

    /// One element of the list; always moves on by at least a byte, so hostile input ends as well.
    mutating func link() -> (target: String, isNext: Bool)? {
        skip { $0 == comma || isBlank($0) }
        guard rest.first == UInt8(ascii: "<"), let end = rest.firstIndex(of: UInt8(ascii: ">")) else {
            skipElement()
            return nil
        }
        let target = String(decoding: rest[(rest.startIndex + 1)..<end], as: UTF8.self)
        rest = rest[(end + 1)...]
        var relation: String?
        while let parameter = parameter() {
            // The first `rel` counts, later ones don't (RFC 8288, section 3.3).
            if parameter.name == "rel", relation == nil { relation = parameter.value }
        }
        skipElement()
        let words = (relation ?? "").lowercased().split { $0 == " " || $0 == "\t" }
        return (target, words.contains("next") && !target.isEmpty)
    }

    /// `; name` or `; name=token` or `; name="quoted"`.
    private mutating func parameter() -> (name: String, value: String)? {
        skip(isBlank)
        guard rest.first == semicolon else { return nil }
        skip { $0 == semicolon || isBlank($0) }
        let name = take { $0 != equals && $0 != semicolon && $0 != comma && !isBlank($0) }
        skip(isBlank)
        guard rest.first == equals else { return (name.lowercased(), "") }
        rest = rest.dropFirst()
        skip(isBlank)
        guard rest.first == quote else {
            return (name.lowercased(), take { $0 != semicolon && $0 != comma && !isBlank($0) })
        }
        return (name.lowercased(), quoted())
    }

    private mutating func quoted() -> String {
        rest = rest.dropFirst()
        var text: [UInt8] = []
        while let byte = rest.popFirst(), byte != quote {
            text.append(byte == UInt8(ascii: "\\") ? rest.popFirst() ?? byte : byte)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// To behind the next comma that isn't quoted.
    private mutating func skipElement() {
        while let byte = rest.first, byte != comma {
            if byte == quote { _ = quoted() } else { rest = rest.dropFirst() }
        }
        rest = rest.dropFirst()
    }

    private mutating func skip(_ matches: (UInt8) -> Bool) {
        rest = rest.drop(while: matches)
    }

    private mutating func take(_ matches: (UInt8) -> Bool) -> String {
        let taken = rest.prefix(while: matches)
        rest = rest[taken.endIndex...]
        return String(decoding: taken, as: UTF8.self)
    }
}

private let comma = UInt8(ascii: ",")
private let semicolon = UInt8(ascii: ";")
private let equals = UInt8(ascii: "=")
private let quote = UInt8(ascii: "\"")

private func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }
