import Glibc
import Platform
import Testing

/// Runs `body` with the path of a new directory, which is removed afterwards.
func withScratchDirectory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let path = "/tmp/platform-tests-\(getpid())-\(UInt64.random(in: .min ... .max))"
    try DurableFile.makeDirectory(path)
    defer { removeTree(path) }
    return try await body(path)
}

/// The names in a directory, sorted, without `.` and `..`.
func names(in directory: String) -> [String] {
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

func permissions(of path: String) throws -> mode_t {
    var facts = stat()
    try #require(stat(path, &facts) == 0)
    return facts.st_mode & 0o7777
}

private func removeTree(_ path: String) {
    for name in names(in: path) {
        let child = "\(path)/\(name)"
        if unlink(child) != 0 { removeTree(child) }
    }
    rmdir(path)
}

/// A pipe that is closed when the object is freed.
final class Pipe: Sendable {
    let reading: CInt
    let writing: CInt
    private let isWritingOpen = Lock(true)

    init() throws {
        var ends: [CInt] = [0, 0]
        try #require(pipe(&ends) == 0)
        (reading, writing) = (ends[0], ends[1])
    }

    deinit {
        close(reading)
        closeWriting()
    }

    func closeWriting() {
        isWritingOpen.withLock { isOpen in
            if isOpen { close(writing) }
            isOpen = false
        }
    }

    /// Reads everything until the last writer has closed the pipe.
    func readToEnd() -> [UInt8] {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = read(reading, &chunk, chunk.count)
            guard count > 0 else { return all }
            all += chunk[..<count]
        }
    }
}

/// Runs `body` on a thread of its own.
///
/// Swift concurrency has as many threads as cores, so a few tests that block on pipes would stop all others.
func onOwnThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
        let work = Unmanaged.passRetained(ThreadBody { continuation.resume(returning: body()) })
        var thread = pthread_t()
        let status = pthread_create(&thread, nil, runThreadBody, work.toOpaque())
        precondition(status == 0, "no thread for a test")
        pthread_detach(thread)
    }
}

private final class ThreadBody: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

private func runThreadBody(_ work: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let work { Unmanaged<ThreadBody>.fromOpaque(work).takeRetainedValue().body() }
    return nil
}
