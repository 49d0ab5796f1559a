internal import Content
internal import Platform

/// The positions of the members in a tar file, found by reading its headers.
///
/// Nothing is unpacked, and no name in the file becomes a path on this machine. Absolute names and names that contain
/// `..` are never found. All memory is bounded, whatever the file contains.
///
/// - Source: POSIX.1-2017, `pax`, "ustar Interchange Format" and "pax Extended Header"; GNU tar manual, "Basic Tar
///   Format"
struct TarIndex: Sendable {
    private struct Member: Sendable {
        var offset: Int64 = 0
        var byteCount: Int64 = 0
        var isSparse = false
        /// The name of the link's target.
        var target: String?
    }

    private let file: ByteFile
    private var members: [String: Member] = [:]
    private var repeated: Set<String> = []

    /// The most members; an archive of a hundred images has a few thousand.
    static let mostMembers = 65_536
    /// The most bytes of all names together.
    static let mostNameBytes = 8 << 20
    /// The most bytes of a header that extends the next one; it contains names.
    static let largestExtension = 64 << 10
    /// The most links to follow in a row.
    static let longestChain = 8
    private static let blockSize = 512

    /// - Throws: ``LayoutError``, `ByteFile.Failure`, or `CancellationError`
    init(_ file: ByteFile, mostMembers: Int = mostMembers, isCancelled: () -> Bool = { false }) throws {
        self.file = file
        try Self.refuseCompressed(file)
        var position: Int64 = 0
        var (count, nameBytes) = (0, 0)
        var pending = Extension()
        let end = file.size
        var isEnded = false
        while position + Int64(Self.blockSize) <= end {
            guard !isCancelled() else { throw CancellationError() }
            let header = TarHeader(bytes: try file.read(at: position, count: Self.blockSize))
            // Two blocks of zeros end an archive; one is enough.
            if header.isEmpty {
                isEnded = true
                break
            }
            guard header.isSound, let stated = header.byteCount else {
                throw Self.damaged(
                    file,
                    position == 0 ? "it does not begin like a tar file" : "byte \(position) is not a header"
                )
            }
            count += 1
            guard count <= mostMembers else {
                throw Self.damaged(file, "it has more than \(mostMembers) members")
            }
            let start = position + Int64(Self.blockSize)
            if header.extendsNext {
                guard stated <= Int64(Self.largestExtension), start + stated <= end else {
                    throw Self.damaged(file, "the header at byte \(position) claims \(stated) bytes of names")
                }
                let data = try FileRegion(file, offset: start, byteCount: stated).readAll(limit: Self.largestExtension)
                guard pending.take(header.kind, data) else {
                    throw Self.damaged(file, "the extended header at byte \(position) can't be read")
                }
                position = Self.after(start, stated)
                continue
            }
            let name = pending.path ?? header.name
            var member = Member(offset: start, byteCount: header.hasData ? pending.byteCount ?? stated : 0)
            if header.kind == UInt8(ascii: "S") {
                member.isSparse = true
                member.offset = try Self.afterSparseMap(header, file, start)
            }
            if pending.isSparse { member.isSparse = true }
            guard member.byteCount >= 0, member.byteCount <= end - member.offset else {
                throw LayoutError(
                    "\(file.path) is cut short: '\(quotable(name, upTo: 200))' should have \(member.byteCount) bytes",
                    remedy: "copy or save the archive again"
                )
            }
            if let normal = Self.normal(name, below: []) {
                nameBytes += name.utf8.count
                guard nameBytes <= Self.mostNameBytes else {
                    throw Self.damaged(file, "its names have more than \(Self.mostNameBytes) bytes")
                }
                try note(normal, member, header, pending.link ?? header.link)
            }
            position = Self.after(member.offset, member.byteCount)
            pending = Extension()
        }
        guard count > 0 else { throw Self.damaged(file, "it contains no files") }
        // Some tools omit the blocks of zeros, but no valid archive ends within a header.
        guard isEnded || position >= end else {
            throw LayoutError(
                "\(file.path) is cut short: it ends within a header",
                remedy: "copy or save the archive again"
            )
        }
    }

    private mutating func note(_ name: String, _ member: Member, _ header: TarHeader, _ link: String) throws {
        var member = member
        switch header.kind {
        case UInt8(ascii: "0"), 0, UInt8(ascii: "7"), UInt8(ascii: "S"):
            // In the oldest format, a directory is a file whose name ends in a slash.
            guard !header.name.hasSuffix("/") else { return }
        case UInt8(ascii: "1"):
            // A hard link names a member from the root; a symbolic link is relative to its own folder.
            member.target = Self.normal(link, below: []) ?? ""
        case UInt8(ascii: "2"):
            member.target = Self.normal(link, below: name.split(separator: "/").dropLast().map(String.init)) ?? ""
        default: return
        }
        if members.updateValue(member, forKey: name) != nil { repeated.insert(name) }
    }

    /// Whether a member has this name.
    func contains(_ name: String) -> Bool { members[name] != nil }

    /// The folder that holds members with these names if they aren't at the top, as `tar -c DIR` writes them.
    func folder(of names: [String]) -> String? {
        let folders = members.keys.compactMap { key in
            names.first { key.hasSuffix("/\($0)") }.map { String(key.dropLast($0.count + 1)) }
        }
        return folders.min { ($0.count, $0) < ($1.count, $1) }
    }

    /// Returns the position of a member's bytes; `nil` if there is no such member.
    ///
    /// - Parameter isOnly: Whether to reject a name that appears twice: two readers could then see two different
    ///   images.
    /// - Throws: ``LayoutError`` if the member can't be read in place.
    func member(_ name: String, isOnly: Bool = false) throws -> FileRegion? {
        guard !isOnly || !repeated.contains(name) else {
            throw Self.damaged(file, "it holds '\(quotable(name, upTo: 200))' twice")
        }
        var place = name
        for _ in 0...Self.longestChain {
            guard let member = members[place] else {
                guard place != name else { return nil }
                throw Self.damaged(file, "'\(quotable(name, upTo: 200))' is a link to a missing file")
            }
            if let target = member.target {
                place = target
                continue
            }
            guard !member.isSparse else {
                throw LayoutError(
                    "\(file.path) holds '\(quotable(name, upTo: 200))' as a sparse file, which can't be read in place",
                    remedy: "make the archive again without --sparse"
                )
            }
            return FileRegion(file, offset: member.offset, byteCount: member.byteCount)
        }
        throw Self.damaged(file, "'\(quotable(name, upTo: 200))' is a link that points back to itself")
    }

    // MARK: Pieces

    /// Removes empty and `.` parts from a name; `nil` if it is absolute or leads out of the archive.
    ///
    /// - Parameter folder: The folder in which a relative name begins; if it is empty, `..` is rejected.
    private static func normal(_ name: String, below folder: [String]) -> String? {
        guard !name.hasPrefix("/") else { return nil }
        var parts = folder
        for part in name.split(separator: "/") where part != "." {
            guard part == ".." else {
                parts.append(String(part))
                continue
            }
            guard !folder.isEmpty, parts.popLast() != nil else { return nil }
        }
        return parts.isEmpty ? nil : parts.joined(separator: "/")
    }

    /// The position of the next header.
    private static func after(_ start: Int64, _ byteCount: Int64) -> Int64 {
        start + (byteCount + Int64(blockSize) - 1) / Int64(blockSize) * Int64(blockSize)
    }

    /// Skips the further blocks that GNU's old sparse files have between header and data.
    private static func afterSparseMap(_ header: TarHeader, _ file: ByteFile, _ start: Int64) throws -> Int64 {
        var place = start
        var isLonger = header.bytes[482] != 0
        for _ in 0..<mostMembers where isLonger {
            let block = try file.read(at: place, count: blockSize)
            guard block.count == blockSize else { break }
            isLonger = block[504] != 0
            place += Int64(blockSize)
        }
        return place
    }

    private static func damaged(_ file: ByteFile, _ problem: String) -> LayoutError {
        LayoutError("\(file.path) can't be read as an archive: \(problem)", remedy: "copy or save the archive again")
    }

    /// Rejects a compressed archive, which can't be read in place.
    private static func refuseCompressed(_ file: ByteFile) throws {
        let beginning = try file.read(at: 0, count: 6)
        let known: [(magic: [UInt8], name: String, program: String)] = [
            ([0x1F, 0x8B], "gzip", "gunzip -k"), ([0x28, 0xB5, 0x2F, 0xFD], "zstd", "unzstd"),
            ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "xz", "unxz -k"), ([0x42, 0x5A, 0x68], "bzip2", "bunzip2 -k"),
        ]
        guard let form = known.first(where: { beginning.starts(with: $0.magic) }) else { return }
        throw LayoutError(
            "\(file.path) is compressed with \(form.name); only uncompressed archives can be read",
            remedy: "decompress it first with \(form.program) \(file.path), then name the .tar file"
        )
    }
}

/// The information that a header gives about the next one: GNU's long names, and POSIX's extended headers.
private struct Extension {
    var path: String?
    var link: String?
    var byteCount: Int64?
    var isSparse = false

    /// - Returns: Whether the data could be read.
    mutating func take(_ kind: UInt8, _ data: [UInt8]) -> Bool {
        switch kind {
        case UInt8(ascii: "L"): path = String(decoding: data.prefix { $0 != 0 }, as: UTF8.self)
        case UInt8(ascii: "K"): link = String(decoding: data.prefix { $0 != 0 }, as: UTF8.self)
        case UInt8(ascii: "x"): return takeRecords(data)
        // A header that applies to all members names none of them.
        default: break
        }
        return true
    }

    /// Reads records of the form `LENGTH KEY=VALUE\n`, in which the length counts the whole record.
    private mutating func takeRecords(_ data: [UInt8]) -> Bool {
        var rest = data[...]
        while !rest.isEmpty, rest.first != 0 {
            guard let blank = rest.firstIndex(of: UInt8(ascii: " ")),
                let length = Int(String(decoding: rest[..<blank], as: UTF8.self)),
                length > blank - rest.startIndex + 1, length <= rest.count
            else { return false }
            let record = rest[(blank + 1)..<(rest.startIndex + length)]
            guard record.last == UInt8(ascii: "\n"), let equals = record.firstIndex(of: UInt8(ascii: "=")) else {
                return false
            }
            let key = String(decoding: record[..<equals], as: UTF8.self)
            let value = String(decoding: record[(equals + 1)...].dropLast(), as: UTF8.self)
            switch key {
            case "path": if !isSparse { path = value }
            case "linkpath": link = value
            case "size":
                guard let number = Int64(value), number >= 0 else { return false }
                byteCount = number
            case "GNU.sparse.name": (path, isSparse) = (value, true)
            case _ where key.hasPrefix("GNU.sparse."): isSparse = true
            default: break
            }
            rest = rest.dropFirst(length)
        }
        return true
    }
}

/// A header block of 512 bytes, which describes a member.
private struct TarHeader {
    let bytes: [UInt8]

    var isEmpty: Bool { bytes.allSatisfy { $0 == 0 } }

    var kind: UInt8 { bytes[156] }

    /// Whether the header describes the next header rather than a member.
    var extendsNext: Bool {
        [UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"), UInt8(ascii: "K")].contains(kind)
    }

    /// Whether data follows the header; links, devices, directories and FIFOs have none, whatever their size field
    /// says.
    var hasData: Bool { !(UInt8(ascii: "1")...UInt8(ascii: "6")).contains(kind) }

    var byteCount: Int64? { number(in: 124..<136) }

    var name: String {
        let name = text(in: 0..<100)
        let isPOSIX = bytes[257..<263].elementsEqual("ustar\0".utf8)
        let prefix = isPOSIX ? text(in: 345..<500) : ""
        return prefix.isEmpty ? name : "\(prefix)/\(name)"
    }

    var link: String { text(in: 157..<257) }

    /// Whether the checksum matches, also if it was computed with signed bytes, as some tools do.
    var isSound: Bool {
        guard bytes.count == 512, let stated = number(in: 148..<156) else { return false }
        var (sum, signed): (Int64, Int64) = (0, 0)
        for (index, byte) in bytes.enumerated() {
            let counted = (148..<156).contains(index) ? UInt8(ascii: " ") : byte
            sum += Int64(counted)
            signed += Int64(Int8(bitPattern: counted))
        }
        return stated == sum || stated == signed
    }

    private func text(in range: Range<Int>) -> String {
        String(decoding: bytes[range].prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Reads octal digits, or a binary number if the highest bit is set; `nil` if it is neither, or negative.
    private func number(in range: Range<Int>) -> Int64? {
        let field = bytes[range]
        if let first = field.first, first & 0x80 != 0 {
            guard first == 0x80, field.dropFirst().dropLast(8).allSatisfy({ $0 == 0 }) else { return nil }
            let value = field.suffix(min(8, field.count - 1)).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return Int64(exactly: value)
        }
        let digits = field.drop { $0 == UInt8(ascii: " ") }.prefix { $0 != 0 && $0 != UInt8(ascii: " ") }
        return digits.isEmpty
            ? 0 : Int64(String(decoding: digits, as: UTF8.self), radix: 8).flatMap { $0 < 0 ? nil : $0 }
    }
}
