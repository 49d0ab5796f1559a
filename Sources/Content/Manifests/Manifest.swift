/// A manifest: the bytes that were hashed, and a parsed view of them.
///
/// The bytes are never decoded and encoded again. A `Manifest` has passed every limit below, so the code that walks it
/// does not check again.
///
/// - Limit: ``largestByteCount`` bytes, ``deepestNesting`` levels of JSON.
/// - Source: OCI image-spec 1.1; docker distribution schema 2; docs/facts/image-formats.md#media-types and
///   #walking-a-graph
public struct Manifest: Sendable, Hashable {
    public enum Kind: Sendable { case image, index, artifact }

    /// The bytes as stored, to the last space and newline; empty in an ``outline()``.
    public private(set) var bytes: [UInt8]
    /// The length of ``bytes``, also in an outline.
    public let byteCount: Int
    /// SHA-256 of ``bytes``.
    public let digest: Digest
    /// The media type, from the manifest itself, the registry, or the members, in that order.
    public let mediaType: MediaType
    public let kind: Kind
    /// The config of an image; absent in an index and in an artifact manifest.
    public let config: Descriptor?
    /// The layers of an image, or the `blobs` of an artifact manifest, in order, including repeats.
    public private(set) var layers: [Descriptor]
    /// The entries of an index, in order, without ``oddEntries``: manifests, and blobs in a build cache.
    public private(set) var entries: [Descriptor]
    /// The manifests among ``entries``, in order.
    public private(set) var children: [Descriptor]
    /// The entries of an index that can't be used, in order.
    ///
    /// A list of referrers is used without them. An index with such an entry can't be copied: the entry's content would
    /// be missing at the destination.
    public let oddEntries: [OddEntry]
    /// The manifest that this one refers to, if it is a referrer.
    public let subject: Descriptor?
    public let artifactType: String?
    public private(set) var annotations: [String: String]
    /// The number of descriptors whose inline `data` is not their content and is ignored.
    public let badDataCount: Int

    /// The largest manifest, in bytes (`imageManifest`, docs/facts/ecr-api.md#fields).
    public static let largestByteCount = 4_194_304
    /// The most levels of arrays and objects; real manifests use five or six.
    public static let deepestNesting = 64
    /// The most descriptors in one manifest.
    ///
    /// 4 MiB could hold more, but real images have far fewer.
    public static let mostDescriptors = 20_000

    /// The limits of one document.
    public struct Limits: Sendable {
        public var byteCount: Int
        public var descriptors: Int

        public init(byteCount: Int, descriptors: Int) {
            (self.byteCount, self.descriptors) = (byteCount, descriptors)
        }

        /// The limits of a manifest in a registry.
        public static let stored = Limits(byteCount: largestByteCount, descriptors: mostDescriptors)
        /// The limits of the `index.json` of an image layout, which is never sent to a registry: two tags, of 320 bytes
        /// each, for each of the 100,000 images that a repository may have (docs/facts/quotas.md#limits).
        public static let layoutIndex = Limits(byteCount: 64 << 20, descriptors: 200_000)
    }

    /// - Parameters:
    ///   - mediaType: The registry's `Content-Type`; `nil` or empty if it gave none.
    /// - Throws: ``ManifestError``, which describes the reason.
    public init(bytes: [UInt8], mediaType stated: MediaType? = nil) throws(ManifestError) {
        try self.init(bytes: bytes, mediaType: stated, within: .stored)
    }

    init(bytes: [UInt8], mediaType stated: MediaType?, within limits: Limits) throws(ManifestError) {
        try Self.check(bytes, within: limits)
        let document = try ManifestDocument(parsing: bytes)
        let mediaType = document.mediaType(stated: stated)
        guard !mediaType.isSchema1, document.schemaVersion != 1 else { throw .schema1 }
        if let version = document.schemaVersion, version != 2 { throw .unknownSchema(version) }
        guard mediaType.isManifest else { throw .unknownMediaType(mediaType) }

        self.bytes = bytes
        byteCount = bytes.count
        self.digest = Digest(of: bytes)
        self.mediaType = mediaType
        kind = mediaType.isIndex ? .index : mediaType.isArtifactManifest ? .artifact : .image
        // In a document that is both, a registry and a client could see two different images (CVE-2021-41190).
        if kind == .index, document.config != nil || document.layers != nil { throw .ambiguous }
        if kind != .index, document.manifests != nil { throw .ambiguous }
        config = try kind == .image ? document.config?.checked(in: "config") : nil
        layers = try Self.descriptors(kind == .artifact ? document.blobs : document.layers, "layers", limits)
        (entries, oddEntries) = try Self.entries(kind == .index ? document.manifests ?? [] : [], limits)
        children = entries.filter { $0.mediaType.isManifestOrUnknown }
        subject = try document.subject?.checked(in: "subject")
        artifactType = document.artifactType ?? (config?.mediaType != .ociEmpty ? config?.mediaType.rawValue : nil)
        annotations = document.annotations?.value ?? [:]
        badDataCount = document.badDataCount
        guard kind != .image || config != nil else { throw .noConfig }
    }

    /// The config, the layers, and the blobs that an index lists, each digest once, in order of appearance.
    ///
    /// Foreign layers are left out, because the registry need not have them
    /// (docs/facts/image-formats.md#walking-a-graph). If several descriptors have one digest, the first with inline
    /// content is taken.
    public var blobs: [Descriptor] {
        let all = ([config].compactMap { $0 } + layers + blobEntries).filter { !$0.isForeign }
        var places: [Digest: Int] = [:]
        var distinct: [Descriptor] = []
        for blob in all {
            guard let place = places[blob.digest] else {
                places[blob.digest] = distinct.count
                distinct.append(blob)
                continue
            }
            if distinct[place].data == nil, blob.data != nil { distinct[place] = blob }
        }
        return distinct
    }

    /// The blobs that an index lists as if they were manifests, as BuildKit's older build caches do.
    ///
    /// - Source: github.com/moby/buildkit issue 2251
    public var blobEntries: [Descriptor] {
        // Every child is an entry, so equal counts mean that no entry is a blob.
        guard entries.count > children.count else { return [] }
        let manifests = Set(children.map(\.digest))
        return entries.filter { !manifests.contains($0.digest) }
    }

    /// Returns this index with some entries treated as blobs, where the media type does not say what they are.
    ///
    /// containerd does so with every media type that it doesn't know.
    ///
    /// - Parameter digests: The digests that the registry holds as blobs and not as manifests.
    public func takingForBlobs(_ digests: Set<Digest>) -> Manifest {
        var index = self
        index.children.removeAll { digests.contains($0.digest) && !$0.mediaType.isManifest }
        return index
    }

    /// Whether this is a build cache in BuildKit's older form, an index of layers.
    ///
    /// With `image-manifest=true` BuildKit writes an image manifest instead, which any registry accepts.
    public var isBuildCache: Bool { entries.contains { $0.mediaType == .buildKitCacheConfig } }

    /// The foreign layers, each digest once.
    public var foreignBlobs: [Descriptor] {
        var seen: Set<Digest> = []
        return layers.filter { $0.isForeign && seen.insert($0.digest).inserted }
    }

    /// A descriptor of this manifest.
    public var descriptor: Descriptor {
        Descriptor(mediaType: mediaType, digest: digest, size: Int64(byteCount))
    }

    /// The verbatim text, for `PutImage`, which takes a string.
    ///
    /// The bytes were checked to be UTF-8 when the manifest was read, so nothing is lost.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    private static func descriptors(
        _ documents: [ManifestDocument.Entry]?,
        _ member: String,
        _ limits: Limits
    ) throws(ManifestError) -> [Descriptor] {
        let documents = documents ?? []
        guard documents.count <= limits.descriptors else {
            throw .tooMany(member, documents.count, limit: limits.descriptors)
        }
        var all: [Descriptor] = []
        for (index, document) in documents.enumerated() {
            all.append(try document.checked(in: "\(member)[\(index)]"))
        }
        return all
    }

    /// Splits the entries of an index into descriptors and odd entries.
    private static func entries(
        _ documents: [ManifestDocument.LenientEntry],
        _ limits: Limits
    ) throws(ManifestError) -> ([Descriptor], [OddEntry]) {
        guard documents.count <= limits.descriptors else {
            throw .tooMany("manifests", documents.count, limit: limits.descriptors)
        }
        var all: [Descriptor] = []
        var odd: [OddEntry] = []
        for (position, document) in documents.enumerated() {
            switch document.checked {
            case .success(let descriptor): all.append(descriptor)
            case .failure(let problem): odd.append(OddEntry(position, digest: document.digest, problem.reason))
            }
        }
        return (all, odd)
    }

    /// Checks the bytes before a parser reads them.
    static func check(_ bytes: [UInt8], within limits: Limits) throws(ManifestError) {
        guard bytes.count <= limits.byteCount else { throw .tooLarge(bytes.count, limit: limits.byteCount) }
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .notUTF8 }
        // Foundation's parser skips these bytes, or reads them as a sign of UTF-16 or UTF-32; other parsers refuse them.
        guard !bytes.starts(with: [0xEF, 0xBB, 0xBF]) else { throw .notJSON("it begins with a byte order mark") }
        guard !bytes.contains(0) else { throw .notJSON("it contains a NUL byte") }
        let shape = JSONShape(bytes)
        guard shape.depth <= deepestNesting else { throw .tooDeep }
        // A descriptor is an object with up to about ten members, including annotations and a platform.
        guard shape.containers <= 5 * limits.descriptors else {
            throw .tooMany("objects", shape.containers, limit: 5 * limits.descriptors)
        }
        guard shape.separators <= 8 * limits.descriptors else {
            throw .tooMany("members", shape.separators, limit: 8 * limits.descriptors)
        }
    }
}

extension Manifest {
    /// Returns the parts that a plan needs, without the text, because many large manifests don't fit into memory.
    ///
    /// The bytes are read again before the manifest is put.
    public func outline() -> Manifest {
        var outline = self
        outline.bytes = []
        outline.annotations = [:]
        outline.layers = layers.map(\.withoutText)
        outline.children = children.map(\.withoutText)
        outline.entries = entries.map(\.withoutText)
        return outline
    }

    public var isOutline: Bool { bytes.isEmpty }

    /// The approximate memory use, in bytes: the text, the strings parsed from it, and the descriptors.
    public var footprint: Int {
        2 * bytes.count + Self.descriptorFootprint * (layers.count + children.count + entries.count + 2)
    }

    /// The memory of one descriptor with its digest and media type, in bytes; measured.
    private static let descriptorFootprint = 400
}

extension Descriptor {
    /// Returns the descriptor with only the members that are needed to copy its content.
    fileprivate var withoutText: Descriptor {
        var bare = self
        bare.data = nil
        bare.annotations = isAttestation ? annotations.filter { $0.key == "vnd.docker.reference.type" } : [:]
        return bare
    }
}

/// An entry of an index that can't be used, for example because its digest is of an unknown kind or its size is
/// missing.
public struct OddEntry: Sendable, Hashable {
    /// The index of the entry in `manifests`.
    public let position: Int
    /// The entry's digest, if that is valid and something else is wrong.
    public let digest: Digest?
    /// The reason for which it can't be used, as printable text.
    public let reason: String

    init(_ position: Int, digest: Digest?, _ reason: String) {
        (self.position, self.digest, self.reason) = (position, digest, reason)
    }

    /// The error for an index with this entry.
    public var error: ManifestError { .badDescriptor(member: "manifests[\(position)]", reason: reason) }
}

/// The reason for which bytes are not a manifest that can be copied.
public enum ManifestError: Error, Equatable, Sendable {
    case tooLarge(Int, limit: Int = Manifest.largestByteCount)
    case tooDeep
    case tooMany(String, Int, limit: Int = Manifest.mostDescriptors)
    case notUTF8
    case notJSON(String)
    case schema1
    case unknownSchema(Int)
    case unknownMediaType(MediaType)
    case ambiguous
    case noConfig
    case badDescriptor(member: String, reason: String)
    /// The answer has a `Content-Encoding` that was not requested and can't be decoded.
    case encoded(String)
}

extension ManifestError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooLarge(let count, let limit): "the manifest has \(count) bytes; at most \(limit) are allowed"
        case .tooDeep: "the manifest is nested more than \(Manifest.deepestNesting) levels deep"
        case .tooMany(let member, let count, let limit):
            "the manifest has \(count) \(member); at most \(limit) are allowed"
        case .notUTF8: "the manifest is not UTF-8 text"
        case .notJSON(let reason): "the manifest is not valid: \(printable(reason, upTo: 200))"
        case .schema1:
            "the manifest is docker schema 1, whose digest is not that of its bytes, so it can't be copied "
                + "unchanged; push the image again with a current docker"
        case .unknownSchema(let version): "the manifest has schemaVersion \(version); only 2 is known"
        case .unknownMediaType(let type): "the media type '\(clipped(type.rawValue))' is not one of a manifest"
        case .ambiguous: "the manifest claims to be an image and an index at once"
        case .noConfig: "the image manifest names no config"
        case .encoded(let encoding):
            "the manifest came with Content-Encoding '\(encoding)', which was not requested and can't be decoded"
        case .badDescriptor(let member, let reason): "the manifest's \(member) is not a descriptor: \(reason)"
        }
    }
}
