internal import Glibc

/// Files that haven't got their name yet: `NAME.RANDOM.new`, and a lock on it while somebody writes.
///
/// The kernel lets go of the lock when the writer ends, however it ends. That tells what is being written from what
/// one that was killed has left; the age of a file doesn't.
public enum UnfinishedFile {
    private static let ending = ".new"
    /// How often a file that others took for an abandoned one is begun anew; they look at it for microseconds.
    private static let mostTries = 10

    /// Begins a file beside `path`, in a directory that is there.
    ///
    /// - Returns: It, open for writing, and its name until it is whole.
    /// - Throws: ``SystemError``
    static func begin(
        _ path: String,
        mode: UInt32
    ) throws(SystemError) -> (descriptor: CInt, temporary: String) {
        for _ in 0..<mostTries {
            let temporary = "\(path).\(String(UInt64.random(in: .min ... .max), radix: 36))\(ending)"
            let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
            guard descriptor >= 0 else { throw .last("create", path) }
            // Where files have no locks, nobody can have this one either.
            let isTaken = retried { Int(flock(descriptor, LOCK_EX | LOCK_NB)) } != 0 && errno == EWOULDBLOCK
            // Before it was locked, another may have taken it for an abandoned one.
            if !isTaken, FileLock.isStill(descriptor, temporary) { return (descriptor, temporary) }
            close(descriptor)
            unsafe unlink(temporary)
        }
        throw SystemError(call: "flock", path: path, code: EWOULDBLOCK)
    }

    /// What a file is to be called when it is whole; `nil` if `name` is that of none that isn't.
    public static func finalName(of name: String) -> String? {
        guard name.hasSuffix(ending) else { return nil }
        let parts = name.dropLast(ending.count).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count > 1, let random = parts.last, UInt64(random, radix: 36) != nil else { return nil }
        return parts.dropLast().joined(separator: ".")
    }

    /// Removes such a file if nobody is writing it.
    ///
    /// - Returns: Whether it was removed.
    @discardableResult
    public static func removeIfAbandoned(_ path: String) -> Bool {
        let descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // If it has got its name meanwhile, none is left under this one.
        return unsafe flock(descriptor, LOCK_EX | LOCK_NB) == 0 && unlink(path) == 0
    }
}
