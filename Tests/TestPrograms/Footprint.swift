import Glibc

/// What a process has in use, as the kernel counts it.
public struct Footprint: Sendable {
    /// Resident, in KiB.
    public var memory: Int
    public var threads: Int
    public var descriptors: Int

    public init(memory: Int, threads: Int, descriptors: Int) {
        (self.memory, self.threads, self.descriptors) = (memory, threads, descriptors)
    }

    /// Of this process, now.
    public static func now() throws -> Footprint {
        giveBack()
        let status = String(decoding: try contents(of: "/proc/self/status"), as: UTF8.self)
        func figure(_ name: String) -> Int {
            let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") }
            return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
        }
        // The directory itself is open while it is read.
        let descriptors = names(in: "/proc/self/fd").count - 1
        return Footprint(memory: figure("VmRSS"), threads: figure("Threads"), descriptors: descriptors)
    }
}

/// Has the allocator give back what was freed: how it is scattered over the threads' heaps is no growth of ours.
private func giveBack() {
    // glibc's malloc_trim(3), which Swift's Glibc doesn't show.
    guard let symbol = dlsym(nil, "malloc_trim") else { return }
    let trim = unsafeBitCast(symbol, to: (@convention(c) (Int) -> CInt).self)
    _ = trim(0)
}
