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
