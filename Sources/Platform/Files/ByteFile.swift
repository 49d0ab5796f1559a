internal import Glibc

/// A file of bytes that is appended to, or read at an offset.
///
/// It exists because FoundationEssentials can only read and write files whole, and a layer may have 50 GB.
public final class ByteFile: Sendable {
    /// Why a file couldn't be used: the path, and what the system said.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public let path: String
        /// The system's `errno`.
        public let code: Int32
        public var description: String { "\(path): system error \(code)" }
    }

    public let path: String
    private let descriptor: Int32

    /// Opens a file that is there, for reading.
    ///
    /// - Throws: ``Failure``
    public init(reading path: String) throws(Failure) {
        self.path = path
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(path: path, code: errno) }
    }

    /// Opens a regular file for reading, and nothing that would block or never end.
    ///
    /// - Parameter root: Also refuses a file outside this directory.
    /// - Returns: `nil` if there is none.
    /// - Throws: ``SystemError``
    public init?(regular path: String, inside root: String? = nil) throws(SystemError) {
        guard let opened = try RegularFile.open(path, inside: root) else { return nil }
        self.path = path
        descriptor = opened
    }

    /// Opens a file to append to, and makes it where it is missing, for the owner alone.
    ///
    /// - Throws: ``Failure``
    public init(appending path: String) throws(Failure) {
        self.path = path
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(path: path, code: errno) }
    }

    deinit { close(descriptor) }

    /// In bytes, now.
    public var size: Int64 {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Writes all of `bytes` at the end.
    ///
    /// - Throws: ``Failure``, after which some of them may be there.
    public func append(_ bytes: some Collection<UInt8>) throws(Failure) {
        let failure = bytes.withContiguousStorageIfAvailable { unsafe write($0) } ?? writeCopy(Array(bytes))
        if failure != 0 { throw Failure(path: path, code: failure) }
    }

    /// Reads up to `count` bytes from `offset`; fewer near the end, none after it.
    ///
    /// - Throws: ``Failure``
    public func read(at offset: Int64, count: Int) throws(Failure) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let got = unsafe pread(descriptor, buffer.baseAddress, count, off_t(offset))
            if got < 0 { failure = errno }
            filled = max(got, 0)
        }
        if failure != 0 { throw Failure(path: path, code: failure) }
        return bytes
    }

    private func writeCopy(_ bytes: [UInt8]) -> Int32 {
        unsafe bytes.withUnsafeBufferPointer { unsafe write($0) }
    }

    /// - Returns: 0, or the `errno` of the write that failed.
    private func write(_ bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
        var written = 0
        while written < bytes.count {
            let count = unsafe Glibc.write(descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written)
            if count < 0 {
                guard errno == EINTR else { return errno }
                continue
            }
            written += count
        }
        return 0
    }
}

/// A stretch of a file that is open for reading: a whole file, or one member of an archive.
public struct FileRegion: Sendable {
    public let file: ByteFile
    /// Of its first byte in the file.
    public let offset: Int64
    /// In bytes.
    public let byteCount: Int64

    public init(_ file: ByteFile, offset: Int64, byteCount: Int64) {
        (self.file, self.offset, self.byteCount) = (file, offset, byteCount)
    }

    /// All of a file, as long as it is now.
    public init(allOf file: ByteFile) { self.init(file, offset: 0, byteCount: file.size) }

    /// Reads up to `count` bytes from `position` in the region; fewer near its end, none after it.
    ///
    /// - Throws: ``ByteFile/Failure``
    public func read(at position: Int64, count: Int) throws(ByteFile.Failure) -> [UInt8] {
        let wanted = min(Int64(count), byteCount - position)
        guard wanted > 0, position >= 0 else { return [] }
        return try file.read(at: offset + position, count: Int(wanted))
    }

    /// All of it, for small ones.
    ///
    /// - Parameter limit: In bytes; a longer region is an error (`EFBIG`), so that no file can fill the memory.
    /// - Throws: ``SystemError``
    public func readAll(limit: Int) throws(SystemError) -> [UInt8] {
        guard byteCount <= Int64(limit) else { throw SystemError(call: "read", path: file.path, code: EFBIG) }
        var bytes: [UInt8] = []
        while Int64(bytes.count) < byteCount {
            let chunk: [UInt8]
            do {
                chunk = try read(at: Int64(bytes.count), count: min(1 << 20, Int(byteCount) - bytes.count))
            } catch {
                throw SystemError(call: "read", path: error.path, code: error.code)
            }
            guard !chunk.isEmpty else {
                throw SystemError(call: "read", path: file.path, code: EIO, problem: "ended before its end")
            }
            bytes += chunk
        }
        return bytes
    }
}
