internal import Glibc

/// Opens regular files only, for directories that other people or programs write to.
///
/// Opening a FIFO waits for a writer, reading a device may never end, and a symbolic link may lead to any file of this
/// machine.
public enum RegularFile {
    /// Opens a regular file for reading.
    ///
    /// - Parameter root: The directory that the file must be in after every symbolic link is followed; `nil` for
    ///   anywhere.
    /// - Returns: The descriptor; `nil` if there is no such file.
    /// - Throws: ``SystemError``, with its `problem` set if the file is of another kind or outside `root`.
    static func open(_ path: String, inside root: String?) throws(SystemError) -> CInt? {
        guard let resolved = try resolve(path, inside: root) else { return nil }
        // The type is checked before opening: opening a device may have effects.
        var facts = stat()
        guard unsafe lstat(resolved, &facts) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .last("stat", path)
        }
        try check(facts, path)
        // These flags keep a file that replaces it at this moment from blocking and from being a link.
        let descriptor = unsafe Glibc.open(resolved, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .last("open", path)
        }
        do throws(SystemError) {
            guard unsafe fstat(descriptor, &facts) == 0 else { throw SystemError.last("stat", path) }
            try check(facts, path)
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Checks that no symbolic link leads from `path` out of `root`; a directory that doesn't exist yet passes.
    ///
    /// - Throws: ``SystemError``
    public static func checkDirectory(_ path: String, inside root: String) throws(SystemError) {
        _ = try resolve(path, inside: root)
    }

    /// The path with every symbolic link followed; `nil` if it doesn't exist.
    private static func resolve(_ path: String, inside root: String?) throws(SystemError) -> String? {
        guard let resolved = real(path) else {
            let code = errno
            guard code == ENOENT || code == ENOTDIR else {
                throw SystemError(call: "open", path: path, code: code)
            }
            var facts = stat()
            guard unsafe lstat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFLNK else { return nil }
            throw SystemError(call: "open", path: path, code: code, problem: "is a symbolic link to a missing file")
        }
        guard let root else { return resolved }
        guard let container = real(root) else { throw .last("open", root) }
        guard resolved == container || resolved.hasPrefix(container == "/" ? "/" : container + "/") else {
            throw SystemError(
                call: "open",
                path: path,
                code: EXDEV,
                problem: "is outside \(root): a symbolic link leads to \(resolved)"
            )
        }
        return resolved
    }

    private static func real(_ path: String) -> String? {
        guard let text = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }

    private static func check(_ facts: stat, _ path: String) throws(SystemError) {
        let kind: String
        switch facts.st_mode & S_IFMT {
        case S_IFREG: return
        case S_IFDIR: kind = "a directory"
        case S_IFIFO: kind = "a FIFO"
        case S_IFSOCK: kind = "a socket"
        case S_IFCHR, S_IFBLK: kind = "a device"
        default: kind = "something else"
        }
        throw SystemError(call: "open", path: path, code: EINVAL, problem: "is \(kind), not a regular file")
    }
}

/// The kind of a file, after symbolic links are followed.
public enum FileKind: Sendable, Hashable {
    case regular, directory, pipe, socket, device

    /// Looks up the kind of the file at `path` without opening it: opening a pipe would wait.
    ///
    /// - Returns: `nil` if the file doesn't exist or is not accessible.
    public init?(at path: String) {
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else { return nil }
        switch facts.st_mode & S_IFMT {
        case S_IFREG: self = .regular
        case S_IFDIR: self = .directory
        case S_IFIFO: self = .pipe
        case S_IFSOCK: self = .socket
        default: self = .device
        }
    }
}

/// A named pipe that is read like a file, as a shell's `<(command)` makes one.
public enum PipeFile {
    /// Reads a pipe until its writers close it; doesn't wait for ever if there is no writer.
    ///
    /// - Parameters:
    ///   - limit: In bytes; more is an error (`EFBIG`).
    ///   - patience: The longest time without a byte, in milliseconds; then it is an error (`ETIMEDOUT`).
    /// - Throws: ``SystemError``
    public static func read(_ path: String, limit: Int, patience: Int32) throws(SystemError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .last("open", path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = retried { unsafe Int(poll(&wanted, 1, patience)) }
            guard ready >= 0 else { throw .last("poll", path) }
            guard ready > 0 else { throw SystemError(call: "read", path: path, code: ETIMEDOUT) }
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                retried { unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
            }
            if count < 0, errno == EAGAIN { continue }
            guard count >= 0 else { throw .last("read", path) }
            guard count > 0 else { return bytes }
            guard bytes.count + count <= limit else { throw SystemError(call: "read", path: path, code: EFBIG) }
            bytes += chunk[..<count]
        }
    }
}
