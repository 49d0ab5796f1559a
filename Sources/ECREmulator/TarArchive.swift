/// Files as a layer: the tar format that every container runtime unpacks.
///
/// The same files give the same bytes: no times, no owners.
///
/// - Source: POSIX.1-2017, pax, "ustar Interchange Format"
public struct TarArchive: Sendable {
    private var blocks: [UInt8] = []

    private static let blockSize = 512

    public init() {}

    /// - Parameters:
    ///   - path: At most 100 bytes, relative.
    public mutating func add(_ path: String, _ content: [UInt8], isExecutable: Bool = false) {
        precondition(path.utf8.count <= 100, "ustar names have at most 100 bytes")
        var header = [UInt8](repeating: 0, count: Self.blockSize)
        func write(_ text: String, at offset: Int) {
            header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
        }
        write(path, at: 0)
        write(isExecutable ? "0000755" : "0000644", at: 100)
        write("0000000", at: 108)
        write("0000000", at: 116)
        write(octal(content.count, width: 11), at: 124)
        write(octal(0, width: 11), at: 136)
        // The checksum is reckoned with spaces in its own place.
        write("        ", at: 148)
        write("0", at: 156)
        write("ustar\u{0}00", at: 257)
        let sum = header.reduce(0) { $0 + Int($1) }
        write(octal(sum, width: 6) + "\u{0} ", at: 148)
        blocks += header + content
        let rest = content.count % Self.blockSize
        if rest > 0 { blocks += [UInt8](repeating: 0, count: Self.blockSize - rest) }
    }

    /// The whole archive, with the two empty blocks that end one.
    public var bytes: [UInt8] { blocks + [UInt8](repeating: 0, count: 2 * Self.blockSize) }

    private func octal(_ number: Int, width: Int) -> String {
        let digits = String(number, radix: 8)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
