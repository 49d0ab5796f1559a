internal import FoundationEssentials

extension JSONShape {
    /// The name of a member that is there twice in one object; `nil` if there is none.
    ///
    /// Some parsers take the first of such members and some the last, so signed text that has them could mean two
    /// things. Names are compared after their escapes are resolved.
    ///
    /// - Parameters:
    ///   - bytes: JSON text; what is found in other text means nothing.
    ///   - foldingCase: Whether names that differ only in case count as one, as they do for Go's parser.
    package static func repeatedMember(in bytes: [UInt8], foldingCase: Bool) -> String? {
        var scanner = JSONScanner(bytes: bytes)
        // The names seen in each open object; an array has none.
        var open: [Set<String>?] = []
        while let event = scanner.next() {
            switch event {
            case .mark(UInt8(ascii: "{")): open.append([])
            case .mark(UInt8(ascii: "[")): open.append(nil)
            case .mark(UInt8(ascii: "}")), .mark(UInt8(ascii: "]")): _ = open.popLast()
            case .mark: break
            case .string(let range):
                guard let level = open.indices.last, open[level] != nil, scanner.isBeforeColon else { continue }
                let name = text(of: bytes[range])
                let isNew = open[level]?.insert(foldingCase ? name.lowercased() : name).inserted
                if isNew == false { return name }
            }
        }
        return nil
    }

    /// The text of a string token with its quotes.
    private static func text(of token: ArraySlice<UInt8>) -> String {
        if token.contains(UInt8(ascii: "\\")), let text = try? JSONDecoder().decode(String.self, from: Data(token)) {
            return text
        }
        return String(decoding: token.dropFirst().dropLast(), as: UTF8.self)
    }
}
