internal import Glibc

/// A file that is being written: it has a temporary name until it is whole, so that no reader finds half of it.
///
/// After its writer was killed the file stays until ``UnfinishedFile`` removes it.
public final class ArrivingFile {
    private let path: String
    private let temporary: String
    private var descriptor: Int32
    /// In bytes: what was written, and how much of that the kernel was asked to flush.
    private var count = 0
    private var flushed = 0

    /// The kernel is asked to flush after this many bytes, so that the sync in ``commit()`` is short: a driver moves
    /// nothing else meanwhile.
    private static let flushEvery = 8 << 20

    /// Begins a file that will be `path`, in a directory that is there, for the owner alone unless `mode` says more.
    ///
    /// - Throws: ``SystemError``
    public init(_ path: String, mode: UInt32 = 0o644) throws(SystemError) {
        self.path = path
        (descriptor, temporary) = try UnfinishedFile.begin(path, mode: mode)
    }

    /// Leaves nothing behind, unless it was committed.
    deinit { discard() }

    /// Writes all of `bytes` at the end.
    ///
    /// - Throws: ``SystemError``
    public func append(_ bytes: [UInt8]) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes[written...].withUnsafeBytes { rest in
                retried { unsafe Glibc.write(descriptor, rest.baseAddress, rest.count) }
            }
            guard count > 0 else { throw .last("write", temporary) }
            written += count
        }
        self.count += bytes.count
        guard count - flushed >= Self.flushEvery else { return }
        // Linux starts writing pages that it is told are not needed. The commit reports what goes wrong.
        _ = posix_fadvise(descriptor, off_t(flushed), off_t(count - flushed), POSIX_FADV_DONTNEED)
        flushed = count
    }

    /// Gives the file its name, durably: a crash of the machine doesn't undo it.
    ///
    /// - Throws: ``SystemError``; then nothing is left behind.
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

    /// Gives up; nothing is left behind.
    public func discard() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
        unsafe unlink(temporary)
    }
}

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
