/// Writes tar files for tests, valid and invalid ones.
struct Tar {
    private(set) var bytes: [UInt8] = []

    /// - Parameters:
    ///   - kind: `0` for a file, `1` and `2` for links, `5` for a directory, `x`, `L`, `S`…
    ///   - size: The size field of the header, if not the actual size.
    ///   - binarySize: The size field as twelve bytes instead of octal digits.
    mutating func add(
        _ name: String,
        _ content: [UInt8] = [],
        kind: Character = "0",
        link: String = "",
        size: String? = nil,
        binarySize: [UInt8]? = nil,
        magic: String = "ustar\u{0}00",
        prefix: String = ""
    ) {
        var header = [UInt8](repeating: 0, count: 512)
        func set(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
        }
        set(String(name.prefix(100)), at: 0)
        set("0000644\u{0}", at: 100)
        let octal = String(content.count, radix: 8)
        set(size ?? String(repeating: "0", count: 11 - octal.count) + octal + "\u{0}", at: 124)
        if let binarySize { header.replaceSubrange(124..<136, with: binarySize) }
        set("00000000000\u{0}", at: 136)
        set("        ", at: 148)
        set(String(kind), at: 156)
        set(link, at: 157)
        set(magic, at: 257)
        set(prefix, at: 345)
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        set(String(repeating: "0", count: 6 - sum.count) + sum + "\u{0} ", at: 148)
        append(header)
        append(content)
        append([UInt8](repeating: 0, count: (512 - content.count % 512) % 512))
    }

    mutating func add(_ name: String, _ text: String) { add(name, Array(text.utf8)) }

    /// Adds an extended header with these records.
    mutating func addRecords(_ records: (key: String, value: String)...) {
        var data: [UInt8] = []
        for (key, value) in records {
            let rest = " \(key)=\(value)\n"
            var length = rest.utf8.count
            while "\(length)".utf8.count + rest.utf8.count != length {
                length = "\(length)".utf8.count + rest.utf8.count
            }
            data += Array("\(length)\(rest)".utf8)
        }
        add("PaxHeaders/x", data, kind: "x")
    }

    mutating func append(_ more: [UInt8]) { bytes += more }

    /// The bytes with the two blocks that end an archive.
    var ended: [UInt8] { bytes + [UInt8](repeating: 0, count: 1_024) }
}
