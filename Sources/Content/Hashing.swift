internal import COpenSSL

/// A SHA-256 computation in progress, owning its OpenSSL context.
///
/// Noncopyable, so the context has one owner and is freed exactly once; ``finish()`` consumes the value, so no
/// byte can be added after the end.
@safe public struct SHA256Hasher: ~Copyable, @unchecked Sendable {
    private let context: OpaquePointer

    public init() {
        // The algorithm is fetched once: OpenSSL 3 otherwise looks it up by name for every context.
        guard let context = unsafe EVP_MD_CTX_new(),
            unsafe EVP_DigestInit_ex(context, sha256, nil) == 1
        else { fatalError("OpenSSL offers no SHA-256; is this a FIPS build without its provider?") }
        unsafe self.context = context
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        unsafe must(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count))
    }

    public mutating func update(_ bytes: some Sequence<UInt8>) {
        let contiguous = Array(bytes)
        unsafe contiguous.withUnsafeBytes { unsafe must(EVP_DigestUpdate(context, $0.baseAddress, $0.count)) }
    }

    /// The 32 bytes of the hash.
    public consuming func finish() -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            var written: UInt32 = 0
            unsafe must(EVP_DigestFinal_ex(context, buffer.baseAddress, &written))
            count = Int(written)
        }
    }

    /// The hash as a content address.
    public consuming func finishDigest() -> Digest { Digest(hash: finish()) }
}

/// HMAC with SHA-256, as SigV4 needs it.
///
/// - Returns: 32 bytes.
public func hmacSHA256(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: 32) { output, count in
        var written: UInt32 = 0
        let result = unsafe key.withUnsafeBytes { key in
            unsafe message.withUnsafeBytes { message in
                unsafe HMAC(
                    sha256,
                    key.baseAddress,
                    CInt(key.count),
                    message.bindMemory(to: UInt8.self).baseAddress,
                    message.count,
                    output.baseAddress,
                    &written
                )
            }
        }
        precondition(unsafe result != nil, "OpenSSL refused to compute an HMAC")
        count = Int(written)
    }
}

/// SHA-256 of bytes already in memory, as 64 lowercase hexadecimal characters.
public func sha256Hex(_ bytes: some Sequence<UInt8>) -> String {
    var hasher = SHA256Hasher()
    hasher.update(bytes)
    return hexadecimal(hasher.finish())
}

/// SHA-1 as 40 lowercase hexadecimal characters, only for the names of the AWS CLI's cache files: it is not secure.
public func sha1Hex(_ bytes: some Sequence<UInt8>) -> String {
    let message = Array(bytes)
    let hash = unsafe [UInt8](unsafeUninitializedCapacity: 20) { output, count in
        unsafe must(EVP_Digest(message, message.count, output.baseAddress, nil, EVP_sha1(), nil))
        count = 20
    }
    return hexadecimal(hash)
}

/// Writes `bytes` as lowercase hexadecimal text.
public func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}

private nonisolated(unsafe) let sha256: OpaquePointer? = unsafe EVP_MD_fetch(nil, "SHA256", nil)

/// OpenSSL answers 1 for success; these calls fail only on a broken context.
private func must(_ status: CInt) {
    precondition(status == 1, "OpenSSL refused to hash")
}
