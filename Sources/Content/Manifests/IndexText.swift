internal import FoundationEssentials

/// An index that is edited as text: entries are added and removed, and every other byte stays.
///
/// It is for the lists that clients maintain: the referrers of an image under its fallback tag, and the `index.json` of
/// an image layout. Unknown members survive, also in entries.
///
/// - Source: OCI image-spec 1.1, `image-index.md`; distribution-spec 1.1, "Referrers Tag Schema"
public struct IndexText: Sendable, Equatable {
    public private(set) var bytes: [UInt8]
    /// The entries of `manifests` that can be read, in order.
    public private(set) var entries: [Descriptor]
    /// The entries that could not be read when the text was parsed.
    public private(set) var oddEntries: [OddEntry] = []
    /// For each of ``entries``, the index of its place; entries that can't be read have places too.
    private var known: [Int]
    private var places: Places

    /// Creates an empty index.
    public init() {
        bytes = Array(#"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[]}"#.utf8)
        entries = []
        known = []
        places = Places(of: bytes) ?? Places(end: bytes.count - 2, entries: [])
    }

    /// Reads a list that need not be a valid manifest.
    ///
    /// Tools leave `manifests` out, or write `null`, for an empty list. An entry that can't be read, for example
    /// because of an unknown hash, stays in ``bytes`` and is not among ``entries``.
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

    /// - Throws: ``ManifestError`` if `index` is not an index, or its list can't be found in the text.
    public init(_ index: Manifest) throws(ManifestError) {
        guard index.kind == .index else { throw .notJSON("it is not an index") }
        var listed: [Descriptor?] = index.entries
        // Entries are inserted in order, so that each position is still right.
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

    /// Appends an entry.
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

    /// Removes the entries for which `isUnwanted` is true.
    public mutating func remove(where isUnwanted: (Descriptor) -> Bool) {
        for number in entries.indices.reversed() where isUnwanted(entries[number]) {
            remove(at: known[number])
            entries.remove(at: number)
            known.remove(at: number)
            for later in number..<known.count { known[later] -= 1 }
        }
    }

    /// Removes the entries that can't be read.
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

    /// Removes the text of an entry and its separator.
    private mutating func cut(_ range: Range<Int>, with index: Int) {
        bytes.removeSubrange(range)
        places.entries.remove(at: index)
        // The places are shifted instead of found again, because a list may be long and change often.
        for later in index..<places.entries.count {
            let place = places.entries[later]
            places.entries[later] = place.lowerBound - range.count..<place.upperBound - range.count
        }
        places.end -= range.count
    }

    /// The text of an entry, with sorted members and without needless escapes, so that equal entries have equal texts.
    private static func text(of entry: Descriptor) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(DescriptorDocument(entry)) else {
            preconditionFailure("texts and numbers can be JSON")
        }
        return [UInt8](data)
    }
}

/// The positions of the entries of `manifests` in a text that is valid JSON.
private struct Places: Equatable {
    /// The position of the bracket that ends the list.
    var end: Int
    var entries: [Range<Int>]

    init(end: Int, entries: [Range<Int>]) { (self.end, self.entries) = (end, entries) }

    /// - Returns: `nil` unless exactly one member of the document is spelled `"manifests"` and is a list.
    init?(of bytes: [UInt8]) {
        var found: Places?
        var scanner = JSONScanner(bytes: bytes)
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

    /// The text with an empty list in place of `"manifests": null` or of a missing member; otherwise unchanged.
    static func addingEmptyList(to bytes: [UInt8]) -> [UInt8] {
        var scanner = JSONScanner(bytes: bytes)
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

/// The entries of a list; one that can't be read is `nil`.
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

extension JSONScanner {
    /// Reads `: [ … ]` and its entries.
    fileprivate mutating func list() -> Places? {
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
}
