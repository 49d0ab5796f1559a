internal import Glibc

/// Standard input, output and error as the parent process left them.
public enum StandardDescriptors {
    /// Opens `/dev/null` for each one that is closed, so that no socket or file of this process gets its number and is
    /// written to as standard error.
    ///
    /// An output replaced in this way can't be written, and an input can't be read, so a lost result is still an error.
    /// Call it before anything else is opened.
    public static func occupyClosed() {
        for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)] {
            guard fcntl(descriptor, F_GETFD) == -1, errno == EBADF else { continue }
            // `open` uses the lowest free number, and all lower numbers are in use by now.
            _ = unsafe open("/dev/null", mode)
        }
    }
}
