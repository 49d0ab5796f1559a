/// Returns the unresolved URL of the next page from a `Link` field.
///
/// It finds `<target>; rel="next"; …` among links separated by commas. Quoted values may contain anything, and `rel`
/// may have several words in any case. A malformed link is skipped up to the next comma.
///
/// - Source: RFC 8288, section 3; OCI distribution-spec 1.1, "Listing Tags"
func nextPage(inLink field: String) -> String? {
    var parser = LinkParser(text: FieldParser(field, longest: longestLink))
    while !parser.text.isEmpty {
        if let link = parser.link(), link.isNext { return link.target }
    }
    return nil
}

/// The most bytes of all links of one answer.
private let longestLink = 65_536

private struct LinkParser {
    var text: FieldParser

    /// Reads one element of the list.
    ///
    /// Each call skips at least a byte, so that parsing ends for any input.
    mutating func link() -> (target: String, isNext: Bool)? {
        text.skip { $0 == FieldParser.comma || FieldParser.isBlank($0) }
        guard text.first == UInt8(ascii: "<"), let end = text.rest.firstIndex(of: UInt8(ascii: ">")) else {
            text.skipElement()
            return nil
        }
        text.skipOne()
        let target = text.take { $0 != UInt8(ascii: ">") }
        text.skip(to: end + 1)
        var relation: String?
        while let parameter = parameter() {
            // Only the first `rel` counts (RFC 8288, section 3.3).
            if parameter.name == "rel", relation == nil { relation = parameter.value }
        }
        text.skipElement()
        let words = (relation ?? "").lowercased().split { $0 == " " || $0 == "\t" }
        return (target, words.contains("next") && !target.isEmpty)
    }

    /// Reads `; name`, `; name=token` or `; name="quoted"`.
    private mutating func parameter() -> (name: String, value: String)? {
        text.skip()
        guard text.first == semicolon else { return nil }
        text.skip { $0 == semicolon || FieldParser.isBlank($0) }
        let name = text.take { $0 != equals && !isEnd($0) }.lowercased()
        text.skip()
        guard text.first == equals else { return (name, "") }
        text.skipOne()
        text.skip()
        guard text.first == FieldParser.quote else { return (name, text.take { !isEnd($0) }) }
        return (name, text.quoted().text)
    }
}

private func isEnd(_ byte: UInt8) -> Bool {
    byte == semicolon || byte == FieldParser.comma || FieldParser.isBlank(byte)
}

private let semicolon = UInt8(ascii: ";")
private let equals = UInt8(ascii: "=")
