internal import Glibc

/// An open file that is appended to, or read at an offset.
///
/// FoundationEssentials can only read and write whole files, and a layer may have 50 GB.
public final class ByteFile: Sendable {
    /// A failed call on the file.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public let path: String
        /// The system's `errno`.
        public let code: Int32
        public var description: String { "\(path): system error \(code)" }
    }

    public let path: String
    private let descriptor: Int32

    /// Opens an existing file for reading.
    ///
    /// - Throws: ``Failure``
    public init(reading path: String) throws(Failure) {
        self.path = path
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(path: path, code: errno) }
    }

    /// Opens a file for reading, if it is a regular file: reading anything else may block or never end.
    ///
    /// - Parameter root: The directory that the file must be in; `nil` for anywhere.
    /// - Returns: `nil` if there is no such file.
    /// - Throws: ``SystemError``
    public init?(regular path: String, inside root: String? = nil) throws(SystemError) {
        guard let opened = try RegularFile.open(path, inside: root) else { return nil }
        self.path = path
        descriptor = opened
    }

    /// Opens a file to append to, and creates it with mode 0600 if it is missing.
    ///
    /// - Throws: ``Failure``
    public init(appending path: String) throws(Failure) {
        self.path = path
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(path: path, code: errno) }
    }

    deinit { close(descriptor) }

    /// The current size of the file, in bytes.
    public var size: Int64 {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Appends all of `bytes`.
    ///
    /// - Throws: ``Failure``; some of the bytes may have been written then.
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

    /// Reads bytes from `offset` on into `room`.
    ///
    /// - Returns: The number of bytes read, less than the size of `room` near the end of the file, and 0 after it.
    /// - Throws: ``Failure``
    public func read(at offset: Int64, into room: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
        let count = unsafe pread(descriptor, room.baseAddress, room.count, off_t(offset))
        guard count >= 0 else { throw Failure(path: path, code: errno) }
        return count
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

/// A part of a file that is open for reading: all of it, or one member of an archive.
public struct FileRegion: Sendable {
    public let file: ByteFile
    /// The offset of the region's first byte in the file.
    public let offset: Int64
    /// The length of the region.
    public let byteCount: Int64

    public init(_ file: ByteFile, offset: Int64, byteCount: Int64) {
        (self.file, self.offset, self.byteCount) = (file, offset, byteCount)
    }

    /// Creates a region of the whole file, with its current size.
    public init(allOf file: ByteFile) { self.init(file, offset: 0, byteCount: file.size) }

    /// Reads up to `count` bytes from `position` in the region; fewer near its end, none after it.
    ///
    /// - Throws: ``ByteFile/Failure``
    public func read(at position: Int64, count: Int) throws(ByteFile.Failure) -> [UInt8] {
        let wanted = min(Int64(count), byteCount - position)
        guard wanted > 0, position >= 0 else { return [] }
        return try file.read(at: offset + position, count: Int(wanted))
    }

    /// Reads bytes from `position` in the region on into `room`.
    ///
    /// - Returns: The number of bytes read, less than the size of `room` near the end of the region, and 0 after it.
    /// - Throws: ``ByteFile/Failure``
    public func read(at position: Int64, into room: UnsafeMutableRawBufferPointer) throws(ByteFile.Failure) -> Int {
        let wanted = min(Int64(room.count), byteCount - position)
        guard wanted > 0, position >= 0 else { return 0 }
        return try unsafe file.read(
            at: offset + position,
            into: UnsafeMutableRawBufferPointer(rebasing: room[..<Int(wanted)])
        )
    }

    /// Reads the whole region, if it is small.
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
                throw SystemError(
                    call: "read",
                    path: file.path,
                    code: EIO,
                    problem: "became shorter while it was read"
                )
            }
            bytes += chunk
        }
        return bytes
    }
}
