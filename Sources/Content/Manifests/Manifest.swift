/// A manifest: the bytes that were hashed, and what they say.
///
/// The bytes are never decoded and encoded again; everything else here is a view on them. A `Manifest` in hand
/// has passed every limit below, so what walks it needs no checks of its own.
///
/// - Limit: ``largestByteCount`` bytes, ``deepestNesting`` levels of JSON.
/// - Source: OCI image-spec 1.1; docker distribution schema 2; docs/facts/image-formats.md#media-types and
///   #walking-a-graph
public struct Manifest: Sendable, Hashable {
    public enum Kind: Sendable { case image, index, artifact }

    /// As stored, to the last space and newline.
    ///
    /// Empty in an ``outline()``.
    public private(set) var bytes: [UInt8]
    /// How many ``bytes`` there are, of an outline too.
    public let byteCount: Int
    /// SHA-256 of ``bytes``.
    public let digest: Digest
    /// As the registry said it, else as the manifest says, else as its shape says.
    public let mediaType: MediaType
    public let kind: Kind
    /// Absent in an index and in an artifact manifest.
    public let config: Descriptor?
    /// The layers of an image, or the `blobs` of an artifact manifest, in order, repeats included.
    public private(set) var layers: [Descriptor]
    /// What an index lists, in order, without ``oddEntries``: manifests, and blobs where it is a build cache.
    public private(set) var entries: [Descriptor]
    /// The manifests an index names, in order, without ``oddEntries``.
    public private(set) var children: [Descriptor]
    /// The entries of an index that can't be used, in order.
    ///
    /// A list of referrers does without them. An index that has any can't be copied whole: what a copier can't read it
    /// can't bring, and the registry would hold half an image.
    public let oddEntries: [OddEntry]
    /// What this manifest is about, if it is a referrer.
    public let subject: Descriptor?
    public let artifactType: String?
    public private(set) var annotations: [String: String]
    /// How many descriptors carry `data` that is not their content; it is ignored.
    public let badDataCount: Int

    /// In bytes (`imageManifest`, docs/facts/ecr-api.md#fields).
    public static let largestByteCount = 4_194_304
    /// Levels of arrays and objects; real manifests use five or six.
    public static let deepestNesting = 64
    /// Descriptors of one manifest; 4 MiB of them could be more, no real image comes near.
    public static let mostDescriptors = 20_000

    /// How much one document may hold.
    public struct Limits: Sendable {
        public var byteCount: Int
        public var descriptors: Int

        public init(byteCount: Int, descriptors: Int) {
            (self.byteCount, self.descriptors) = (byteCount, descriptors)
        }

        /// What a registry takes.
        public static let stored = Limits(byteCount: largestByteCount, descriptors: mostDescriptors)
        /// The `index.json` of an image layout, which no registry has to take: two tags, of 320 bytes each, for
        /// each of the 100,000 images that a repository may have (docs/facts/quotas.md#limits).
        public static let layoutIndex = Limits(byteCount: 64 << 20, descriptors: 200_000)
    }

    /// - Parameters:
    ///   - mediaType: What the registry said it is; `nil` or empty if it said nothing.
    /// - Throws: ``ManifestError``, with the reason in words.
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
        // A document that is both lets a registry and a client see two different images (CVE-2021-41190).
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

    /// Configuration, layers and the blobs that an index lists, each digest once, in order of appearance.
    ///
    /// Foreign layers are left out: nothing promises that the registry has them
    /// (docs/facts/image-formats.md#walking-a-graph). Of several descriptors for one digest the first that carries the
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

    /// The blobs that an index lists as if they were manifests, which is how BuildKit's older build caches look.
    ///
    /// - Source: github.com/moby/buildkit issue 2251
    public var blobEntries: [Descriptor] { entries.filter { !$0.mediaType.isManifestOrUnknown } }

    /// Whether this is a build cache in BuildKit's older form, an index of layers.
    ///
    /// With `image-manifest=true` BuildKit writes an image manifest instead, which any registry takes.
    public var isBuildCache: Bool { entries.contains { $0.mediaType == .buildKitCacheConfig } }

    /// The foreign layers, each digest once.
    public var foreignBlobs: [Descriptor] {
        var seen: Set<Digest> = []
        return layers.filter { $0.isForeign && seen.insert($0.digest).inserted }
    }

    /// This manifest as something to point at.
    public var descriptor: Descriptor {
        Descriptor(mediaType: mediaType, digest: digest, size: Int64(byteCount))
    }

    /// The verbatim text, for `PutImage`, which takes a string.
    ///
    /// The bytes were checked to be UTF-8 when the manifest was read, so this loses nothing.
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

    /// The entries of an index, and those that aren't descriptors.
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

    /// Everything that must hold before a parser sees the bytes.
    static func check(_ bytes: [UInt8], within limits: Limits) throws(ManifestError) {
        guard bytes.count <= limits.byteCount else { throw .tooLarge(bytes.count, limit: limits.byteCount) }
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .notUTF8 }
        // Foundation's parser takes either for a sign of UTF-16 or UTF-32, or skips it; everybody else's refuses.
        guard !bytes.starts(with: [0xEF, 0xBB, 0xBF]) else { throw .notJSON("it begins with a byte order mark") }
        guard !bytes.contains(0) else { throw .notJSON("it holds a NUL byte") }
        let shape = JSONShape(bytes)
        guard shape.depth <= deepestNesting else { throw .tooDeep }
        // A descriptor is an object with up to about ten members, annotations and a platform in it.
        guard shape.containers <= 5 * limits.descriptors else {
            throw .tooMany("objects", shape.containers, limit: 5 * limits.descriptors)
        }
        guard shape.separators <= 8 * limits.descriptors else {
            throw .tooMany("members", shape.separators, limit: 8 * limits.descriptors)
        }
    }
}

extension Manifest {
    /// What a plan needs of a manifest, without its text: where many large ones don't fit into memory together.
    ///
    /// Its bytes are read again before it is put.
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

    /// About how much memory it takes, in bytes: its text, the strings that were made of it, and its descriptors.
    public var footprint: Int {
        2 * bytes.count + Self.descriptorFootprint * (layers.count + children.count + entries.count + 2)
    }

    /// In bytes, with a digest and a media type of their own; measured.
    private static let descriptorFootprint = 400
}

extension Descriptor {
    /// Without what isn't needed to copy what it points at.
    fileprivate var withoutText: Descriptor {
        var bare = self
        bare.data = nil
        bare.annotations = isAttestation ? annotations.filter { $0.key == "vnd.docker.reference.type" } : [:]
        return bare
    }
}

/// An entry of an index that can't be used: its digest is of a kind that is not known, say, or it has no size.
public struct OddEntry: Sendable, Hashable {
    /// Its place in `manifests`, counted from 0.
    public let position: Int
    /// The manifest that it names, where its digest is a good one and something else is wrong.
    public let digest: Digest?
    /// Why it can't be used, printable.
    public let reason: String

    init(_ position: Int, digest: Digest?, _ reason: String) {
        (self.position, self.digest, self.reason) = (position, digest, reason)
    }

    /// Why an index with this entry can't be copied.
    public var error: ManifestError { .badDescriptor(member: "manifests[\(position)]", reason: reason) }
}

/// Why bytes are not a manifest that can be copied.
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
    /// The answer has a `Content-Encoding` that was not asked for and can't be decoded.
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
        case .notJSON(let reason): "the manifest is not the JSON it should be: \(printable(reason, upTo: 200))"
        case .schema1:
            "the manifest is docker schema 1, which hashes something else than its bytes and can't be copied as it "
                + "is; push the image again with a docker of this decade"
        case .unknownSchema(let version): "the manifest has schemaVersion \(version); only 2 is known"
        case .unknownMediaType(let type): "the media type '\(clipped(type.rawValue))' is not one of a manifest"
        case .ambiguous: "the manifest claims to be an image and an index at once"
        case .noConfig: "the image manifest names no config"
        case .encoded(let encoding):
            "the manifest came with Content-Encoding '\(encoding)', which was not asked for and can't be decoded"
        case .badDescriptor(let member, let reason): "the manifest's \(member) is not a descriptor: \(reason)"
        }
    }
}
