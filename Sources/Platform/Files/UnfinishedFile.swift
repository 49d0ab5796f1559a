internal import Glibc

/// Files that don't have their final name yet: `NAME.RANDOM.new`, locked by their writer.
///
/// The kernel releases the lock when the writer ends, however it ends. So the lock tells a file that is being written
/// from one that a killed writer left; its age does not.
public enum UnfinishedFile {
    private static let ending = ".new"
    /// The most attempts at a file that another process took for an abandoned one, which it checks within microseconds.
    private static let mostTries = 10

    /// Begins a file beside `path`, in a directory that is there.
    ///
    /// - Returns: The file, open for writing, and its temporary name.
    /// - Throws: ``SystemError``
    static func begin(
        _ path: String,
        mode: UInt32
    ) throws(SystemError) -> (descriptor: CInt, temporary: String) {
        for _ in 0..<mostTries {
            let temporary = "\(path).\(String(UInt64.random(in: .min ... .max), radix: 36))\(ending)"
            let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
            guard descriptor >= 0 else { throw .last("create", path) }
            // Where the file system has no locks, no other process holds one.
            let isTaken = retried { Int(flock(descriptor, LOCK_EX | LOCK_NB)) } != 0 && errno == EWOULDBLOCK
            // Before the lock, another process may have removed it as abandoned.
            if !isTaken, FileLock.isStill(descriptor, temporary) { return (descriptor, temporary) }
            close(descriptor)
            unsafe unlink(temporary)
        }
        throw SystemError(call: "flock", path: path, code: EWOULDBLOCK)
    }

    /// The final name of an unfinished file; `nil` if `name` is not that of an unfinished file.
    public static func finalName(of name: String) -> String? {
        guard name.hasSuffix(ending) else { return nil }
        let parts = name.dropLast(ending.count).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count > 1, let random = parts.last, UInt64(random, radix: 36) != nil else { return nil }
        return parts.dropLast().joined(separator: ".")
    }

    /// Removes an unfinished file unless a process is writing it.
    ///
    /// - Returns: Whether it was removed.
    @discardableResult
    public static func removeIfAbandoned(_ path: String) -> Bool {
        let descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // A file that got its final name meanwhile is no longer found under this one.
        return unsafe flock(descriptor, LOCK_EX | LOCK_NB) == 0 && unlink(path) == 0
    }
}
