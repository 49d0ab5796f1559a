internal import Content
internal import FoundationEssentials
internal import Platform

/// Checks that a file is a saved plan of a known version, and that it is as it was written.
enum PlanCheck {
    /// - Throws: ``PlanFault``, `ByteFile.Failure`
    static func check(_ file: ByteFile) throws {
        guard file.size > 0 else { throw PlanFault(1, "the file is empty", .name) }
        try checkBeginning(try file.read(at: 0, count: beginning))
        var lines = LineReader(file)
        var hasher = SHA256Hasher()
        var last: [UInt8] = []
        var line = 0
        do {
            while let next = try lines.next() {
                if !last.isEmpty {
                    guard !isChecksum(last) else {
                        throw PlanFault(lines.line, "there is text after the checksum", .planAgain)
                    }
                    hasher.update(last)
                }
                (last, line) = (Array(next), lines.line)
            }
        } catch is LineReader.TooLong {
            throw PlanFault(lines.line + 1, "the line is longer than any line of a saved plan", .name)
        }
        guard isChecksum(last) else {
            throw PlanFault(line, "the file ends without its checksum: its end is missing", .planAgain)
        }
        let digest = hasher.finishDigest()
        guard last == Array(("\(PlanDocument.checksumOpening)\(digest)\(PlanDocument.checksumEnd)\n").utf8) else {
            throw PlanFault(
                line,
                at: "checksum",
                "the file was changed after it was written: it hashes to \(digest), which is not its checksum",
                .planAgain
            )
        }
    }

    /// The number of bytes in which a file must show what it is.
    private static let beginning = 64 << 10

    private static func isChecksum(_ line: [UInt8]) -> Bool {
        line.starts(with: PlanDocument.checksumOpening.utf8)
            && line.suffix(3) == Array((PlanDocument.checksumEnd + "\n").utf8)
    }

    private static func checkBeginning(_ bytes: [UInt8]) throws(PlanFault) {
        let opening = Array(PlanDocument.opening.utf8)
        guard !bytes.starts(with: opening) else {
            let version = bytes.dropFirst(opening.count).prefix(100).prefix { $0 != UInt8(ascii: "\"") }
            let text = String(decoding: version, as: UTF8.self)
            guard text != PlanDocument.formatVersion else { return }
            throw PlanFault(
                1,
                at: "formatVersion",
                "'\(quotable(text, upTo: 100))' is not a version of saved plans that is known; "
                    + "this program knows \(PlanDocument.formatVersion)",
                .sameVersion
            )
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.first(where: { !$0.isWhitespace }) == "{" else {
            throw PlanFault(1, "this is not a saved plan, which is JSON", .name)
        }
        // Blanks between the members, or another order of them.
        if text.contains("\"ruleFile\""), text.contains("\"formatVersion\"") {
            throw PlanFault(1, "the file was changed after it was written: a saved plan has one form", .planAgain)
        }
        throw PlanFault(1, "this is JSON, but not a saved plan", .name)
    }

    /// What the first two lines say.
    ///
    /// - Throws: ``PlanFault``, `ByteFile.Failure`
    static func head(of file: ByteFile) throws -> (PlanDocument.Start, PlanDocument.Head) {
        var lines = LineReader(file)
        var bytes: [UInt8] = []
        for _ in 0..<2 { bytes += try lines.next() ?? [] }
        bytes += Array("]}".utf8)
        return (
            try decode(PlanDocument.Start.self, bytes, line: 1), try decode(PlanDocument.Head.self, bytes, line: 2)
        )
    }

    /// Decodes the part of a plan that a line is.
    ///
    /// - Throws: ``PlanFault``
    static func decode<Part: Decodable>(_: Part.Type, _ bytes: [UInt8], line: Int) throws(PlanFault) -> Part {
        do {
            return try JSONDecoder().decode(Part.self, from: Data(bytes))
        } catch {
            throw PlanFault(line, at: path(of: error), "this is not a part of a saved plan", .planAgain)
        }
    }

    /// The member that could not be decoded.
    private static func path(of error: any Error) -> String {
        let (keys, missing): ([any CodingKey], (any CodingKey)?) =
            switch error as? DecodingError {
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                (context.codingPath, nil)
            case .keyNotFound(let key, let context): (context.codingPath, key)
            default: ([], nil)
            }
        var path = ""
        for key in keys + [missing].compactMap({ $0 }) {
            if let index = key.intValue {
                path += "[\(index)]"
            } else {
                path += (path.isEmpty ? "" : ".") + quotable(key.stringValue, upTo: 100)
            }
        }
        return path
    }
}
