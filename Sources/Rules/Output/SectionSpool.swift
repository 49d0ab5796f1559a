internal import FoundationEssentials
internal import Platform

/// Puts text that arrives by repository into the order rule, destination, repository, without holding it in memory.
///
/// The first destination's text of a rule is written at once; that of further destinations waits in temporary files
/// without a name, and is written when the rule is finished.
package final class SectionSpool {
    private let write: (String) -> Void
    private var rule = 0
    private var waiting: [Int: ByteFile] = [:]

    /// The length of the pieces that are read back, in bytes.
    private static let piece = 64 << 10

    package init(_ write: @escaping (String) -> Void) { self.write = write }

    /// Adds text; rules must come in order.
    ///
    /// - Throws: `ByteFile.Failure`, ``SystemError`` if a temporary file can't be made or written.
    package func add(_ text: String, rule: Int, destination: Int) throws {
        if rule != self.rule { try finish() }
        self.rule = rule
        guard destination > 0 else { return write(text) }
        let file = try waiting[destination] ?? Self.temporaryFile()
        waiting[destination] = file
        try file.append(Array(text.utf8))
    }

    /// Writes what waits.
    package func finish() throws {
        for (_, file) in waiting.sorted(by: { $0.key < $1.key }) {
            var rest: [UInt8] = []
            var offset: Int64 = 0
            while true {
                let read = try file.read(at: offset, count: Self.piece)
                offset += Int64(read.count)
                rest += read
                // A piece must not end within a character.
                let end = read.isEmpty ? rest.count : (rest.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0)
                if end > 0 {
                    write(String(decoding: rest[..<end], as: UTF8.self))
                    rest.removeFirst(end)
                }
                if read.isEmpty { break }
            }
        }
        waiting = [:]
    }

    /// A file without a name, which the system removes when it is closed.
    static func temporaryFile() throws -> ByteFile {
        let path = "\(FileManager.default.temporaryDirectory.path)/ecr-replicate-\(UUID().uuidString)"
        let file = try ByteFile(appending: path)
        try DurableFile.remove(path)
        return file
    }
}
