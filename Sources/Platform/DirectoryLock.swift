internal import Glibc

/// A directory held for oneself, against other processes and against others in this one.
///
/// It is advice: only those who ask for it mind it. The kernel lets go when the process ends, however it ends, and
/// nothing is left in the directory.
///
/// - Source: flock(2)
public final class DirectoryLock: Sendable {
    private let descriptor: CInt

    /// - Returns: `nil` if somebody else holds it now.
    /// - Throws: ``SystemError``
    public init?(trying path: String) throws(SystemError) {
        descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("open", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let error = SystemError.last("flock", path)
            guard error.code == EWOULDBLOCK || error.code == EINTR else { throw error }
            return nil
        }
    }

    /// Lets go.
    deinit { if descriptor >= 0 { close(descriptor) } }
}
