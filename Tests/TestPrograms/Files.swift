import Glibc
import Platform

func isExecutable(_ path: String) -> Bool {
    var facts = stat()
    return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
}

/// Runs `body` with the path of a directory of its own, removed afterwards.
///
/// - Parameter inMemory: Whether to take it from `/dev/shm` where that can be had, for gigabytes that nobody keeps.
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

/// The absolute path of a file of this repository, given its path from the repository's root.
public func repositoryFile(_ path: String) -> String {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return (root + [Substring(path)]).joined(separator: "/")
}

/// Names in a directory, sorted, without `.` and `..`.
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

/// A file's bytes.
public func contents(of path: String) throws -> [UInt8] {
    guard let bytes = try DurableFile.read(path, limit: 256 << 20) else { throw ChildError("no file at \(path)") }
    return bytes
}

/// Writes a text where there is none yet.
public func write(_ text: String, to path: String) throws {
    try DurableFile.write(Array(text.utf8), to: path)
}

/// Writes a script that can be run.
public func writeProgram(_ text: String, to path: String) throws {
    try DurableFile.write(Array(text.utf8), to: path, mode: 0o755)
}

/// Makes a directory and those above it.
public func makeDirectory(_ path: String) throws { try DurableFile.makeDirectory(path) }

private func removeTree(_ path: String) {
    for name in names(in: path) {
        let child = "\(path)/\(name)"
        if unlink(child) != 0 { removeTree(child) }
    }
    rmdir(path)
}
