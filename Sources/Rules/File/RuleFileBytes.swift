internal import Content
internal import Platform

/// Reads the bytes of the files that rule commands name; a pipe is read to its end, and `-` is standard input.
package enum RuleFileBytes {
    /// A file that can't be read.
    package struct Unreadable: Error, Sendable, CustomStringConvertible {
        package let file: String
        package let problem: String
        package var description: String { "\(quotable(file)): \(problem)" }
    }

    /// How long to wait for the next bytes of a pipe, in milliseconds.
    private static let patience: Int32 = 10_000

    /// - Parameter limit: In bytes; a larger file is an error.
    /// - Throws: ``Unreadable``
    package static func read(_ file: String, limit: Int = RuleFile.largest) throws(Unreadable) -> [UInt8] {
        let path = file == "-" ? "/dev/stdin" : file
        let bytes: [UInt8]?
        do {
            bytes =
                FileKind(at: path) == .pipe
                ? try PipeFile.read(path, limit: limit, patience: patience)
                : try DurableFile.read(path, limit: limit)
        } catch {
            throw Unreadable(file: file, problem: "the file can't be read: \(quotable("\(error)"))")
        }
        guard let bytes else { throw Unreadable(file: file, problem: "there is no such file") }
        return bytes
    }
}
