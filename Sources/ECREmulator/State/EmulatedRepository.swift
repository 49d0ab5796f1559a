internal import Content
internal import FoundationEssentials

/// One repository: its blobs, manifests and tags, and the rules between them.
struct EmulatedRepository: Codable, Sendable {
    let account: String
    let region: String
    let name: String
    let createdAt: Date
    var mutability = TagMutability()
    var encryption = Encryption()
    var scansOnPush = false
    var resourceTags: [String: String] = [:]
    var policy: StoredPolicy?
    var lifecyclePolicy: String?
    /// The result of the last lifecycle policy preview; `nil` for none.
    var preview: LifecyclePreview?

    var images: [Digest: EmulatedImage] = [:]
    var tags: [String: Digest] = [:]
    var blobs: [Digest: EmulatedBlob] = [:]
    var uploads: [String: EmulatedUpload] = [:]

    struct Encryption: Codable, Sendable, Equatable {
        var type = "AES256"
        var key: String?
    }

    init(account: String, region: String, name: String, createdAt: Date) {
        self.account = account
        self.region = region
        self.name = name
        self.createdAt = createdAt
    }

    var arn: String { "arn:\(AWSPartition(ofRegion: region).rawValue):ecr:\(region):\(account):repository/\(name)" }

    /// Returns the tags that point at `digest`, in order.
    func tags(of digest: Digest) -> [String] {
        tags.filter { $0.value == digest }.keys.sorted()
    }

    /// Returns the tags of several images, in order, with one look at all tags.
    func tags(of images: some Sequence<EmulatedImage>) -> [Digest: [String]] {
        let wanted = Set(images.map(\.digest))
        var found: [Digest: [String]] = [:]
        for (tag, digest) in tags where wanted.contains(digest) { found[digest, default: []].append(tag) }
        return found.mapValues { $0.sorted() }
    }

    /// Returns the images whose manifest names `digest` as config or layer.
    func images(using digest: Digest) -> [EmulatedImage] {
        images.values.filter { image in image.view.referencedBlobs.contains { $0.digest == digest } }
    }

    /// Returns whether a blob is available, or the reason why it isn't.
    func availability(of digest: Digest) -> BlobAvailability {
        guard blobs[digest] != nil else { return .unavailable }
        let users = images(using: digest)
        return !users.isEmpty && users.allSatisfy { $0.status != .active } ? .archived : .available
    }
}

/// The availability of a layer, as BatchCheckLayerAvailability answers it.
enum BlobAvailability: String, Sendable {
    case available = "AVAILABLE"
    case unavailable = "UNAVAILABLE"
    case archived = "ARCHIVED"
}

/// A layer or a config that a repository holds; its bytes are in the ``BlobStore``.
struct EmulatedBlob: Codable, Sendable, Equatable {
    /// The blob's size, in bytes.
    var size: Int64
}

/// A manifest as it was pushed, byte for byte.
struct EmulatedImage: Codable, Sendable {
    let digest: Digest
    /// The manifest's text; a Swift string preserves the bytes of valid UTF-8.
    let text: String
    let mediaType: String
    let view: ManifestView
    var pushedAt: Date
    var status = Status.active
    var archivedAt: Date?
    var activatedAt: Date?
    /// The time of the last recorded pull.
    var pulledAt: Date?
    var scan: EmulatedScan?

    enum Status: String, Codable, Sendable {
        case active = "ACTIVE"
        case archived = "ARCHIVED"
        case activating = "ACTIVATING"
    }

    /// The manifest's size, in bytes.
    var size: Int64 { Int64(text.utf8.count) }
}

/// The rule for which tags of a repository may move.
///
/// - Source: docs/facts/ecr-api.md#tag-mutability
struct TagMutability: Codable, Sendable, Equatable {
    var mode = Mode.mutable
    /// The wildcards of excluded tags, at most five; `*` matches any run of characters.
    var exclusions: [String] = []

    enum Mode: String, Codable, Sendable {
        case mutable = "MUTABLE"
        case immutable = "IMMUTABLE"
        case immutableWithExclusion = "IMMUTABLE_WITH_EXCLUSION"
        case mutableWithExclusion = "MUTABLE_WITH_EXCLUSION"
    }

    init() {}

    /// - Throws: `InvalidParameterException` when the filters don't fit the mode or the grammar.
    init(mode text: String, filters: [Parameters.ExclusionFilter]?) throws(ServiceFault) {
        guard let mode = Mode(rawValue: text) else {
            throw .invalidParameter(
                "imageTagMutability",
                "Member must satisfy enum value set: [IMMUTABLE, MUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE_WITH_EXCLUSION]"
            )
        }
        let wantsFilters = mode == .immutableWithExclusion || mode == .mutableWithExclusion
        guard wantsFilters == (filters?.isEmpty == false), (filters ?? []).count <= 5 else {
            throw .invalidParameter(
                "imageTagMutabilityExclusionFilters",
                "A mode with exclusions needs 1 to 5 filters, and other modes must have none"
            )
        }
        for filter in filters ?? [] {
            guard filter.filterType == "WILDCARD", (1...128).contains(filter.filter.utf8.count),
                filter.filter.utf8.allSatisfy({ isTagByte($0) || $0 == UInt8(ascii: "*") }),
                filter.filter.filter({ $0 == "*" }).count <= 2
            else {
                throw .invalidParameter(
                    "imageTagMutabilityExclusionFilters",
                    "Member must satisfy regular expression pattern: ^[0-9a-zA-Z._*-]{1,128}$"
                )
            }
        }
        self.mode = mode
        exclusions = (filters ?? []).map(\.filter)
    }

    /// Whether the tag can't be moved.
    func isImmutable(_ tag: String) -> Bool {
        let isExcluded = exclusions.contains { matches(tag, wildcard: $0) }
        return switch mode {
        case .mutable: false
        case .immutable: true
        case .immutableWithExclusion: !isExcluded
        case .mutableWithExclusion: isExcluded
        }
    }
}

/// Whether `wildcard` matches the whole of `text`; `*` matches any run of characters.
func matches(_ text: String, wildcard: String) -> Bool {
    let parts = wildcard.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
    guard parts.count > 1, let first = parts.first, let last = parts.last else { return text == wildcard }
    guard text.hasPrefix(first), text.count >= first.count + last.count, text.hasSuffix(last) else { return false }
    var rest = text.dropFirst(first.count).dropLast(last.count)
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
        guard let found = rest.firstRange(of: part) else { return false }
        rest = rest[found.upperBound...]
    }
    return true
}

func isTagByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
        true
    default: false
    }
}
