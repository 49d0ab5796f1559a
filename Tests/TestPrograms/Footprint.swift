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
        let status = String(decoding: try contents(of: "/proc/self/status"), as: UTF8.self)
        func figure(_ name: String) -> Int {
            let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") }
            return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
        }
        // The directory itself is open while it is listed.
        let descriptors = names(in: "/proc/self/fd").count - 1
        return Footprint(memory: figure("VmRSS"), threads: figure("Threads"), descriptors: descriptors)
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
