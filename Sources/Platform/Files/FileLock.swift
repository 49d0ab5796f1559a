internal import Glibc

/// A lock between processes, held on a file.
///
/// It is held as long as the object lives. The kernel releases it when the process ends, however it ends.
public final class FileLock: Sendable {
    public let path: String
    private let descriptor: CInt

    /// The most attempts to open a lock file that its last holder removes at the same time.
    private static let mostTries = 10

    /// Takes the lock if it is free; never waits.
    ///
    /// - Returns: `nil` if another process, or another object of this process, holds the lock.
    /// - Throws: ``SystemError`` if the file can't be opened or locked.
    public init?(path: String) throws(SystemError) {
        for _ in 0..<Self.mostTries {
            let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
            guard descriptor >= 0 else { throw .last("open", path) }
            guard retried({ Int(flock(descriptor, LOCK_EX | LOCK_NB)) }) == 0 else {
                let failure = SystemError.last("flock", path)
                close(descriptor)
                if failure.code == EWOULDBLOCK { return nil }
                throw failure
            }
            // The last holder may have removed the file between opening and locking. A lock on a removed file has no
            // effect.
            if Self.isStill(descriptor, path) {
                self.path = path
                self.descriptor = descriptor
                return
            }
            close(descriptor)
        }
        return nil
    }

    deinit {
        // A child that is just being started has the descriptor too, until its program begins.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Removes the file while the lock is held; the lock itself ends with the object.
    public func remove() { unsafe unlink(path) }

    /// Whether `path` is still the path of the open file.
    static func isStill(_ descriptor: CInt, _ path: String) -> Bool {
        var held = stat()
        var named = stat()
        return unsafe fstat(descriptor, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino
            && held.st_dev == named.st_dev
    }
}
