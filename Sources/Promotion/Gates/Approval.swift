package import Content

/// A list of approved digests, read from a file.
package struct Approval: Sendable, Hashable {
    /// The name by which the file was read.
    package var file: String
    /// The digest of the file's bytes.
    package var fileDigest: Digest
    /// The digests of a list; empty for a statement.
    package var digests: Set<Digest>
    /// The signed statement, which must be verified before it is believed; `nil` for a list.
    package var statement: DSSEEnvelope?

    /// The claim of a statement that approves its subjects; another claim by the same key approves nothing.
    ///
    /// The project has no domain of its own: `.invalid` belongs to no one (RFC 2606).
    package static let predicateType = "https://ecr-replicate.invalid/approval/v1"

    /// The largest file, in bytes: a hundred thousand digests.
    package static let largestFile = 16 << 20

    /// Reads a signed statement or a list.
    ///
    /// A statement is an envelope in JSON. A list has one digest a line, and after a blank a remark; empty lines and those
    /// that begin with `#` are left out.
    ///
    /// - Throws: ``GateProblem``, for a list with the line.
    package init(reading bytes: [UInt8], named file: String) throws(GateProblem) {
        (self.file, fileDigest, digests) = (file, Digest(of: bytes), [])
        if bytes.first(where: { !" \t\r\n".utf8.contains($0) }) == UInt8(ascii: "{") {
            do {
                statement = try DSSEEnvelope(json: bytes)
            } catch {
                throw GateProblem(
                    "\(quotable(file, upTo: 200)) is not a signed statement: \(error.reason)",
                    remedy: "name a DSSE envelope with an in-toto statement, or a list of one digest a line"
                )
            }
            return
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let word = words.first, word.first != "#" else { continue }
            guard let digest = try? Digest(parsing: String(word)) else {
                throw GateProblem(
                    "\(quotable(file, upTo: 200)), line \(index + 1): '\(quotable(word, upTo: 100))' is not a digest",
                    remedy: "write one digest a line: sha256: and 64 hexadecimal digits"
                )
            }
            digests.insert(digest)
        }
        guard !digests.isEmpty else {
            throw GateProblem(
                "\(quotable(file, upTo: 200)) approves no image",
                remedy: "write one digest a line: sha256: and 64 hexadecimal digits"
            )
        }
    }
}

/// Why gates can't be set up, so that nothing begins: a mistake of the user's, or a file that can't be read.
package struct GateProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// One line, without a full stop.
    package var text: String
    /// What to do, as an imperative.
    package var remedy: String

    package init(_ text: String, remedy: String) { (self.text, self.remedy) = (text, remedy) }

    package var description: String { "\(text)\n  next: \(remedy)" }
}
