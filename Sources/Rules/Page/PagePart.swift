internal import Platform

/// A part of a page that waits until what stands before it is known.
///
/// What is long waits in a temporary file without a name.
final class PagePart {
    private var buffer: [UInt8] = []
    private var file: ByteFile?

    /// The most bytes that wait in memory.
    private static let longestBuffer = 16 << 10
    /// The length of the pieces that are read back, in bytes.
    private static let piece = 64 << 10

    var isEmpty: Bool { buffer.isEmpty && file == nil }

    /// - Throws: `ByteFile.Failure`, ``SystemError`` if a temporary file can't be made or written.
    func add(_ html: HTML) throws {
        buffer += html.bytes
        if buffer.count > Self.longestBuffer { try flush() }
    }

    /// Adds another part, and empties that.
    func add(_ part: PagePart) throws {
        try part.read { piece in
            buffer += piece
            if buffer.count > Self.longestBuffer { try flush() }
        }
        (part.buffer, part.file) = ([], nil)
    }

    /// Reads all of it, in pieces.
    func read(_ take: ([UInt8]) throws -> Void) throws {
        if let file {
            var offset: Int64 = 0
            while true {
                let read = try file.read(at: offset, count: Self.piece)
                guard !read.isEmpty else { break }
                offset += Int64(read.count)
                try take(read)
            }
        }
        if !buffer.isEmpty { try take(buffer) }
    }

    private func flush() throws {
        let file = try file ?? SectionSpool.temporaryFile()
        self.file = file
        try file.append(buffer)
        buffer.removeAll(keepingCapacity: true)
    }
}
