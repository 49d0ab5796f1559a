/// The content address of a blob or manifest.
///
/// A `Digest` in hand is always well formed: ``init(parsing:)`` is the only way in from text, so nothing
/// downstream checks it again. ECR stores SHA-256 only, hence no `algorithm` property.
///
/// - Source: OCI image-spec 1.1, `descriptor.md#digests`
public struct Digest: Hashable, Sendable {
    /// 64 lowercase hexadecimal characters, without the `sha256:` prefix.
    public let hex: String

    /// - Throws: ``ReferenceError/malformedDigest(_:)``, carrying the text as given.
    public init(parsing text: String) throws(ReferenceError) {
        let hex = text.hasPrefix("sha256:") ? text.dropFirst(7) : ""
        guard hex.utf8.count == 64, hex.utf8.allSatisfy(isLowercaseHexadecimal) else {
            throw .malformedDigest(text)
        }
        self.hex = String(hex)
    }

    /// Hashes bytes in memory.
    public init(of bytes: some Sequence<UInt8>) {
        hex = sha256Hex(bytes)
    }

    /// - Parameter hash: The 32 bytes of a SHA-256.
    public init(hash: [UInt8]) {
        precondition(hash.count == 32)
        hex = hexadecimal(hash)
    }

    /// The digest of zero bytes, which ECR can't store as a blob (docs/facts/ecr-api.md#empty-blobs).
    public static let ofNothing = Digest(of: [UInt8]())

    /// The first twelve characters, for messages.
    public var short: String { String(hex.prefix(12)) }
}

extension Digest {
    /// Finds the digests in a text.
    ///
    /// Registries put them into sentences, lists and members of their own.
    ///
    /// - Parameter limit: The most digests to return, from the beginning of the text.
    public static func named(in text: [UInt8], atMost limit: Int = 1_000) -> Set<Digest> {
        let prefix = Array("sha256:".utf8)
        var found: Set<Digest> = []
        var position = 0
        while found.count < limit, let start = text[position...].firstIndex(of: prefix[0]) {
            position = start + 1
            let end = start + prefix.count + 64
            guard end <= text.count, text[start...].starts(with: prefix),
                end == text.count || !isLowercaseHexadecimal(text[end]),
                let digest = try? Digest(parsing: String(decoding: text[start..<end], as: UTF8.self))
            else { continue }
            found.insert(digest)
            position = end
        }
        return found
    }
}

extension Digest: CustomStringConvertible {
    public var description: String { "sha256:\(hex)" }
}

extension Digest: Comparable {
    public static func < (left: Digest, right: Digest) -> Bool { left.hex < right.hex }
}

extension Digest: Codable {
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        do {
            try self.init(parsing: text)
        } catch {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\(error)", underlyingError: error)
            )
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

func isLowercaseHexadecimal(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
    default: false
    }
}
