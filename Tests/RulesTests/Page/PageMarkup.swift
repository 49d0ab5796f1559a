/// The tags of a page, taken apart by a reader that is simpler than a browser and stricter.
struct PageMarkup {
    struct Tag: Hashable {
        var name: String
        var attributes: [String: String]
    }

    private(set) var tags: [Tag] = []
    /// What could not be read as a tag.
    private(set) var faults: [String] = []

    init(_ page: String) {
        var rest = Substring(page)
        while let open = rest.firstIndex(of: "<") {
            rest = rest[open...].dropFirst()
            guard let close = rest.firstIndex(of: ">") else {
                faults.append("an open tag: \(rest.prefix(40))")
                return
            }
            let inside = rest[..<close]
            rest = rest[close...].dropFirst()
            guard !inside.hasPrefix("/"), !inside.hasPrefix("!DOCTYPE") else { continue }
            guard let tag = Self.tag(inside) else {
                faults.append("<\(inside.prefix(80))>")
                continue
            }
            tags.append(tag)
            // Nothing in them is markup.
            if ["script", "style"].contains(tag.name), let end = rest.firstRange(of: "</\(tag.name)>") {
                rest = rest[end.upperBound...]
            }
        }
    }

    private static func tag(_ inside: Substring) -> Tag? {
        let name = inside.prefix { $0.isLetter || $0.isNumber }
        guard !name.isEmpty else { return nil }
        var tag = Tag(name: String(name), attributes: [:])
        var rest = inside[name.endIndex...]
        while true {
            rest = rest.drop { $0 == " " || $0 == "/" }
            guard !rest.isEmpty else { return tag }
            let key = rest.prefix { $0.isLetter || $0 == "-" }
            guard !key.isEmpty else { return nil }
            rest = rest[key.endIndex...]
            guard rest.hasPrefix("=") else {
                tag.attributes[String(key)] = ""
                continue
            }
            rest = rest.dropFirst()
            guard rest.hasPrefix("\""), let end = rest.dropFirst().firstIndex(of: "\"") else { return nil }
            tag.attributes[String(key)] = String(rest[rest.index(after: rest.startIndex)..<end])
            rest = rest[end...].dropFirst()
        }
    }
}
