public import Content

/// A buffer of some megabytes: a download fills it, a hash reads it and an upload sends it, without copies in between.
///
/// It has a fixed size and is reused: megabytes that are allocated and freed for every part would stay with the
/// allocator, on each thread's heap.
///
/// - Invariant: while one task or driver fills the buffer, no other uses it; a full buffer may have several readers. It
///   is passed on through a lock, as tasks and drivers do, and not touched until it comes back.
@safe public final class PartBuffer: @unchecked Sendable {
    /// The size, in bytes.
    public let capacity: Int
    /// The number of bytes it holds.
    public private(set) var count = 0
    private let memory: UnsafeMutableRawPointer

    public init(capacity: Int) {
        self.capacity = capacity
        unsafe memory = .allocate(byteCount: max(capacity, 1), alignment: Self.alignment)
    }

    /// Makes a full buffer of `bytes`.
    public convenience init(_ bytes: [UInt8]) {
        self.init(capacity: bytes.count)
        unsafe bytes.withUnsafeBytes { _ = unsafe append($0) }
    }

    deinit { unsafe memory.deallocate() }

    /// The alignment in bytes: a cache line.
    private static let alignment = 64

    public func clear() { count = 0 }

    /// Adds the bytes from `start` on to a hash.
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

    /// The bytes it holds; valid until the buffer changes.
    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: memory, count: count) }
}
