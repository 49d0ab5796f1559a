import Content
import ECREmulator
import Foundation
import TestPrograms

/// Image layouts in a directory, written and read without the tool.
struct LayoutFiles: Sendable {
    let directory: String

    private func path(_ repository: String) -> String { "\(directory)/\(repository)" }

    /// Stores an image, and its root in the list of images.
    func seed(_ image: SeedImage, tag: String?, in repository: String) throws {
        let path = path(repository)
        try FileManager.default.createDirectory(
            atPath: "\(path)/blobs/sha256",
            withIntermediateDirectories: true
        )
        try write(Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), to: "\(path)/oci-layout")
        for part in image.manifests { try write(part.bytes, to: "\(path)/blobs/sha256/\(part.digest.hex)") }
        for blob in image.blobs {
            guard case .bytes(let bytes) = blob.source else { throw ChildError("\(blob.digest) is generated") }
            try write(bytes, to: "\(path)/blobs/sha256/\(blob.digest.hex)")
        }
        var entries = try entries(of: repository)
        let entry = Entry(
            mediaType: image.mediaType,
            digest: "\(image.digest)",
            size: image.bytes.count,
            annotations: tag.map { [Self.name: $0] }
        )
        guard !entries.contains(entry) else { return }
        entries.append(entry)
        let index = Index(schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: entries)
        try write(Array(JSONEncoder().encode(index)), to: "\(path)/index.json")
    }

    /// The repositories whose names contain a text.
    func repositories(containing text: String) -> [String] {
        let all = FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []
        return all.filter { $0.hasSuffix("/oci-layout") }.map { String($0.dropLast("/oci-layout".count)) }
            .filter { $0.contains(text) }
    }

    /// The digest of each name.
    func tags(of repository: String) throws -> [String: Digest] {
        var tags: [String: Digest] = [:]
        for entry in try entries(of: repository) {
            guard let tag = entry.annotations?[Self.name] else { continue }
            tags[tag] = try Digest(parsing: entry.digest)
        }
        return tags
    }

    /// The digest of every manifest and blob.
    func content(of repository: String) throws -> Set<Digest> {
        Set(try names(in: "\(path(repository))/blobs/sha256").map { try Digest(parsing: "sha256:\($0)") })
    }

    /// What a client that reads the layout would miss.
    func flaws(of repository: String) throws -> [String] {
        let content = try content(of: repository)
        var flaws: [String] = []
        var waiting = try entries(of: repository).map { try Digest(parsing: $0.digest) }
        for digest in content {
            let bytes = try contents(of: "\(path(repository))/blobs/sha256/\(digest.hex)")
            if Digest(of: bytes) != digest { flaws.append("\(digest.short) hashes to something else") }
        }
        while let next = waiting.popLast() {
            guard content.contains(next) else {
                flaws.append("manifest \(next.short) is missing")
                continue
            }
            let manifest = try Manifest(bytes: contents(of: "\(path(repository))/blobs/sha256/\(next.hex)"))
            waiting += manifest.children.map(\.digest)
            for blob in manifest.blobs where !content.contains(blob.digest) {
                flaws.append("manifest \(next.short) lacks its blob \(blob.digest.short)")
            }
        }
        return flaws
    }

    private static let name = "org.opencontainers.image.ref.name"

    private struct Index: Codable {
        var schemaVersion: Int
        var mediaType: String?
        var manifests: [Entry]
    }

    private struct Entry: Codable, Equatable {
        var mediaType: String
        var digest: String
        var size: Int
        var annotations: [String: String]?
    }

    private func entries(of repository: String) throws -> [Entry] {
        let file = "\(path(repository))/index.json"
        guard FileManager.default.fileExists(atPath: file) else { return [] }
        return try JSONDecoder().decode(Index.self, from: Data(try contents(of: file))).manifests
    }

    private func write(_ bytes: [UInt8], to file: String) throws { try Data(bytes).write(to: URL(filePath: file)) }
}
