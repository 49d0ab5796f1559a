import Glibc

/// The resources that a process uses, as the kernel counts them.
public struct Footprint: Sendable {
    /// The resident memory, in KiB.
    public var memory: Int
    public var threads: Int
    public var descriptors: Int

    public init(memory: Int, threads: Int, descriptors: Int) {
        (self.memory, self.threads, self.descriptors) = (memory, threads, descriptors)
    }

    /// Measures this process, now.
    public static func now() throws -> Footprint {
        giveBack()
        var footprint = try Footprint(ofProcess: getpid())
        // The directory itself is open while it is listed.
        footprint.descriptors -= 1
        return footprint
    }

    /// Measures another process, whose allocator may hold memory that it has freed.
    public init(ofProcess number: Int32) throws {
        let folder = "/proc/\(number)"
        let status = String(decoding: try contents(of: "\(folder)/status"), as: UTF8.self)
        func figure(_ name: String) -> Int {
            let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") }
            return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
        }
        self.init(memory: figure("VmRSS"), threads: figure("Threads"), descriptors: names(in: "\(folder)/fd").count)
    }
}

/// Makes the allocator return freed memory, because its distribution over the threads' heaps isn't growth of this
/// program.
private func giveBack() {
    // This is glibc's malloc_trim(3), which Swift's Glibc doesn't declare.
    guard let symbol = dlsym(nil, "malloc_trim") else { return }
    let trim = unsafeBitCast(symbol, to: (@convention(c) (Int) -> CInt).self)
    _ = trim(0)
}
