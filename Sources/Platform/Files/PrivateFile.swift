internal import Glibc

/// Reads files with secrets, which only their owner may be able to read.
public enum PrivateFile {
    /// Reads a regular file whose mode gives nothing to group and others.
    ///
    /// A symbolic link is followed: mounted secrets are links. The mode is that of the file which is read.
    ///
    /// - Parameter limit: The most bytes; a larger file is an error.
    /// - Throws: ``SystemError``, with its `problem` set for a file of another kind, that others may use, or that is too
    ///   large.
    public static func read(_ path: String, upTo limit: Int) throws(SystemError) -> [UInt8] {
        // A FIFO must not block, and opening a terminal must not make it the process's own.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw .last("open", path) }
        defer { close(descriptor) }
        var facts = stat()
        guard unsafe fstat(descriptor, &facts) == 0 else { throw .last("stat", path) }
        guard facts.st_mode & S_IFMT == S_IFREG else {
            throw SystemError(call: "open", path: path, code: EINVAL, problem: "is not a regular file")
        }
        let mode = facts.st_mode & 0o777
        guard mode & 0o077 == 0 else {
            let digits = String(mode, radix: 8)
            throw SystemError(
                call: "open",
                path: path,
                code: EPERM,
                problem: "may be used by other users of this machine (mode 0\(digits))"
            )
        }
        guard facts.st_size <= limit else {
            throw SystemError(
                call: "read",
                path: path,
                code: EFBIG,
                problem: "has \(facts.st_size) bytes, more than the \(limit) allowed"
            )
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while bytes.count <= limit {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .last("read", path) }
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
        }
        throw SystemError(call: "read", path: path, code: EFBIG, problem: "has more than the \(limit) bytes allowed")
    }
}
