internal import Glibc

/// Small files that are whole or absent, even after a power failure.
///
/// The files may name accounts and uploads. They, and the directories made for them, are for their owner only.
public enum DurableFile {
    /// Replaces the file at `path` with `bytes`, or leaves what was there.
    ///
    /// When this returns, a crash of the machine doesn't undo it: the new file is synced before it takes the
    /// name, and the directory after. Two writers at once both succeed and the later one stays.
    ///
    /// - Parameter mode: Who may read it; 0600 unless said otherwise. The umask is not applied.
    /// - Throws: ``SystemError``; then no temporary file is left behind.
    public static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o600) throws(SystemError) {
        let (descriptor, temporary) = try UnfinishedFile.begin(path, mode: 0o600)
        // Keeps the lock until the file has its name.
        let keeper = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        defer { close(keeper) }
        do throws(SystemError) {
            try fill(descriptor, with: bytes, mode: mode, path)
            guard unsafe rename(temporary, path) == 0 else { throw SystemError.last("rename", path) }
        } catch {
            unsafe unlink(temporary)
            throw error
        }
        try syncDirectory(of: path)
    }

    /// The permissions of the file at `path`; `nil` if there is none that can be looked at.
    public static func mode(of path: String) -> UInt32? {
        var facts = stat()
        return unsafe lstat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG ? facts.st_mode & 0o777 : nil
    }

    /// Gives a file another name in the same file system, in place of whatever has it; a reader finds one or the other.
    ///
    /// Nothing is synced: a crash of the machine may undo it.
    ///
    /// - Throws: ``SystemError``
    public static func move(_ path: String, to target: String) throws(SystemError) {
        guard unsafe rename(path, target) == 0 else { throw SystemError.last("rename", path) }
    }

    /// The bytes of the file at `path`.
    ///
    /// - Parameters:
    ///   - limit: In bytes; a longer file is an error (`EFBIG`), so that no file can fill the memory.
    ///   - root: Refuses everything but a regular file inside this directory.
    /// - Returns: `nil` if there is no such file.
    /// - Throws: ``SystemError``
    public static func read(_ path: String, limit: Int, inside root: String? = nil) throws(SystemError) -> [UInt8]? {
        try FileVersion(of: path, inside: root)?.read(limit: limit)
    }

    /// Makes a directory and those above it.
    ///
    /// One that exists is left as it is.
    ///
    /// - Parameter mode: For their owner only (0700) unless said otherwise; the umask takes from it.
    /// - Throws: ``SystemError``, with `ENOTDIR` if a file stands in the way.
    public static func makeDirectory(_ path: String, mode: UInt32 = 0o700) throws(SystemError) {
        guard unsafe mkdir(path, mode) != 0 else { return }
        switch errno {
        case EEXIST:
            guard isDirectory(path) else { throw SystemError(call: "mkdir", path: path, code: ENOTDIR) }
        case ENOENT where parent(of: path) != path:
            try makeDirectory(parent(of: path), mode: mode)
            // Another process may have made it meanwhile.
            guard unsafe mkdir(path, mode) == 0 || errno == EEXIST else { throw .last("mkdir", path) }
        default: throw .last("mkdir", path)
        }
    }

    /// Makes a directory for state that others must not read or replace, and those above it; for their owner only
    /// (0700).
    ///
    /// One that exists is used only if it is a directory and not a link, belongs to this user, and no other user may
    /// write to it: its files decide what the next run does.
    ///
    /// - Throws: ``SystemError``; with `EPERM` and what is wrong in words where the directory can't be trusted.
    public static func makePrivateDirectory(_ path: String) throws(SystemError) {
        var name = path
        // A slash at the end would lead through a link.
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
                "can be written to by others; close it with chmod go-w"
            } else {
                nil
            }
        if let problem { throw SystemError(call: "use", path: name, code: EPERM, problem: problem) }
    }

    /// Removes the file at `path`, durably; it is no error if there is none.
    ///
    /// - Throws: ``SystemError``
    public static func remove(_ path: String) throws(SystemError) {
        guard unsafe unlink(path) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return }
            throw .last("remove", path)
        }
        try syncDirectory(of: path)
    }

    /// Writes, syncs and closes; closes in any case.
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

    /// A new name is durable only when the directory that holds it is.
    static func syncDirectory(of path: String) throws(SystemError) {
        let directory = parent(of: path)
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("open", directory) }
        defer { close(descriptor) }
        // EINVAL: a file system that can't sync a directory, and needn't.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw .last("fsync", directory) }
    }

    private static func isDirectory(_ path: String) -> Bool {
        var facts = stat()
        return unsafe stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }

    /// What stands before the last component: `/` for `/a`, `.` for `a`.
    static func parent(of path: String) -> String {
        var rest = Substring(path)
        while rest.count > 1, rest.hasSuffix("/") { rest.removeLast() }
        guard let slash = rest.lastIndex(of: "/") else { return "." }
        let above = rest[..<slash]
        return above.isEmpty ? "/" : String(above)
    }
}

/// Repeats a call that a signal interrupted before it did anything.
func retried(_ call: () -> Int) -> Int {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}
