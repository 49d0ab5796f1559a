internal import AWSIdentity
internal import Content
internal import FoundationEssentials

/// A list of tags in a text file: a tag in each line, then the time of the push and the digest, if they are known.
///
/// Lines as `ls` prints them are read too. Empty lines and lines that begin with `#` are left out.
package struct TagListing: Sendable {
    package var candidates: [TagCandidate]

    /// The largest list, in bytes; a repository of 100,000 images has some 10 MB.
    package static let largest = 64 << 20

    /// A line that can't be read.
    package struct Fault: Error, Sendable, CustomStringConvertible {
        package let file: String
        package let line: Int
        package let problem: String
        package var description: String { "\(quotable(file)):\(line): \(problem)" }
    }

    /// - Throws: ``Fault`` for the first line that can't be read.
    package init(parsing text: String, file: String) throws(Fault) {
        candidates = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            func fault(_ problem: String) -> Fault { Fault(file: file, line: index + 1, problem: problem) }
            let tag: Tag
            do {
                tag = try Tag(parsing: first)
            } catch {
                throw fault("\(error)")
            }
            var candidate = TagCandidate(tag)
            var rest = words.dropFirst()
            if let word = rest.first(where: { $0.hasPrefix("sha256:") }) {
                candidate.digest = try? Digest(parsing: word)
                if candidate.digest == nil { throw fault("'\(quotable(word, upTo: 100))' is not a digest") }
                if rest.first == word {
                    // As ls prints it: the size and the time follow.
                    candidate.pushedAt = rest.dropFirst().filter { $0.contains("T") }.compactMap(AWSTime.parse).first
                    rest = []
                } else {
                    rest.removeLast()
                }
            }
            if !rest.isEmpty {
                let written = rest.joined(separator: " ")
                candidate.pushedAt = AWSTime.parse(written)
                if candidate.pushedAt == nil {
                    throw fault("'\(quotable(written, upTo: 100))' is not a time; write it as 2026-01-15T12:00:00Z")
                }
            }
            candidates.append(candidate)
        }
    }
}
