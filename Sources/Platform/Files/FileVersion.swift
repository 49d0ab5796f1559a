internal import Glibc

/// An open file that can tell whether the file at its path has changed since.
///
/// The file stays open, so that no other file gets its inode number and a replacement is never mistaken for it. A
/// change in place is noticed by size and modification time, which has the resolution of the kernel's clock (1 to
/// 10 ms).
public final class FileVersion: Sendable {
    public let path: String
    private let descriptor: CInt
    private let facts: Facts

    private struct Facts: Equatable {
        var device: UInt64
        var number: UInt64
        var size: Int64
        var seconds: Int
        var nanoseconds: Int

        init(_ status: stat) {
            device = UInt64(status.st_dev)
            number = UInt64(status.st_ino)
            size = Int64(status.st_size)
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
        }
    }

    /// Opens a file for reading.
    ///
    /// - Parameter root: If given, the file must be a regular file inside this directory.
    /// - Returns: `nil` if there is no such file.
    /// - Throws: ``SystemError``
    public init?(of path: String, inside root: String? = nil) throws(SystemError) {
        let descriptor: CInt
        if let root {
            guard let opened = try RegularFile.open(path, inside: root) else { return nil }
            descriptor = opened
        } else {
            descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                if errno == ENOENT || errno == ENOTDIR { return nil }
                throw .last("open", path)
            }
        }
        // Taken before a byte is read, so that any later change makes it another version.
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            let error = SystemError.last("stat", path)
            close(descriptor)
            throw error
        }
        self.path = path
        self.descriptor = descriptor
        facts = Facts(status)
    }

    deinit { close(descriptor) }

    /// Whether the file at the path is still the same, unchanged.
    public var isCurrent: Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && Facts(status) == facts
    }

    /// Reads the whole file; can be called once.
    ///
    /// - Parameter limit: In bytes; a longer file is an error (`EFBIG`), so that no file can fill the memory.
    /// - Throws: ``SystemError``
    public func read(limit: Int) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                retried { unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
            }
            guard count >= 0 else { throw .last("read", path) }
            guard count > 0 else { return bytes }
            guard bytes.count + count <= limit else { throw SystemError(call: "read", path: path, code: EFBIG) }
            bytes += chunk[..<count]
        }
    }
}
