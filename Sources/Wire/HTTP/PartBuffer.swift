public import Content

/// A reusable buffer for a part of a blob or of a file; it is filled, hashed and sent without copies in between.
///
/// It has a fixed size: if memory were allocated and freed for every part, the allocator would keep it on each thread's
/// heap.
///
/// - Invariant: while one task or driver fills the buffer, no other uses it; a full buffer may have several readers. It
///   is handed over through a lock, and not used until it is handed back.
@safe public final class PartBuffer: @unchecked Sendable {
    /// The size, in bytes.
    public let capacity: Int
    /// The number of bytes in the buffer.
    public private(set) var count = 0
    private let memory: UnsafeMutableRawPointer

    public init(capacity: Int) {
        self.capacity = capacity
        unsafe memory = .allocate(byteCount: max(capacity, 1), alignment: Self.alignment)
    }

    /// Creates a buffer that is full of `bytes`.
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

    /// Adds bytes in memory.
    ///
    /// - Returns: `false` if they don't fit; then none of them were taken.
    public func append(_ bytes: ArraySlice<UInt8>) -> Bool {
        unsafe bytes.withUnsafeBytes { unsafe append($0) }
    }

    /// - Returns: `false` if the chunk doesn't fit; then none of it was taken.
    func append(_ chunk: UnsafeRawBufferPointer) -> Bool {
        guard chunk.count <= capacity - count else { return false }
        guard let start = chunk.baseAddress else { return true }
        unsafe (memory + count).copyMemory(from: start, byteCount: chunk.count)
        count += chunk.count
        return true
    }

    /// Replaces the contents with the bytes that `body` writes.
    ///
    /// - Parameters:
    ///   - limit: The most bytes to write; at most ``capacity``.
    ///   - body: Gets the memory to write to, and returns the number of bytes written.
    func fill(
        upTo limit: Int,
        _ body: (UnsafeMutableRawBufferPointer) throws -> Int
    ) rethrows {
        count = 0
        count = try unsafe body(UnsafeMutableRawBufferPointer(start: memory, count: min(limit, capacity)))
    }

    /// The bytes in the buffer; valid until it changes.
    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: memory, count: count) }
}
