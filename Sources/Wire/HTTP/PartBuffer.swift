public import Content

/// Some megabytes at one place: a download fills them, a hash reads them, an upload sends them, and nothing copies
/// them in between.
///
/// Fixed in size and meant to be used again and again: megabytes that are allocated and freed for every part stay with
/// the allocator, on each thread's own heap.
///
/// - Invariant: while one party fills it, nobody else uses it; a full one may be read by several. Whoever hands it on does
///   so through a lock, as tasks and drivers do, and doesn't touch it until it comes back.
@safe public final class PartBuffer: @unchecked Sendable {
    /// In bytes.
    public let capacity: Int
    /// Bytes that are there.
    public private(set) var count = 0
    private let memory: UnsafeMutableRawPointer

    public init(capacity: Int) {
        self.capacity = capacity
        unsafe memory = .allocate(byteCount: max(capacity, 1), alignment: Self.alignment)
    }

    /// A full buffer of these bytes.
    public convenience init(_ bytes: [UInt8]) {
        self.init(capacity: bytes.count)
        unsafe bytes.withUnsafeBytes { _ = unsafe append($0) }
    }

    deinit { unsafe memory.deallocate() }

    /// In bytes: a cache line.
    private static let alignment = 64

    public func clear() { count = 0 }

    /// Feeds a hash with the bytes from `start` on.
    public func hash(from start: Int = 0, into hasher: inout SHA256Hasher) {
        guard start < count else { return }
        unsafe hasher.update(UnsafeRawBufferPointer(rebasing: bytes[start...]))
    }

    /// - Returns: `false` if the chunk doesn't fit; then none of it was taken.
    func append(_ chunk: UnsafeRawBufferPointer) -> Bool {
        guard chunk.count <= capacity - count else { return false }
        guard let start = chunk.baseAddress else { return true }
        unsafe (memory + count).copyMemory(from: start, byteCount: chunk.count)
        count += chunk.count
        return true
    }

    /// What is there; good until the buffer changes.
    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: memory, count: count) }
}
