import Content

@testable import Promotion

/// A source repository in memory.
struct FakeGateSource: GateSource {
    var manifests: [Digest: Manifest] = [:]
    var tags: [Tag: Digest] = [:]
    /// The referrers by subject; `nil` for a registry that doesn't list them.
    var referrers: [Digest: [Descriptor]]? = [:]
    var blobs: [Digest: [UInt8]] = [:]
    /// What ECR knows beside the content; `nil` for another registry.
    var facts: (any GateFacts)?

    struct Missing: Error, CustomStringConvertible {
        var description: String
    }

    func manifest(_ digest: Digest) async throws -> Manifest? { manifests[digest] }

    func manifest(tagged tag: Tag) async throws -> Manifest? { tags[tag].flatMap { manifests[$0] } }

    func referrers(of digest: Digest) async throws -> [Descriptor]? { referrers.map { $0[digest] ?? [] } }

    func blob(_ descriptor: Descriptor, upTo limit: Int) async throws -> [UInt8] {
        guard let bytes = blobs[descriptor.digest] else { throw Missing(description: "no blob \(descriptor.digest)") }
        guard bytes.count <= limit else { throw Missing(description: "a blob of \(bytes.count) bytes") }
        return bytes
    }
}
