internal import COpenSSL

/// Owns an object of OpenSSL's and releases it once.
///
/// OpenSSL 3 lets several threads read one key, certificate or list at a time; nothing here changes an object after it
/// was made.
///
/// - Source: OpenSSL 3.0 openssl-threads(7)
@safe final class OpenSSLObject: @unchecked Sendable {
    let pointer: OpaquePointer
    private let release: @convention(c) (OpaquePointer?) -> Void

    init(owning pointer: OpaquePointer, _ release: @escaping @convention(c) (OpaquePointer?) -> Void) {
        unsafe self.pointer = pointer
        unsafe self.release = release
    }

    deinit { unsafe release(pointer) }
}

/// Removes what a failed call left in this thread's error queue.
///
/// TLS connections on the same thread would read it as an error of theirs (OpenSSL 3.0 SSL_get_error(3)).
func clearOpenSSLErrors() { ERR_clear_error() }

/// Reads an object from DER that has no bytes left over.
///
/// - Parameter read: One of OpenSSL's `d2i` functions; it moves the pointer forward.
/// - Returns: `nil` if the bytes are something else.
func objectFromDER(
    _ der: [UInt8],
    _ release: @escaping @convention(c) (OpaquePointer?) -> Void,
    _ read: (UnsafeMutablePointer<UnsafePointer<UInt8>?>, Int) -> OpaquePointer?
) -> OpenSSLObject? {
    defer { clearOpenSSLErrors() }
    return unsafe der.withUnsafeBufferPointer { bytes in
        guard let start = bytes.baseAddress else { return nil }
        var position: UnsafePointer<UInt8>? = unsafe start
        guard let pointer = unsafe read(&position, bytes.count) else { return nil }
        let object = unsafe OpenSSLObject(owning: pointer, release)
        return unsafe position == start + bytes.count ? object : nil
    }
}

/// Writes DER with one of OpenSSL's `i2d` functions.
///
/// - Returns: `nil` if OpenSSL can't write the object.
func derFromObject(_ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> CInt) -> [UInt8]? {
    defer { clearOpenSSLErrors() }
    let size = write(nil)
    guard size > 0 else { return nil }
    var written: CInt = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
        var position = buffer.baseAddress
        written = unsafe write(&position)
        count = Int(max(0, min(written, size)))
    }
    return written == size ? bytes : nil
}
