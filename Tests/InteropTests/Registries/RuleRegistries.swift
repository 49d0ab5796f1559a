import Content
import ECREmulator
import Foundation
import TestPrograms
import Testing

/// What rules about plain registries and layouts need: files, and content that no client has pushed.
struct RuleRegistries: Sendable {
    /// The working directory of each command.
    let folder: String

    static let app = SeedImage.oci("app", layers: [300, 400])
    static let multi = SeedImage.twoPlatforms("multi", layersEach: [300], isAttested: false)
    static let web = SeedImage.docker("web", layers: [250])

    /// Writes a rule file.
    ///
    /// - Parameter registries: The place of each registry, as in `host: "…"`.
    func write(_ registries: [String: String], _ rules: String, to name: String = "rules.yaml") throws {
        let places = registries.sorted { $0.key < $1.key }.map { "  \($0.key): { \($0.value) }" }
        let text = "version: 1\nregistries:\n\(places.joined(separator: "\n"))\nrules:\n\(rules)\n"
        try TestPrograms.write(text, to: "\(folder)/\(name)")
    }

    func run(_ command: String, _ more: String...) async throws -> Ended {
        try await TestPrograms.run(.ecrReplicate, [command, "-f", "rules.yaml"] + more, directory: folder)
    }

    /// Runs a command, which must end with this status.
    ///
    /// - Returns: The summary, the last line of standard error.
    @discardableResult
    func run(_ command: String, ends status: Int32, _ place: SourceLocation = #_sourceLocation) async throws -> String {
        let ended = try await run(command)
        #expect(ended.exitCode == status, "\(ended.output)\(ended.errors)", sourceLocation: place)
        return ended.errors.split(separator: "\n").last { $0.hasPrefix("\(command): ") }.map(String.init) ?? ""
    }
}

extension RealRegistry {
    /// The place of this registry in a rule file.
    var place: String { "host: \"http://\(authority)\"" }

    /// Stores an image of which every blob is small.
    func store(_ image: SeedImage, _ tag: String?, in repository: String) throws {
        try store(
            manifests: image.manifests.map { ($0.digest.hex, $0.bytes) },
            blobs: image.blobs.map { blob in
                guard case .bytes(let bytes) = blob.source else { throw ChildError("\(blob.digest) is generated") }
                return (blob.digest.hex, bytes)
            },
            tag: tag,
            in: repository
        )
    }

    /// Stores the list of an image's referrers, under the tag that is for registries without the referrers request.
    ///
    /// - Source: OCI distribution-spec 1.1, "Referrers Tag Schema"
    func list(_ referrer: SeedImage, asReferrerTo subject: SeedImage, in repository: String) throws {
        let entry =
            #"{"mediaType":"\#(referrer.mediaType)","digest":"\#(referrer.digest)","size":\#(referrer.bytes.count),"#
            + #""artifactType":"application/spdx+json"}"#
        let type = "application/vnd.oci.image.index.v1+json"
        let bytes = Array(#"{"schemaVersion":2,"mediaType":"\#(type)","manifests":[\#(entry)]}"#.utf8)
        let tag = "sha256-\(subject.digest.hex)"
        try store(manifests: [(Digest(of: bytes).hex, bytes)], blobs: [], tag: tag, in: repository)
    }

    /// Whether a repository has every manifest and blob of an image, byte for byte.
    func holds(_ image: SeedImage, in repository: String) throws -> Bool {
        let (manifests, blobs) = (try manifests(of: repository), try blobs(of: repository))
        return image.manifests.allSatisfy { manifests["\($0.digest)"] == $0.bytes }
            && image.blobs.allSatisfy { blob in blobs["\(blob.digest)"].map { Digest(of: $0) } == blob.digest }
    }
}

/// An image layout on disk, read without the tool.
struct LayoutFolder {
    let path: String

    private struct Index: Decodable { var manifests: [Entry] }
    private struct Entry: Decodable {
        var digest: String
        var annotations: [String: String]?
    }

    var index: [UInt8] { get throws { try contents(of: "\(path)/index.json") } }

    /// The digest of each name.
    var tags: [String: String] {
        get throws {
            let index = try JSONDecoder().decode(Index.self, from: Data(try index))
            let named = index.manifests.compactMap { entry in
                entry.annotations?["org.opencontainers.image.ref.name"].map { ($0, entry.digest) }
            }
            return Dictionary(named) { first, _ in first }
        }
    }

    /// Whether it has every manifest and blob of an image, byte for byte.
    func holds(_ image: SeedImage) throws -> Bool {
        try (image.manifests.map(\.digest) + image.blobs.map(\.digest)).allSatisfy { digest in
            try Digest(of: contents(of: "\(path)/blobs/sha256/\(digest.hex)")) == digest
        }
    }
}
