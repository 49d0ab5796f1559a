internal import Platform

/// Reads a file line by line.
struct LineReader: Sendable {
    /// The longest line, in bytes: the registries of a rule file of the greatest size fit.
    static let longest = 16 << 20
    /// The number of bytes that are read at once.
    private static let piece = 256 << 10

    private let file: ByteFile
    private var offset: Int64 = 0
    private var held: [UInt8] = []
    /// Where the next line begins in `held`.
    private var start = 0
    /// The number of the line that was read last, from 1.
    private(set) var line = 0

    /// A line that is longer than ``longest``.
    struct TooLong: Error {}

    init(_ file: ByteFile) { self.file = file }

    /// The next line with its line feed, which only the last line of a file may lack.
    ///
    /// - Returns: `nil` at the end of the file.
    /// - Throws: `ByteFile.Failure`, ``TooLong``
    mutating func next() throws -> ArraySlice<UInt8>? {
        var searched = start
        while true {
            if let end = held[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                line += 1
                return held[start...end]
            }
            guard held.count - start <= Self.longest else { throw TooLong() }
            held.removeFirst(start)
            start = 0
            searched = held.count
            let read = try file.read(at: offset, count: Self.piece)
            offset += Int64(read.count)
            held += read
            guard read.isEmpty else { continue }
            guard !held.isEmpty else { return nil }
            defer { start = held.count }
            line += 1
            return held[...]
        }
    }
}
