internal import Content

/// The body of a request: bytes, or a part of a blob as base64 between two pieces of text.
///
/// A part is encoded while it is hashed and again while it is sent; the whole base64 is never in memory.
public struct RequestBody: Sendable {
    private enum Kind: Sendable {
        case bytes([UInt8])
        case part(prefix: [UInt8], PartBuffer, suffix: [UInt8])
    }

    private let kind: Kind
    /// The length as sent, in bytes.
    public let count: Int

    /// The bytes that are encoded at a time while a body is hashed.
    private static let pieceSize = 64 << 10

    public init(_ bytes: [UInt8]) {
        kind = .bytes(bytes)
        count = bytes.count
    }

    /// - Parameter part: The part, which must not change until the request has ended.
    public init(prefix: [UInt8], base64Of part: PartBuffer, suffix: [UInt8]) {
        kind = .part(prefix: prefix, part, suffix: suffix)
        count = prefix.count + Base64.length(of: part.count) + suffix.count
    }

    public var isEmpty: Bool { count == 0 }

    /// Whether it is a part, which is encoded while it is sent.
    public var isPart: Bool { if case .part = kind { true } else { false } }

    /// The whole body; used for small bodies and in tests.
    public var bytes: [UInt8] {
        if case .bytes(let bytes) = kind { return bytes }
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { room, filled in
            filled = unsafe copy(from: 0, into: UnsafeMutableRawBufferPointer(room))
        }
    }

    /// The SHA-256 of the body as 64 lowercase hexadecimal characters.
    public var sha256Hex: String {
        var hasher = SHA256Hasher()
        if case .bytes(let bytes) = kind {
            hasher.update(bytes)
        } else {
            unsafe withUnsafeTemporaryAllocation(byteCount: Self.pieceSize, alignment: 16) { piece in
                var offset = 0
                while offset < count {
                    let copied = unsafe copy(from: offset, into: piece)
                    unsafe hasher.update(UnsafeRawBufferPointer(rebasing: piece[..<copied]))
                    offset += copied
                }
            }
        }
        return hexadecimal(hasher.finish())
    }

    /// Copies the bytes from `offset` on into `room`.
    ///
    /// - Returns: The number of bytes copied, less than the size of `room` only at the end.
    func copy(from offset: Int, into room: UnsafeMutableRawBufferPointer) -> Int {
        switch kind {
        case .bytes(let bytes): return unsafe Self.copy(bytes, from: offset, into: room)
        case .part(let prefix, let part, let suffix):
            var copied = 0
            if offset < prefix.count { copied += unsafe Self.copy(prefix, from: offset, into: room) }
            let encoded = Base64.length(of: part.count)
            let inPart = offset + copied - prefix.count
            if inPart < encoded {
                copied += unsafe Base64.copy(of: part.bytes, from: inPart, into: Self.rest(of: room, after: copied))
            }
            let inSuffix = offset + copied - prefix.count - encoded
            if inSuffix >= 0 {
                copied += unsafe Self.copy(suffix, from: inSuffix, into: Self.rest(of: room, after: copied))
            }
            return copied
        }
    }

    private static func rest(of room: UnsafeMutableRawBufferPointer, after count: Int) -> UnsafeMutableRawBufferPointer
    {
        unsafe UnsafeMutableRawBufferPointer(rebasing: room[count...])
    }

    private static func copy(
        _ bytes: [UInt8],
        from offset: Int,
        into room: UnsafeMutableRawBufferPointer
    ) -> Int {
        let count = min(room.count, bytes.count - offset)
        guard count > 0 else { return 0 }
        unsafe bytes.withUnsafeBytes { unsafe room.copyBytes(from: $0[offset..<offset + count]) }
        return count
    }
}
