internal import Content
internal import FoundationEssentials
internal import Platform

/// A tar file as `docker save` wrote it up to version 24, and as podman and other tools still do.
///
/// It holds configurations and layers but no manifest, so one is made for each image, with a new digest. Most layers
/// are uncompressed, and stay so. A layer's hash is known from the configuration; it is verified when the layer is
/// moved, like that of any blob.
///
/// - Source: moby, `image/tarexport`; containers/image, `docker/internal/tarfile`
struct DockerArchive: LayoutFiles {
    let path: String
    private let list: IndexText
    private let manifests: [Digest: Manifest]
    private let blobs: [Digest: FileRegion]

    static let manifestName = "manifest.json"
    /// The largest `manifest.json` or configuration, in bytes.
    static let largestDocument = 4 << 20
    /// The most images in one archive.
    static let mostImages = 1_000
    /// The most layers of one image; docker makes at most 127.
    static let mostLayers = 1_000
    /// The most bytes of all manifests that are made.
    static let mostManifestBytes = 16 << 20

    static let layerType = MediaType("application/vnd.docker.image.rootfs.diff.tar")
    static let compressedLayerType = MediaType("application/vnd.docker.image.rootfs.diff.tar.gzip")

    /// - Throws: ``LayoutError``, `SystemError`, `CancellationError`
    init(_ tar: TarIndex, path: String, isCancelled: () -> Bool) throws {
        self.path = path
        guard let region = try tar.member(Self.manifestName, isOnly: true) else {
            if let folder = tar.folder(of: [LayoutArchive.indexName, Self.manifestName]) {
                throw LayoutError(
                    "the image in \(path) is inside the folder '\(quotable(folder, upTo: 200))', not at the top",
                    remedy: "make the archive from inside that folder: tar -C FOLDER -cf FILE ."
                )
            }
            throw LayoutError(
                "there is neither an index.json nor a manifest.json in \(path)",
                remedy: "name a tar file that docker save, podman save, buildx or skopeo wrote"
            )
        }
        let bytes = try region.readAll(limit: Self.largestDocument)
        guard let images = try? JSONDecoder().decode([Image].self, from: Data(bytes)),
            images.count <= Self.mostImages
        else { throw Self.damaged(path, "its manifest.json is not a list of images") }
        var builder = Builder(tar: tar, path: path)
        for image in images { try builder.add(image, isCancelled: isCancelled) }
        (list, manifests, blobs) = (builder.list, builder.manifests, builder.blobs)
    }

    func index() -> IndexText? { list }

    func manifest(_ digest: Digest, as type: MediaType?) -> Manifest? { manifests[digest] }

    func blob(_ digest: Digest) -> FileRegion? { blobs[digest] }

    /// A note for the user about a manifest that was made.
    func note(about digest: Digest) -> String? {
        guard let manifest = manifests[digest] else { return nil }
        let types = Set(manifest.layers.map(\.mediaType)).map(\.rawValue).sorted().joined(separator: ", ")
        return "the archive has no manifest, so one was made: \(digest); layers are sent as they are (\(types))"
    }

    private static func damaged(_ path: String, _ problem: String) -> LayoutError {
        LayoutError("\(path) can't be read: \(problem)", remedy: "save the image again")
    }

    /// An entry of `manifest.json`.
    private struct Image: Decodable {
        var Config: String
        var RepoTags: [String]?
        var Layers: [String]?
    }

    /// The part of a configuration that contains the hashes of the layers.
    private struct Configuration: Decodable {
        struct Layers: Decodable { var diff_ids: [Digest]? }
        var rootfs: Layers?
    }

    private struct Builder {
        let tar: TarIndex
        let path: String
        var list = IndexText()
        var manifests: [Digest: Manifest] = [:]
        var blobs: [Digest: FileRegion] = [:]
        private var hashed: [Int64: Digest] = [:]
        private var byteCount = 0

        init(tar: TarIndex, path: String) { (self.tar, self.path) = (tar, path) }

        mutating func add(_ image: Image, isCancelled: () -> Bool) throws {
            let config = try member(image.Config)
            let text = try config.readAll(limit: DockerArchive.largestDocument)
            let configDigest = Digest(of: text)
            let stem = image.Config.split(separator: "/").last?.split(separator: ".").first ?? ""
            if let said = try? Digest(parsing: "sha256:\(stem)"), said != configDigest {
                throw DockerArchive.damaged(path, "'\(quotable(image.Config, upTo: 200))' hashes to \(configDigest)")
            }
            let names = image.Layers ?? []
            guard let said = try? JSONDecoder().decode(Configuration.self, from: Data(text)) else {
                throw DockerArchive.damaged(
                    path,
                    "'\(quotable(image.Config, upTo: 200))' is not an image configuration"
                )
            }
            let digests = said.rootfs?.diff_ids ?? []
            guard digests.count == names.count, names.count <= DockerArchive.mostLayers else {
                throw DockerArchive.damaged(
                    path,
                    "'\(quotable(image.Config, upTo: 200))' lists \(digests.count) layers, and manifest.json lists "
                        + "\(names.count)"
                )
            }
            var layers: [Descriptor] = []
            for (name, digest) in zip(names, digests) {
                layers.append(try layer(name, digest, isCancelled: isCancelled))
            }
            let configuration = Descriptor(
                mediaType: MediaType("application/vnd.docker.container.image.v1+json"),
                digest: configDigest,
                size: Int64(text.count)
            )
            let manifest = try Manifest(bytes: Self.text(configuration, layers), mediaType: .dockerManifest)
            byteCount += manifest.bytes.count
            guard byteCount <= DockerArchive.mostManifestBytes else {
                throw DockerArchive.damaged(path, "its images have too many layers")
            }
            blobs[configDigest] = config
            manifests[manifest.digest] = manifest
            var entry = manifest.descriptor
            for tag in image.RepoTags ?? [] {
                entry.annotations = [ImageLayout.imageNameAnnotation: tag]
                list.append(entry)
            }
            if image.RepoTags?.isEmpty ?? true { list.append(entry) }
        }

        private mutating func layer(
            _ name: String,
            _ diffID: Digest,
            isCancelled: () -> Bool
        ) throws -> Descriptor {
            let region = try member(name)
            // Some tools compress layers; such a layer has another hash than its uncompressed content.
            guard try region.read(at: 0, count: 2) == [0x1F, 0x8B] else {
                blobs[diffID] = blobs[diffID] ?? region
                return Descriptor(mediaType: DockerArchive.layerType, digest: diffID, size: region.byteCount)
            }
            let digest = try hashed[region.offset] ?? region.digest(isCancelled: isCancelled)
            hashed[region.offset] = digest
            blobs[digest] = region
            return Descriptor(mediaType: DockerArchive.compressedLayerType, digest: digest, size: region.byteCount)
        }

        private func member(_ name: String) throws -> FileRegion {
            guard let region = try tar.member(name) else {
                throw DockerArchive.damaged(
                    path,
                    "manifest.json names '\(quotable(name, upTo: 200))', which is missing"
                )
            }
            return region
        }

        /// The text of a manifest, which is the same for the same image on every machine; skopeo's differs in the
        /// layers' type.
        private static func text(_ config: Descriptor, _ layers: [Descriptor]) -> [UInt8] {
            func json(_ entry: Descriptor) -> String {
                #"{"mediaType":"\#(entry.mediaType)","size":\#(entry.size),"digest":"\#(entry.digest)"}"#
            }
            let text =
                #"{"schemaVersion":2,"mediaType":"\#(MediaType.dockerManifest)","config":\#(json(config)),"#
                + #""layers":[\#(layers.map(json).joined(separator: ","))]}"#
            return Array(text.utf8)
        }
    }
}
