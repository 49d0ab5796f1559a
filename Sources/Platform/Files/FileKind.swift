internal import Glibc

/// What is found at a path, symbolic links followed.
public enum FileKind: Sendable, Hashable {
    case regular, directory, pipe, socket, device

    /// Nothing is opened, so that no pipe is waited for.
    ///
    /// - Returns: `nil` where nothing is found, or the path may not be followed.
    public init?(at path: String) {
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else { return nil }
        switch facts.st_mode & S_IFMT {
        case S_IFREG: self = .regular
        case S_IFDIR: self = .directory
        case S_IFIFO: self = .pipe
        case S_IFSOCK: self = .socket
        default: self = .device
        }
    }
}
