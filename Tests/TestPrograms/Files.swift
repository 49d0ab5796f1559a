import Glibc
import Platform

func isExecutable(_ path: String) -> Bool {
    var facts = stat()
    return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
}

/// Runs `body` with the path of a new directory, and removes the directory afterwards.
///
/// - Parameter inMemory: Whether to use `/dev/shm` if it is available, for gigabytes that are deleted at once.
public func withScratchDirectory<Result>(
    inMemory: Bool = false,
    _ body: (String) async throws -> Result
) async throws -> Result {
    let parent = inMemory && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    let path = "\(parent)/ecr-replicate-tests-\(getpid())-\(UInt64.random(in: .min ... .max))"
    try DurableFile.makeDirectory(path)
    defer { removeTree(path) }
    return try await body(path)
}

/// Returns the absolute path of a file in this repository, by its path from the root.
public func repositoryFile(_ path: String) -> String {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return (root + [Substring(path)]).joined(separator: "/")
}

/// Returns the names in a directory, sorted, without `.` and `..`.
public func names(in directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// Returns a file's bytes.
public func contents(of path: String) throws -> [UInt8] {
    guard let bytes = try DurableFile.read(path, limit: 256 << 20) else { throw ChildError("no file at \(path)") }
    return bytes
}

/// Writes a text to a new file.
public func write(_ text: String, to path: String) throws {
    try DurableFile.write(Array(text.utf8), to: path)
}

/// Writes an executable script.
public func writeProgram(_ text: String, to path: String) throws {
    try DurableFile.write(Array(text.utf8), to: path, mode: 0o755)
}

/// Makes a directory, with the directories above it.
public func makeDirectory(_ path: String) throws { try DurableFile.makeDirectory(path) }

private func removeTree(_ path: String) {
    for name in names(in: path) {
        let child = "\(path)/\(name)"
        if unlink(child) != 0 { removeTree(child) }
    }
    rmdir(path)
}
