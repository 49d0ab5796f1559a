import Foundation

/// What a registry was asked, and what it has on disk.
///
/// - Source: distribution, "registry/storage/paths.go"
extension RealRegistry {
    /// Returns the requests that were answered so far, as `METHOD PATH`, without queries.
    ///
    /// A last request marks the end of the log, because the lines of earlier ones may still be on their way. It needs
    /// curl, and a registry without TLS and credentials.
    public func requests() async throws -> [String] {
        let mark = "/v2/mark-\(UInt64.random(in: .min ... .max))/tags/list"
        let asked = try await run(.curl, ["-qsS", "-o", "/dev/null", "http://\(authority)\(mark)"])
        guard asked.exitCode == 0 else { throw ChildError("curl: \(asked.errors)") }
        _ = try await log.first { $0.contains(mark) }
        let lines = String(decoding: log.bytes, as: UTF8.self).split(separator: "\n").compactMap { line -> String? in
            // As in Apache's log: ADDRESS - USER [TIME] "METHOD PATH HTTP/1.1" STATUS …
            let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
            guard parts.count > 1 else { return nil }
            let words = parts[1].split(separator: " ")
            return words.count == 3 ? "\(words[0]) \(words[1].prefix { $0 != "?" })" : nil
        }
        return lines.filter { !$0.contains("/v2/mark-") }
    }

    /// Returns the digest of each tag of a repository, as it is on disk.
    public func tags(of repository: String) throws -> [String: String] {
        let folder = "\(repositories)/\(repository)/_manifests/tags"
        var tags: [String: String] = [:]
        for tag in names(in: folder) {
            tags[tag] = String(decoding: try contents(of: "\(folder)/\(tag)/current/link"), as: UTF8.self)
        }
        return tags
    }

    /// Returns the bytes of every manifest of a repository by digest, as they are on disk.
    public func manifests(of repository: String) throws -> [String: [UInt8]] {
        var manifests: [String: [UInt8]] = [:]
        let folder = "\(repositories)/\(repository)/_manifests/revisions/sha256"
        for hex in names(in: folder) where names(in: "\(folder)/\(hex)") == ["link"] {
            manifests["sha256:\(hex)"] = try contents(of: blobPath(hex))
        }
        return manifests
    }

    /// Returns the bytes of every config and layer of a repository by digest, as they are on disk.
    public func blobs(of repository: String) throws -> [String: [UInt8]] {
        var blobs: [String: [UInt8]] = [:]
        for hex in names(in: "\(repositories)/\(repository)/_layers/sha256") {
            blobs["sha256:\(hex)"] = try contents(of: blobPath(hex))
        }
        return blobs
    }

    /// Stores blobs and manifests without a request.
    ///
    /// - Parameters:
    ///   - manifests: Children first; the last one gets the tag. Digest and bytes of each.
    ///   - tag: `nil` for a manifest without one.
    public func store(
        manifests: [(hex: String, bytes: [UInt8])],
        blobs: [(hex: String, bytes: [UInt8])],
        tag: String?,
        in repository: String
    ) throws {
        let folder = "\(repositories)/\(repository)"
        for (hex, bytes) in manifests + blobs {
            try makeDirectory(String(blobPath(hex).dropLast("/data".count)))
            try Data(bytes).write(to: URL(filePath: blobPath(hex)))
        }
        func link(_ hex: String, at place: String) throws {
            try makeDirectory("\(folder)/\(place)")
            try Data("sha256:\(hex)".utf8).write(to: URL(filePath: "\(folder)/\(place)/link"))
        }
        for (hex, _) in blobs { try link(hex, at: "_layers/sha256/\(hex)") }
        for (hex, _) in manifests { try link(hex, at: "_manifests/revisions/sha256/\(hex)") }
        guard let tag, let root = manifests.last?.hex else { return }
        try link(root, at: "_manifests/tags/\(tag)/current")
        try link(root, at: "_manifests/tags/\(tag)/index/sha256/\(root)")
    }

    /// Removes a manifest from a repository without a request; what names it stays.
    public func lose(manifest hex: String, of repository: String) throws {
        let link = "\(repositories)/\(repository)/_manifests/revisions/sha256/\(hex)/link"
        try FileManager.default.removeItem(atPath: link)
    }

    private var repositories: String { "\(root)/docker/registry/v2/repositories" }

    private func blobPath(_ hex: String) -> String {
        "\(root)/docker/registry/v2/blobs/sha256/\(hex.prefix(2))/\(hex)/data"
    }
}
