internal import Glibc

/// Small files that are complete or absent, even after a power failure.
///
/// The files may name accounts and uploads, so only their owner may read them and the directories made for them.
public enum DurableFile {
    /// Replaces the file at `path` with `bytes`, or leaves the old one as it was.
    ///
    /// When this returns, a crash of the machine doesn't undo it: the new file is synced before it gets its name, and
    /// the directory afterwards. If two processes write at once, both succeed and the later file stays.
    ///
    /// - Parameter mode: The permissions of the file; the umask is not applied.
    /// - Throws: ``SystemError``; the temporary file is removed then.
    public static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o600) throws(SystemError) {
        let (descriptor, temporary) = try UnfinishedFile.begin(path, mode: 0o600)
        // A second descriptor holds the lock until the file has its name.
        let lockHolder = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        defer { close(lockHolder) }
        do throws(SystemError) {
            try fill(descriptor, with: bytes, mode: mode, path)
            guard unsafe rename(temporary, path) == 0 else { throw SystemError.last("rename", path) }
        } catch {
            unsafe unlink(temporary)
            throw error
        }
        try syncDirectory(of: path)
    }

    /// The permissions of the file at `path`; `nil` if it is missing, not a regular file, or not accessible.
    public static func mode(of path: String) -> UInt32? {
        var facts = stat()
        return unsafe lstat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG ? facts.st_mode & 0o777 : nil
    }

    /// Renames a file within one file system and replaces the target, if there is one; a reader sees the old target or
    /// the new one.
    ///
    /// Nothing is synced, so a crash of the machine may undo it.
    ///
    /// - Throws: ``SystemError``
    public static func move(_ path: String, to target: String) throws(SystemError) {
        guard unsafe rename(path, target) == 0 else { throw SystemError.last("rename", path) }
    }

    /// Reads the file at `path`.
    ///
    /// - Parameters:
    ///   - limit: In bytes; a longer file is an error (`EFBIG`), so that no file can fill the memory.
    ///   - root: If given, the file must be a regular file inside this directory.
    /// - Returns: `nil` if there is no such file.
    /// - Throws: ``SystemError``
    public static func read(_ path: String, limit: Int, inside root: String? = nil) throws(SystemError) -> [UInt8]? {
        try FileVersion(of: path, inside: root)?.read(limit: limit)
    }

    /// Creates a directory and its missing parents; does nothing if it exists.
    ///
    /// - Parameter mode: The permissions of the directories created; the umask is applied.
    /// - Throws: ``SystemError``, with `ENOTDIR` if the path is that of a file.
    public static func makeDirectory(_ path: String, mode: UInt32 = 0o700) throws(SystemError) {
        guard unsafe mkdir(path, mode) != 0 else { return }
        switch errno {
        case EEXIST:
            guard isDirectory(path) else { throw SystemError(call: "mkdir", path: path, code: ENOTDIR) }
        case ENOENT where parent(of: path) != path:
            try makeDirectory(parent(of: path), mode: mode)
            // Another process may have created it meanwhile.
            guard unsafe mkdir(path, mode) == 0 || errno == EEXIST else { throw .last("mkdir", path) }
        default: throw .last("mkdir", path)
        }
    }

    /// Creates a directory, and its missing parents, that only its owner may read and change (0700).
    ///
    /// The files in it decide what the next run does. An existing directory is therefore refused if it is a symbolic
    /// link, belongs to another user, or can be written to by others.
    ///
    /// - Throws: ``SystemError``; with `EPERM` and a `problem` if the directory is refused.
    public static func makePrivateDirectory(_ path: String) throws(SystemError) {
        var name = path
        // With a slash at the end, `lstat` would follow a link.
        while name.count > 1, name.hasSuffix("/") { name.removeLast() }
        try makeDirectory(name)
        var facts = stat()
        guard unsafe lstat(name, &facts) == 0 else { throw .last("stat", name) }
        let problem: String? =
            if facts.st_mode & S_IFMT != S_IFDIR {
                "is a symbolic link, not a directory"
            } else if facts.st_uid != geteuid() {
                "belongs to another user (id \(facts.st_uid))"
            } else if facts.st_mode & (S_IWGRP | S_IWOTH) != 0 {
                "is writable by other users; run chmod go-w on it"
            } else {
                nil
            }
        if let problem { throw SystemError(call: "use", path: name, code: EPERM, problem: problem) }
    }

    /// Removes the file at `path`, durably; does nothing if it is missing.
    ///
    /// - Throws: ``SystemError``
    public static func remove(_ path: String) throws(SystemError) {
        guard unsafe unlink(path) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return }
            throw .last("remove", path)
        }
        try syncDirectory(of: path)
    }

    /// Writes, syncs and closes a file; it is closed in case of an error too.
    private static func fill(
        _ descriptor: CInt,
        with bytes: [UInt8],
        mode: UInt32,
        _ path: String
    ) throws(SystemError) {
        var isOpen = true
        defer { if isOpen { close(descriptor) } }
        guard fchmod(descriptor, mode) == 0 else { throw .last("chmod", path) }
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes[written...].withUnsafeBytes { rest in
                retried { unsafe Glibc.write(descriptor, rest.baseAddress, rest.count) }
            }
            guard count > 0 else { throw .last("write", path) }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw .last("fsync", path) }
        // Some file systems report a full disk only here.
        isOpen = false
        guard close(descriptor) == 0 else { throw .last("close", path) }
    }

    /// Syncs the directory of `path`: a new name is durable only when its directory is.
    static func syncDirectory(of path: String) throws(SystemError) {
        let directory = parent(of: path)
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("open", directory) }
        defer { close(descriptor) }
        // EINVAL: this file system can't sync a directory, and doesn't need to.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw .last("fsync", directory) }
    }

    private static func isDirectory(_ path: String) -> Bool {
        var facts = stat()
        return unsafe stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }

    /// The path without its last component: `/` for `/a`, `.` for `a`.
    static func parent(of path: String) -> String {
        var rest = Substring(path)
        while rest.count > 1, rest.hasSuffix("/") { rest.removeLast() }
        guard let slash = rest.lastIndex(of: "/") else { return "." }
        let above = rest[..<slash]
        return above.isEmpty ? "/" : String(above)
    }
}

/// Repeats a call while a signal interrupts it (`EINTR`).
func retried(_ call: () -> Int) -> Int {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}
