internal import Glibc

/// Standard input, output and error, as whoever started this process left them.
public enum StandardDescriptors {
    /// Occupies those that are closed, so that no socket or file of ours gets the number and is written to as if it
    /// were standard error.
    ///
    /// What takes the place of an output can't be written, and of the input can't be read: a result that nobody gets
    /// is still an error. To be called before anything is opened.
    public static func occupyClosed() {
        for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)] {
            guard fcntl(descriptor, F_GETFD) == -1, errno == EBADF else { continue }
            // The lowest free number is taken, and those below are all in use by now.
            _ = unsafe open("/dev/null", mode)
        }
    }
}
