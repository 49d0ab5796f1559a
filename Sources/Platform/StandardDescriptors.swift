internal import Glibc

/// Standard input, output and error as the parent process left them.
public enum StandardDescriptors {
    /// Opens the closed ones, so that no socket or file of this process gets the number and is written to as standard
    /// error.
    ///
    /// The replacement of an output can't be written, and that of the input can't be read, so a lost result is still an
    /// error. Call it before anything is opened.
    public static func occupyClosed() {
        for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)] {
            guard fcntl(descriptor, F_GETFD) == -1, errno == EBADF else { continue }
            // `open` takes the lowest free number, and all below are in use by now.
            _ = unsafe open("/dev/null", mode)
        }
    }
}
