internal import COpenSSL

/// One block of a PEM file: the label between the dashes, and the decoded bytes.
///
/// - Source: RFC 7468
package struct PEMBlock: Sendable, Hashable {
    /// The label, such as `PUBLIC KEY`.
    package var label: String
    package var der: [UInt8]
    /// Whether headers before the bytes say that they are encrypted, as in OpenSSL's older private keys.
    package var isEncrypted: Bool

    /// The most blocks that are read from one text.
    package static let mostBlocks = 1_000

    /// Reads all blocks of a text, in order; what is not a block is skipped.
    package static func blocks(in text: [UInt8]) -> [PEMBlock] {
        defer { clearOpenSSLErrors() }
        guard !text.isEmpty, text.count <= Int(CInt.max) else { return [] }
        return unsafe text.withUnsafeBytes { bytes in
            guard let memory = unsafe BIO_new_mem_buf(bytes.baseAddress, CInt(bytes.count)) else { return [] }
            defer { unsafe _ = BIO_free(memory) }
            var blocks: [PEMBlock] = []
            while blocks.count < mostBlocks, let block = unsafe next(from: memory) { blocks.append(block) }
            return blocks
        }
    }

    private static func next(from memory: OpaquePointer) -> PEMBlock? {
        var name: UnsafeMutablePointer<CChar>?
        var header: UnsafeMutablePointer<CChar>?
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        guard unsafe PEM_read_bio(memory, &name, &header, &bytes, &count) == 1 else { return nil }
        defer {
            unsafe CRYPTO_free(name, nil, 0)
            unsafe CRYPTO_free(header, nil, 0)
            // The bytes may be a private key.
            unsafe CRYPTO_clear_free(bytes, count, nil, 0)
        }
        guard let name = unsafe name, let bytes = unsafe bytes else { return nil }
        let headers = unsafe header.map { unsafe String(cString: $0) } ?? ""
        return unsafe PEMBlock(
            label: String(cString: name),
            der: [UInt8](UnsafeBufferPointer(start: bytes, count: count)),
            isEncrypted: headers.contains("ENCRYPTED")
        )
    }

    /// Writes a block, with lines of 64 characters.
    package static func text(label: String, der: [UInt8]) -> String {
        var lines = ["-----BEGIN \(label)-----"]
        for start in stride(from: 0, to: der.count, by: 48) {
            let piece = Array(der[start..<min(start + 48, der.count)])
            let line = unsafe [UInt8](unsafeUninitializedCapacity: 65) { room, count in
                count = unsafe Int(EVP_EncodeBlock(room.baseAddress, piece, CInt(piece.count)))
            }
            lines.append(String(decoding: line, as: UTF8.self))
        }
        return (lines + ["-----END \(label)-----", ""]).joined(separator: "\n")
    }
}
