import Content
import Wire

@testable import Replicate

/// A test image; the bytes of each layer are its name.
struct FakeImage: Sendable {
    /// The root last; children before parents.
    var manifests: [Manifest]
    /// The blobs that a registry needs for it.
    var blobs: [Descriptor]

    var root: Manifest { manifests[manifests.count - 1] }
    var digest: Digest { root.digest }

    static func blob(_ text: String, _ type: MediaType = .ociLayer) -> Descriptor {
        Descriptor(mediaType: type, digest: Digest(of: Array(text.utf8)), size: Int64(text.utf8.count))
    }

    /// - Parameters:
    ///   - foreign: The names of foreign layers, which have `urls` and are in no registry.
    static func image(
        _ name: String,
        layers: [String] = ["base", "app"],
        foreign: [String] = [],
        subject: Digest? = nil
    ) throws -> FakeImage {
        let config = blob("config of \(name)", .ociConfig)
        let own = layers.map { blob($0) }
        let elsewhere = foreign.map { blob($0, .dockerForeignLayer) }
        let layers = own.map { json($0) } + elsewhere.map { json($0, #","urls":["https://x.test/l"]"#) }
        var members = [
            #""schemaVersion":2"#, #""mediaType":"\#(MediaType.ociManifest)""#, #""config":\#(json(config))"#,
            #""layers":[\#(layers.joined(separator: ","))]"#,
        ]
        if let subject {
            members.append(#""subject":\#(json(Descriptor(mediaType: .ociManifest, digest: subject, size: 9)))"#)
        }
        let manifest = try Manifest(bytes: Array("{\(members.joined(separator: ","))}".utf8), mediaType: .ociManifest)
        return FakeImage(manifests: [manifest], blobs: [config] + own)
    }

    /// - Parameters:
    ///   - attestations: Each with the index of the child that it is about.
    static func index(
        _ children: [(platform: String?, image: FakeImage)],
        attestations: [(about: Int, image: FakeImage)] = []
    ) throws -> FakeImage {
        var entries: [String] = []
        for (platform, child) in children {
            let parts = platform?.split(separator: "/").map(String.init) ?? []
            let platformMember =
                parts.count < 2
                ? "" : #","platform":{"architecture":"\#(parts[1])","os":"\#(parts[0])"}"#
            entries.append(json(child.root.descriptor, platformMember))
        }
        for (about, image) in attestations {
            let digest = children[about].image.digest
            entries.append(
                json(
                    image.root.descriptor,
                    #","annotations":{"vnd.docker.reference.digest":"\#(digest)","#
                        + #""vnd.docker.reference.type":"attestation-manifest"},"#
                        + #""platform":{"architecture":"unknown","os":"unknown"}"#
                )
            )
        }
        let list = entries.joined(separator: ",")
        let text = #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[\#(list)]}"#
        let manifest = try Manifest(bytes: Array(text.utf8), mediaType: .ociIndex)
        let parts = children.map(\.image) + attestations.map(\.image)
        return FakeImage(manifests: parts.flatMap(\.manifests) + [manifest], blobs: parts.flatMap(\.blobs))
    }

    /// An index that lists blobs, as BuildKit's older build caches do.
    static func buildCache(layers: [String] = ["cached 1", "cached 2"], record: String? = "record") throws -> FakeImage
    {
        let blobs = layers.map { blob($0) } + [record].compactMap { $0 }.map { blob($0, .buildKitCacheConfig) }
        let list = blobs.map { json($0) }.joined(separator: ",")
        let text = #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[\#(list)]}"#
        return FakeImage(manifests: [try Manifest(bytes: Array(text.utf8), mediaType: .ociIndex)], blobs: blobs)
    }

    private static func json(_ descriptor: Descriptor, _ more: String = "") -> String {
        #"{"mediaType":"\#(descriptor.mediaType)","digest":"\#(descriptor.digest)","size":\#(descriptor.size)\#(more)}"#
    }
}

extension FakeRepository {
    /// Stores an image as a push would.
    func seed(_ image: FakeImage, tag: String? = nil) throws {
        for manifest in image.manifests { manifests[manifest.digest] = manifest }
        blobs.formUnion(image.blobs.map(\.digest))
        if let tag { tags[try Tag(parsing: tag)] = image.digest }
    }

    func tag(_ text: String) throws -> Digest? { tags[try Tag(parsing: text)] }

    /// Whether all manifests and blobs of the image are stored.
    func holds(_ image: FakeImage) -> Bool {
        image.manifests.allSatisfy { manifests[$0.digest]?.bytes == $0.bytes }
            && blobs.isSuperset(of: image.blobs.map(\.digest))
    }
}

/// A blob for tests of how uploads begin; it sends no bytes and answers as if the destination had stored it.
struct SentBlob: IncomingBlob {
    let blob: Descriptor
    var sibling: RepositoryName? { nil }

    init(_ blob: Descriptor) { self.blob = blob }

    func noteOpened() {}

    func send(to sink: RelaySink) -> WireResponse { WireResponse(status: .created) }
}
