internal import FoundationEssentials

/// An index whose entries come and go while every other byte stays as it was.
///
/// It is for the lists that clients keep themselves: the referrers of an image under its fallback tag, and the
/// `index.json` of an image layout. Members that nobody here knows survive, in the entries too.
///
/// - Source: OCI image-spec 1.1, `image-index.md`; distribution-spec 1.1, "Referrers Tag Schema"
public struct IndexText: Sendable, Equatable {
    public private(set) var bytes: [UInt8]
    /// What `manifests` names, in order.
    public private(set) var entries: [Descriptor]
    /// What could not be read when the text was.
    public private(set) var oddEntries: [OddEntry] = []
    /// For each of ``entries``, which of the places it has: those of entries that can't be read are between them.
    private var known: [Int]
    private var places: Places

    /// An index of nothing.
    public init() {
        bytes = Array(#"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[]}"#.utf8)
        entries = []
        known = []
        places = Places(of: bytes) ?? Places(end: bytes.count - 2, entries: [])
    }

    /// Reads a list that is no manifest of any registry.
    ///
    /// Tools leave `manifests` out, or write `null`, where there is nothing to list. An entry that can't be read (of a
    /// hash that we do not know, for example) stays in ``bytes`` and is not among ``entries``.
    ///
    /// - Throws: ``ManifestError``
    /// - Source: umoci's changelog, 0.5.1: earlier versions wrote `"manifests":null`
    public init(_ bytes: [UInt8], within limits: Manifest.Limits) throws(ManifestError) {
        try Manifest.check(bytes, within: limits)
        let document = try ListDocument(parsing: bytes)
        guard document.schemaVersion == nil || document.schemaVersion == 2 else {
            throw .unknownSchema(document.schemaVersion ?? 0)
        }
        let listed = document.manifests ?? []
        guard listed.count <= limits.descriptors else {
            throw .tooMany("manifests", listed.count, limit: limits.descriptors)
        }
        try self.init(bytes, listed.map { try? $0.checked.get() })
        for (position, entry) in listed.enumerated() {
            guard case .failure(let problem) = entry.checked else { continue }
            oddEntries.append(OddEntry(position, digest: entry.digest, problem.reason))
        }
    }

    /// - Throws: ``ManifestError`` when `index` is no index, or its list can't be told from other text.
    public init(_ index: Manifest) throws(ManifestError) {
        guard index.kind == .index else { throw .notJSON("it is not an index") }
        var listed: [Descriptor?] = index.entries
        // In order, so that each stands where it stood when the next one comes.
        for odd in index.oddEntries { listed.insert(nil, at: odd.position) }
        try self.init(index.bytes, listed)
    }

    private init(_ bytes: [UInt8], _ listed: [Descriptor?]) throws(ManifestError) {
        let whole = listed.isEmpty ? Places.addingEmptyList(to: bytes) : bytes
        guard let places = Places(of: whole), places.entries.count == listed.count else {
            throw .notJSON("its list of manifests can't be changed without changing the rest")
        }
        self.bytes = whole
        entries = listed.compactMap { $0 }
        known = listed.indices.filter { listed[$0] != nil }
        self.places = places
    }

    /// Adds an entry at the end.
    public mutating func append(_ entry: Descriptor) {
        let text = Self.text(of: entry)
        let comma = places.entries.isEmpty ? [] : [UInt8(ascii: ",")]
        let start = places.entries.last?.upperBound ?? places.end
        bytes.insert(contentsOf: comma + text, at: start)
        entries.append(entry)
        known.append(places.entries.count)
        places.entries.append(start + comma.count..<start + comma.count + text.count)
        places.end += comma.count + text.count
    }

    /// Takes out the entries that `isUnwanted` says.
    public mutating func remove(where isUnwanted: (Descriptor) -> Bool) {
        for number in entries.indices.reversed() where isUnwanted(entries[number]) {
            remove(at: known[number])
            entries.remove(at: number)
            known.remove(at: number)
            for later in number..<known.count { known[later] -= 1 }
        }
    }

    /// Takes out the entries that can't be read.
    public mutating func removeOddEntries() {
        let readable = Set(known)
        for index in places.entries.indices.reversed() where !readable.contains(index) { remove(at: index) }
        known = Array(entries.indices)
        oddEntries = []
    }

    private mutating func remove(at index: Int) {
        let place = places.entries[index]
        if index > 0 {
            cut(places.entries[index - 1].upperBound..<place.upperBound, with: index)
        } else if places.entries.count > 1 {
            cut(place.lowerBound..<places.entries[1].lowerBound, with: index)
        } else {
            cut(place, with: index)
        }
    }

    /// Takes out the text of an entry and what separates it from another.
    private mutating func cut(_ range: Range<Int>, with index: Int) {
        bytes.removeSubrange(range)
        places.entries.remove(at: index)
        // The rest of the text isn't read again: a list may be long, and change often.
        for later in index..<places.entries.count {
            let place = places.entries[later]
            places.entries[later] = place.lowerBound - range.count..<place.upperBound - range.count
        }
        places.end -= range.count
    }

    /// Sorted, and nothing escaped that needn't be: the same entry is the same text everywhere.
    private static func text(of entry: Descriptor) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(DescriptorDocument(entry)) else {
            preconditionFailure("texts and numbers can be JSON")
        }
        return [UInt8](data)
    }
}

/// Where the entries of `manifests` stand in a text that is known to be JSON.
private struct Places: Equatable {
    /// Of the bracket that ends the list.
    var end: Int
    var entries: [Range<Int>]

    init(end: Int, entries: [Range<Int>]) { (self.end, self.entries) = (end, entries) }

    /// - Returns: `nil` unless exactly one member of the document is spelled `"manifests"` and is a list.
    init?(of bytes: [UInt8]) {
        var found: Places?
        var scanner = Scanner(bytes: bytes)
        while let event = scanner.next() {
            guard case .string(let range) = event, scanner.depth == 1, scanner.isBeforeColon,
                bytes[range].elementsEqual(Self.name)
            else { continue }
            guard found == nil, let places = scanner.list() else { return nil }
            found = places
        }
        guard let found else { return nil }
        self = found
    }

    private static let name = Array("\"manifests\"".utf8)

    /// The text with an empty list where it says `"manifests": null`, or nothing of `manifests`; else as it is.
    static func addingEmptyList(to bytes: [UInt8]) -> [UInt8] {
        var scanner = Scanner(bytes: bytes)
        var isEmptyObject = true
        var end: Int?
        while let event = scanner.next() {
            switch event {
            case .string(let range) where scanner.depth == 1:
                isEmptyObject = false
                guard scanner.isBeforeColon, bytes[range].elementsEqual(name) else { continue }
                guard let null = scanner.null() else { return bytes }
                return bytes[..<null.lowerBound] + Array("[]".utf8) + bytes[null.upperBound...]
            case .mark(UInt8(ascii: "}")) where scanner.depth == 0: end = scanner.position - 1
            default: continue
            }
        }
        guard let end else { return bytes }
        let member = Array("\(isEmptyObject ? "" : ",")\"manifests\":[]".utf8)
        return bytes[..<end] + member + bytes[end...]
    }
}

/// The members of a list that are read here; an entry that can't be read is `nil`.
private struct ListDocument: Decodable {
    var schemaVersion: Int?
    var manifests: [ManifestDocument.LenientEntry]?

    init(parsing bytes: [UInt8]) throws(ManifestError) {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(bytes))
        } catch let DecodingError.dataCorrupted(context) {
            throw .notJSON(context.debugDescription)
        } catch {
            throw .notJSON("it is not an object that lists manifests")
        }
    }
}

/// Walks over JSON's marks and strings; what they mean together is not its business.
private struct Scanner {
    enum Event {
        /// Its quotes included.
        case string(Range<Int>)
        case mark(UInt8)
    }

    let bytes: [UInt8]
    private(set) var depth = 0
    private(set) var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func next() -> Event? {
        while position < bytes.count {
            let start = position
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                    position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
                }
                position = min(position + 1, bytes.count)
                return .string(start..<position)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                return .mark(byte)
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                return .mark(byte)
            case UInt8(ascii: ","): return .mark(byte)
            default: continue
            }
        }
        return nil
    }

    /// Whether what comes next is a colon, which makes a string a name.
    var isBeforeColon: Bool { bytes[position...].first { !Self.isBlank($0) } == UInt8(ascii: ":") }

    /// Where `null` stands, if that is what comes after the colon.
    func null() -> Range<Int>? {
        guard let colon = bytes[position...].firstIndex(of: UInt8(ascii: ":")),
            let start = bytes[(colon + 1)...].firstIndex(where: { !Self.isBlank($0) }),
            bytes[start...].starts(with: Array("null".utf8))
        else { return nil }
        return start..<start + 4
    }

    /// Reads `: [ … ]` with what is in it.
    mutating func list() -> Places? {
        guard case .mark(UInt8(ascii: "[")) = next(), depth == 2 else { return nil }
        var entries: [Range<Int>] = []
        var start = position
        while let event = next() {
            guard case .mark(let mark) = event else { continue }
            let isEnd = mark == UInt8(ascii: "]") && depth == 1
            guard isEnd || (mark == UInt8(ascii: ",") && depth == 2) else { continue }
            if let entry = trimmed(start..<position - 1) { entries.append(entry) }
            start = position
            if isEnd { return Places(end: position - 1, entries: entries) }
        }
        return nil
    }

    /// Without blanks at both ends; `nil` if nothing is left.
    private func trimmed(_ range: Range<Int>) -> Range<Int>? {
        guard let first = bytes[range].firstIndex(where: { !Self.isBlank($0) }),
            let last = bytes[range].lastIndex(where: { !Self.isBlank($0) })
        else { return nil }
        return first..<last + 1
    }

    private static func isBlank(_ byte: UInt8) -> Bool { [9, 10, 13, 32].contains(byte) }
}
