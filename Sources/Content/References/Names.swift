/// The number of an AWS account: twelve digits, kept as text because leading zeros count.
public struct AccountID: Hashable, Sendable, Codable, CustomStringConvertible {
    public let value: String

    /// - Throws: ``ReferenceError/malformedAccount(_:)``
    public init(parsing text: String) throws(ReferenceError) {
        guard text.utf8.count == 12, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { throw .malformedAccount(text) }
        value = text
    }

    /// Checks the text, because a remote may send anything.
    public init(from decoder: any Decoder) throws {
        self = try decoded(from: decoder) { text throws(ReferenceError) in try Self(parsing: text) }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }

    public var description: String { value }
}

/// The name of a repository, for example `team/app`.
///
/// - Limit: 2 to 256 characters.
/// - Source: docs/facts/ecr-api.md#fields; OCI distribution-spec 1.1 has the same pattern
public struct RepositoryName: Hashable, Sendable, Codable, CustomStringConvertible {
    public let value: String

    public static let lengths = 2...256

    /// The repository of an image layout; the name is never shown.
    public static let unnamed = RepositoryName(unchecked: "layout")

    private init(unchecked value: String) { self.value = value }

    /// - Throws: ``ReferenceError/malformedRepository(_:reason:)``
    public init(parsing text: String) throws(ReferenceError) {
        guard Self.lengths.contains(text.utf8.count) else {
            throw .malformedRepository(text, reason: "it must have 2 to 256 characters")
        }
        for component in text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard Self.isComponent(component) else {
                throw .malformedRepository(
                    text,
                    reason: "each part between slashes is lowercase letters and digits, joined by . _ __ or hyphens"
                )
            }
        }
        value = text
    }

    /// Checks the text, because a remote may send anything.
    public init(from decoder: any Decoder) throws {
        self = try decoded(from: decoder) { text throws(ReferenceError) in try Self(parsing: text) }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }

    public var description: String { value }

    /// Matches `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, one part between slashes.
    private static func isComponent(_ text: Substring.UTF8View.SubSequence) -> Bool {
        var separator: [UInt8] = []
        var sawLetter = false
        for byte in text {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                separator = []
                sawLetter = true
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                guard sawLetter, separator.allSatisfy({ $0 == byte }) else { return false }
                separator.append(byte)
                if byte == UInt8(ascii: "."), separator.count > 1 { return false }
                if byte == UInt8(ascii: "_"), separator.count > 2 { return false }
            default: return false
            }
        }
        return sawLetter && separator.isEmpty
    }
}

/// A name for one image in a repository.
///
/// A `Tag` follows ECR's grammar, the wider of the two in ``Grammar``; ``fits(_:)`` tells whether another registry
/// accepts it.
public struct Tag: Hashable, Sendable, Codable, CustomStringConvertible, Comparable {
    public let value: String

    /// The tags that a kind of registry allows.
    public enum Grammar: Sendable {
        /// 1 to 300 characters of `[a-zA-Z0-9_.-]`, in any order.
        ///
        /// - Source: docs/facts/ecr-api.md#fields for the length; google/go-containerregistry issue 704 for the
        ///   characters
        case ecr
        /// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
        ///
        /// - Source: OCI distribution-spec 1.1, "Pulling manifests"
        case distribution

        /// The longest tag, in characters.
        public var longest: Int { self == .ecr ? 300 : 128 }
    }

    /// - Throws: ``ReferenceError/malformedTag(_:reason:)``
    public init(parsing text: String, as grammar: Grammar = .ecr) throws(ReferenceError) {
        if let problem = Self.problem(with: text, in: grammar) { throw .malformedTag(text, reason: problem) }
        value = text
    }

    /// Whether a registry with this grammar accepts the tag.
    public func fits(_ grammar: Grammar) -> Bool { problem(in: grammar) == nil }

    /// The reason for which a registry with this grammar refuses the tag; `nil` if it accepts it.
    public func problem(in grammar: Grammar) -> String? { Self.problem(with: value, in: grammar) }

    private static func problem(with text: String, in grammar: Grammar) -> String? {
        let isAllowed = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isAllowed else {
            let allowed = "only letters, digits and _ . - are allowed"
            // Helm replaces the plus of a version with an underscore when it pushes and pulls (helm.sh, "Use OCI-based
            // registries").
            let helm = text.replacing("+", with: "_")
            return helm != text && problem(with: helm, in: grammar) == nil
                ? "\(allowed); Helm pushes this version as \(helm)" : allowed
        }
        let count = text.utf8.count
        guard (1...grammar.longest).contains(count) else {
            return "a tag has 1 to \(grammar.longest) characters; this has \(count)"
        }
        guard grammar == .ecr || !(text.hasPrefix(".") || text.hasPrefix("-")) else {
            return "a tag can't begin with . or -"
        }
        return nil
    }

    /// Checks the text, because a remote may send anything.
    public init(from decoder: any Decoder) throws {
        self = try decoded(from: decoder) { text throws(ReferenceError) in try Self(parsing: text) }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }

    public var description: String { value }
    public static func < (left: Tag, right: Tag) -> Bool { left.value < right.value }
}

/// The reason for which a text is not a valid name or reference.
public enum ReferenceError: Error, Equatable, Sendable {
    case malformedDigest(String)
    case malformedAccount(String)
    case malformedRepository(String, reason: String)
    case malformedTag(String, reason: String)
    /// The suggestion is the platform that was probably meant.
    case malformedPlatform(String, suggestion: String? = nil)
    case malformedReference(String, reason: String)
}

extension ReferenceError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .malformedDigest(let text):
            "'\(clipped(text))' is not a digest: write sha256: and 64 lowercase hexadecimal characters"
        case .malformedAccount(let text): "'\(clipped(text))' is not an AWS account: \(AccountID.advice(for: text))"
        case .malformedRepository(let text, let reason): "'\(clipped(text))' is not a repository name: \(reason)"
        case .malformedTag(let text, let reason): "'\(clipped(text))' is not a tag: \(reason)"
        case .malformedPlatform(let text, let suggestion?):
            "'\(clipped(text))' is not a platform. Did you mean '\(clipped(suggestion))'?"
        case .malformedPlatform(let text, nil):
            "'\(clipped(text))' is not a platform: write os/architecture or os/architecture/variant, such as "
                + "linux/arm64; a Windows build as windows/amd64:10.0.20348.2582"
        case .malformedReference(let text, let reason): "'\(clipped(text))' is not an image reference: \(reason)"
        }
    }
}

/// The beginning of a wrong text, for an error message.
func clipped(_ text: String) -> String { quotable(text, upTo: 200) }

/// Decodes a name from a JSON document.
///
/// - Throws: `DecodingError.dataCorrupted` with the ``ReferenceError``, which quotes a malformed name.
private func decoded<Name>(
    from decoder: any Decoder,
    _ parse: (String) throws(ReferenceError) -> Name
) throws -> Name {
    let text = try decoder.singleValueContainer().decode(String.self)
    do {
        return try parse(text)
    } catch {
        throw DecodingError.dataCorrupted(
            .init(codingPath: decoder.codingPath, debugDescription: "\(error)", underlyingError: error)
        )
    }
}
