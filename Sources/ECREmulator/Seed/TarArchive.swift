/// An archive in the tar format that every container runtime unpacks as a layer.
///
/// It holds no times or owners, so equal files give equal bytes.
///
/// - Source: POSIX.1-2017, pax, "ustar Interchange Format"
public struct TarArchive: Sendable {
    private var blocks: [UInt8] = []

    private static let blockSize = 512
    /// The first size that eleven octal digits can't express.
    private static let largestOctal: Int64 = 1 << 33

    public init() {}

    /// - Parameters:
    ///   - path: A relative path of at most 100 bytes.
    public mutating func add(_ path: String, _ content: [UInt8], isExecutable: Bool = false) {
        blocks += Self.header(path, size: Int64(content.count), isExecutable: isExecutable) + content
        let rest = content.count % Self.blockSize
        if rest > 0 { blocks += [UInt8](repeating: 0, count: Self.blockSize - rest) }
    }

    /// The whole archive, with the two empty blocks at its end.
    public var bytes: [UInt8] { blocks + [UInt8](repeating: 0, count: 2 * Self.blockSize) }

    /// Returns the record before a file's content.
    ///
    /// - Parameter size: The content's size, in bytes; from 8 GiB on it is written in binary, as GNU tar does.
    static func header(_ path: String, size: Int64, isExecutable: Bool = false) -> [UInt8] {
        precondition(path.utf8.count <= 100, "ustar names have at most 100 bytes")
        var header = [UInt8](repeating: 0, count: blockSize)
        func write(_ text: String, at offset: Int) {
            header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
        }
        write(path, at: 0)
        write(isExecutable ? "0000755" : "0000644", at: 100)
        write("0000000", at: 108)
        write("0000000", at: 116)
        if size < largestOctal {
            write(octal(Int(size), width: 11), at: 124)
        } else {
            header[124] = 0x80
            for place in 0..<8 { header[135 - place] = UInt8(truncatingIfNeeded: size >> Int64(8 * place)) }
        }
        write(octal(0, width: 11), at: 136)
        // The checksum is computed with spaces in its own field.
        write("        ", at: 148)
        write("0", at: 156)
        write("ustar\u{0}00", at: 257)
        let sum = header.reduce(0) { $0 + Int($1) }
        write(octal(sum, width: 6) + "\u{0} ", at: 148)
        return header
    }

    private static func octal(_ number: Int, width: Int) -> String {
        let digits = String(number, radix: 8)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
