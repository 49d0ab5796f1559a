internal import Glibc

/// A file that is being written under a temporary name, so that no reader sees half of it.
///
/// If the process is killed, the temporary file stays until ``UnfinishedFile/removeIfAbandoned(_:)`` removes it.
public final class ArrivingFile {
    private let path: String
    private let temporary: String
    private var descriptor: Int32
    /// The bytes written so far.
    private var count = 0
    /// The bytes that the kernel was asked to write to the disk.
    private var flushed = 0

    /// The number of bytes after which the kernel is asked to write to the disk, so that the sync in ``commit()`` is
    /// short.
    private static let flushEvery = 8 << 20

    /// Creates the temporary file beside `path`, in a directory that exists.
    ///
    /// - Parameter mode: The permissions of the file; the umask is applied.
    /// - Throws: ``SystemError``
    public init(_ path: String, mode: UInt32 = 0o644) throws(SystemError) {
        self.path = path
        (descriptor, temporary) = try UnfinishedFile.begin(path, mode: mode)
    }

    /// Removes the temporary file, unless the file was committed.
    deinit { discard() }

    /// Appends all of `bytes`.
    ///
    /// - Throws: ``SystemError``
    public func append(_ bytes: [UInt8]) throws(SystemError) {
        let result = unsafe bytes.withUnsafeBytes { bytes in
            Result { () throws(SystemError) in try unsafe append(bytes) }
        }
        try result.get()
    }

    /// Appends all of `bytes`.
    ///
    /// - Throws: ``SystemError``
    public func append(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = retried { unsafe Glibc.write(descriptor, rest.baseAddress, rest.count) }
            guard count > 0 else { throw .last("write", temporary) }
            written += count
        }
        self.count += bytes.count
        guard count - flushed >= Self.flushEvery else { return }
        // Linux starts to write the pages that it is told are not needed. A failure shows at the commit.
        _ = posix_fadvise(descriptor, off_t(flushed), off_t(count - flushed), POSIX_FADV_DONTNEED)
        flushed = count
    }

    /// Gives the file its name, durably: a crash of the machine doesn't undo it.
    ///
    /// - Throws: ``SystemError``; the temporary file is removed then.
    public func commit() throws(SystemError) {
        guard fdatasync(descriptor) == 0 else {
            let error = SystemError.last("fsync", temporary)
            discard()
            throw error
        }
        guard unsafe rename(temporary, path) == 0 else {
            let error = SystemError.last("rename", path)
            discard()
            throw error
        }
        close(descriptor)
        descriptor = -1
        try DurableFile.syncDirectory(of: path)
    }

    /// Removes the temporary file; does nothing after ``commit()``.
    public func discard() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
        unsafe unlink(temporary)
    }
}

/// Temporary files named `NAME.RANDOM.new`, each locked while its process writes it.
///
/// The kernel releases the lock when the process ends, however it ends. The lock, and not the age of the file, therefore
/// shows whether a file is being written or was left by a process that was killed.
public enum UnfinishedFile {
    private static let ending = ".new"
    /// The most attempts to create a file that another process takes for abandoned before it is locked.
    private static let mostTries = 10

    /// Creates and locks a temporary file beside `path`, in a directory that exists.
    ///
    /// - Returns: Its descriptor, open for writing, and its temporary name.
    /// - Throws: ``SystemError``
    static func begin(
        _ path: String,
        mode: UInt32
    ) throws(SystemError) -> (descriptor: CInt, temporary: String) {
        for _ in 0..<mostTries {
            let temporary = "\(path).\(String(UInt64.random(in: .min ... .max), radix: 36))\(ending)"
            let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
            guard descriptor >= 0 else { throw .last("create", path) }
            // On a file system without locks, no other process can hold this one either.
            let isTaken = retried { Int(flock(descriptor, LOCK_EX | LOCK_NB)) } != 0 && errno == EWOULDBLOCK
            // Before it was locked, another process may have taken it for abandoned and removed it.
            if !isTaken, FileLock.isStill(descriptor, temporary) { return (descriptor, temporary) }
            close(descriptor)
            unsafe unlink(temporary)
        }
        throw SystemError(call: "flock", path: path, code: EWOULDBLOCK)
    }

    /// The final name of the file with this temporary name; `nil` if `name` is not a temporary name.
    public static func finalName(of name: String) -> String? {
        guard name.hasSuffix(ending) else { return nil }
        let parts = name.dropLast(ending.count).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count > 1, let random = parts.last, UInt64(random, radix: 36) != nil else { return nil }
        return parts.dropLast().joined(separator: ".")
    }

    /// Removes a temporary file that no process is writing.
    ///
    /// - Returns: Whether it was removed.
    @discardableResult
    public static func removeIfAbandoned(_ path: String) -> Bool {
        let descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // If the file was committed meanwhile, nothing has this name any more, and `unlink` fails.
        return unsafe flock(descriptor, LOCK_EX | LOCK_NB) == 0 && unlink(path) == 0
    }
}
