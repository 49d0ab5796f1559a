internal import Glibc

/// A part of a file that is open for reading: the whole file, or one member of an archive.
public struct FileRegion: Sendable {
    public let file: ByteFile
    /// Where the region begins in the file, in bytes.
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

    /// Reads the whole region, for small ones.
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
