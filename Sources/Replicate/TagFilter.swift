public import Content

/// Which tagged images of a repository are meant.
///
/// Digest tags (`sha256-….sig` and their like) are never chosen by themselves: they follow their image.
///
/// - Source: DESIGN section 7: `--all-tags`, `--match`, `--newest`
public struct TagFilter: Sendable {
    /// A tag passes if one of these does, or if there are none.
    public var patterns: [TagPattern]
    /// So many images at most, the last pushed first.
    public var newest: Int?

    public init(patterns: [TagPattern] = [], newest: Int? = nil) {
        self.patterns = patterns
        self.newest = newest
    }

    /// The images that pass, each with those of its tags that do.
    ///
    /// - Throws: ``CopyError/Reason`` through `Unordered` if the registry doesn't say when images were pushed.
    func select(from listed: [ListedImage], digestTagsToo: Bool = false) throws(Unordered) -> [ListedImage] {
        var chosen: [ListedImage] = []
        for var image in listed {
            image.tags = image.tags.filter { tag in
                (digestTagsToo || !ReferrerFinder.isDigestTag(tag))
                    && (patterns.isEmpty || patterns.contains { $0.matches(tag) })
            }.sorted()
            if !image.tags.isEmpty { chosen.append(image) }
        }
        guard let newest else { return chosen }
        guard chosen.allSatisfy({ $0.pushedAt != nil }) else { throw Unordered() }
        let ordered = chosen.sorted { left, right in
            // Equal times are put in order by digest, so that two runs choose alike.
            (right.pushedAt ?? 0, left.digest.hex) < (left.pushedAt ?? 0, right.digest.hex)
        }
        return Array(ordered.prefix(max(0, newest)))
    }

    struct Unordered: Error {
        static let reason = CopyError.Reason.unsupported(
            "this registry doesn't say when images were pushed, so --newest can't be had",
            remedy: "leave out --newest, or choose by tag with --match"
        )
    }
}

/// What a tag must look like: a glob, `re:` and a regular expression, or `semver:` and a range of versions.
public struct TagPattern: Sendable {
    private enum Form: Sendable {
        case glob(String)
        case expression(String)
        case versions(VersionRange)
    }

    private let form: Form

    /// - Throws: ``PatternError``, which says what is wrong.
    public init(parsing text: String) throws(PatternError) {
        if text.hasPrefix("re:") {
            let expression = String(text.dropFirst(3))
            guard (try? Regex(expression)) != nil else {
                throw PatternError(text: text, reason: "not a regular expression")
            }
            form = .expression(expression)
        } else if text.hasPrefix("semver:") {
            guard let range = VersionRange(String(text.dropFirst(7))) else {
                throw PatternError(text: text, reason: "not a range of versions, as semver:>=1.2 <2")
            }
            form = .versions(range)
        } else {
            guard !text.isEmpty else { throw PatternError(text: text, reason: "it is empty") }
            form = .glob(text)
        }
    }

    /// Whether all of `tag` matches.
    public func matches(_ tag: Tag) -> Bool {
        switch form {
        case .glob(let glob): matchesGlob(Array(tag.value.utf8)[...], Array(glob.utf8)[...])
        case .expression(let expression): (try? Regex(expression).wholeMatch(in: tag.value)) != nil
        case .versions(let range): Version(tag.value).map(range.contains) ?? false
        }
    }
}

/// Why a text is no pattern for tags.
public struct PatternError: Error, Sendable, CustomStringConvertible {
    public var text: String
    public var reason: String
    public var description: String { "'\(text)' is not a pattern for tags: \(reason)" }
}

/// `*` is any run, `?` any one character; a tag has no other special characters worth a syntax.
private func matchesGlob(_ text: ArraySlice<UInt8>, _ glob: ArraySlice<UInt8>) -> Bool {
    var (text, glob) = (text, glob)
    // Where to go back to when a later part doesn't fit: the last star, and how far it had reached.
    var retreat: (glob: ArraySlice<UInt8>, text: ArraySlice<UInt8>)?
    while true {
        if let symbol = glob.first, symbol == UInt8(ascii: "*") {
            glob = glob.dropFirst()
            retreat = (glob, text)
        } else if let symbol = glob.first, let byte = text.first, symbol == byte || symbol == UInt8(ascii: "?") {
            (glob, text) = (glob.dropFirst(), text.dropFirst())
        } else if glob.isEmpty, text.isEmpty {
            return true
        } else if let last = retreat, !last.text.isEmpty {
            retreat = (last.glob, last.text.dropFirst())
            (glob, text) = (last.glob, last.text.dropFirst())
        } else {
            return false
        }
    }
}
