/// A pattern of names as IAM policies have them: `*` stands for any run of characters, `?` for one.
///
/// - Source: IAM User Guide, "IAM JSON policy elements: Resource"
struct NamePattern: Sendable, Hashable {
    enum Part: Sendable, Hashable {
        case character(Unicode.Scalar)
        /// `?`; what it stands for may be known not to be a slash.
        case one(maybeSlash: Bool)
        /// `*`; what it stands for may be known to have no slash.
        case many(maybeSlash: Bool)
    }

    let parts: [Part]

    /// The longest name of a repository, in characters; a longer pattern is cut, and ends in `*`.
    static let longest = 256

    init(_ parts: [Part]) {
        var tidy: [Part] = []
        for part in parts.count > Self.longest ? parts.prefix(Self.longest) + [.many(maybeSlash: true)] : parts[...] {
            guard case .many(let before)? = tidy.last else {
                tidy.append(part)
                continue
            }
            // One text for each language: `**` is `*`, and `*?` is `?*`.
            switch part {
            case .character: tidy.append(part)
            case .many(let after): tidy[tidy.count - 1] = .many(maybeSlash: before || after)
            case .one(let after):
                tidy[tidy.count - 1] = .one(maybeSlash: before || after)
                tidy.append(.many(maybeSlash: before || after))
            }
        }
        self.parts = tidy
    }

    /// A pattern that stands for one text.
    init(_ text: String) { self.init(text.unicodeScalars.map { .character($0) }) }

    var text: String {
        var text = ""
        for part in parts {
            switch part {
            case .character(let scalar): text.unicodeScalars.append(scalar)
            case .one: text += "?"
            case .many: text += "*"
            }
        }
        return text
    }

    /// Whether it stands for one text.
    var isText: Bool { parts.allSatisfy { if case .character = $0 { true } else { false } } }

    /// Whether a text that it stands for may have a slash.
    var mayHaveSlash: Bool { parts.contains(where: \.maybeSlash) }

    /// Whether everything that another pattern stands for is matched by this one too.
    ///
    /// Errs on the side of `false`.
    func covers(_ other: NamePattern) -> Bool {
        var (index, place) = (0, 0)
        // The places to retry from when what follows the last star doesn't match.
        var retry: (index: Int, place: Int)?
        while place < other.parts.count {
            if index < parts.count, case .many = parts[index] {
                retry = (index, place)
                index += 1
            } else if index < parts.count, parts[index].covers(other.parts[place]) {
                (index, place) = (index + 1, place + 1)
            } else if let last = retry, parts[last.index].maybeSlash || !other.parts[last.place].maybeSlash {
                retry = (last.index, last.place + 1)
                (index, place) = (last.index + 1, last.place + 1)
            } else {
                return false
            }
        }
        return parts[index...].allSatisfy { if case .many = $0 { true } else { false } }
    }
}

extension NamePattern.Part {
    var maybeSlash: Bool {
        switch self {
        case .character(let scalar): scalar == "/"
        case .one(let maybeSlash), .many(let maybeSlash): maybeSlash
        }
    }

    /// Whether a part of one character covers another part.
    fileprivate func covers(_ other: NamePattern.Part) -> Bool {
        switch (self, other) {
        case (.character(let scalar), .character(let other)): scalar == other
        case (.one(let maybeSlash), .character), (.one(let maybeSlash), .one): maybeSlash || !other.maybeSlash
        case (.character, _), (.one, .many), (.many, _): false
        }
    }
}
