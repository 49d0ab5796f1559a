internal import Glibc

/// Opens regular files only, in directories that other people or programs fill.
///
/// Opening a FIFO waits for its other end, reading a device may never end, and a symbolic link may lead to any file of
/// this machine.
public enum RegularFile {
    /// - Parameters:
    ///   - root: The directory that the file must be in once every symbolic link is followed; `nil` for anywhere.
    /// - Returns: A descriptor for reading; `nil` if there is no such file.
    /// - Throws: ``SystemError``, with its `problem` set where the path leads to anything but such a file.
    static func open(_ path: String, inside root: String?) throws(SystemError) -> CInt? {
        guard let resolved = try resolve(path, inside: root) else { return nil }
        // The type is checked before opening: opening a device may have effects.
        var facts = stat()
        guard unsafe lstat(resolved, &facts) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .last("stat", path)
        }
        try check(facts, path)
        // A file that replaces it now neither blocks nor leads elsewhere.
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

    /// Refuses a directory that a symbolic link leads out of `root`; one that doesn't exist yet passes.
    ///
    /// - Throws: ``SystemError``
    public static func checkDirectory(_ path: String, inside root: String) throws(SystemError) {
        _ = try resolve(path, inside: root)
    }

    /// The path without symbolic links; `nil` if there is nothing.
    private static func resolve(_ path: String, inside root: String?) throws(SystemError) -> String? {
        guard let resolved = real(path) else {
            let code = errno
            guard code == ENOENT || code == ENOTDIR else {
                throw SystemError(call: "open", path: path, code: code)
            }
            var facts = stat()
            guard unsafe lstat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFLNK else { return nil }
            throw SystemError(call: "open", path: path, code: code, problem: "is a symbolic link to nothing")
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
