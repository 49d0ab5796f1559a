public import Content
internal import Wire

/// The name by which a manifest is requested: its tag, its digest, or both.
package enum ManifestID: Hashable, Sendable, CustomStringConvertible {
    case tag(Tag)
    case digest(Digest)
    /// `TAG@DIGEST`: the tag must hold the digest.
    case both(Tag, Digest)

    package init?(_ reference: ImageReference) {
        switch (reference.tag, reference.digest) {
        case (let tag?, let digest?): self = .both(tag, digest)
        case (let tag?, nil): self = .tag(tag)
        case (nil, let digest?): self = .digest(digest)
        case (nil, nil): return nil
        }
    }

    package var tag: Tag? {
        switch self {
        case .tag(let tag), .both(let tag, _): tag
        case .digest: nil
        }
    }

    package var digest: Digest? {
        switch self {
        case .digest(let digest), .both(_, let digest): digest
        case .tag: nil
        }
    }

    package var description: String {
        switch self {
        case .tag(let tag): ":\(tag)"
        case .digest(let digest): "@\(digest)"
        case .both(let tag, let digest): ":\(tag)@\(digest)"
        }
    }
}

/// What a repository answered to one bulk request.
///
/// An id that is in none of the dictionaries does not exist. An id in ``failures`` exists but can't be read.
package struct Reading: Sendable {
    package var manifests: [ManifestID: Manifest] = [:]
    /// The digests of the ids that were requested, of manifests and of `digests`.
    package var digests: [ManifestID: Digest] = [:]
    package var failures: [ManifestID: CopyError.Reason] = [:]
    /// Manifests that must be requested again, because the ones that were read are large.
    package var postponed: Set<ManifestID> = []
    /// The digests that a tag points at although the repository has lost the manifest.
    package var lost: Set<Digest> = []

    package init() {}

    /// Adds the answer to another part of the request.
    mutating func merge(_ part: Reading) {
        manifests.merge(part.manifests) { _, new in new }
        digests.merge(part.digests) { _, new in new }
        failures.merge(part.failures) { _, new in new }
        postponed.formUnion(part.postponed)
    }

    /// Whether the manifests in it have reached ``enough`` bytes; further large ones are requested separately.
    var isFull: Bool { manifests.values.reduce(0) { $0 + $1.byteCount } >= Self.enough }

    /// The limit in bytes: two manifests of the greatest size, or a thousand of the usual size.
    static let enough = 2 * Manifest.largestByteCount
}

/// Which tags of a repository can't be moved.
package struct TagImmutability: Sendable, Hashable {
    /// Whether a tag that matches no exclusion is fixed.
    package var byDefault: Bool
    /// Wildcards for the tags to which the opposite applies.
    package var exclusions: [String]

    package init(byDefault: Bool, exclusions: [String] = []) {
        self.byDefault = byDefault
        self.exclusions = exclusions
    }

    /// - Source: docs/facts/ecr-api.md#tag-mutability: `*` is any run of characters, the whole tag must match
    package func fixes(_ tag: Tag) -> Bool {
        exclusions.contains { matchesWildcard(tag.value, $0) } ? !byDefault : byDefault
    }
}

/// An image of a listing, with every tag that points at it.
public struct ListedImage: Sendable, Hashable {
    public var digest: Digest
    public var tags: [Tag]
    /// Seconds since 1970; `nil` where the registry doesn't say.
    public var pushedAt: Double?
    /// The size in bytes as the registry states it; for an index, the size of its largest image.
    public var size: Int64?
    public var mediaType: MediaType?
    public var isArchived: Bool
    /// Names in a layout that are not tags: whole references, and names that no tag can have.
    public var names: [String] = []
    /// Tags that another image of the same layout has too, so that they are ambiguous.
    public var sharedTags: [Tag] = []
    /// The subject of a referrer, where the listing states it: ECR's does, a layout's for a manifest without a name.
    public var subject: Digest?

    public init(
        digest: Digest,
        tags: [Tag],
        pushedAt: Double? = nil,
        size: Int64? = nil,
        mediaType: MediaType? = nil,
        isArchived: Bool = false
    ) {
        self.digest = digest
        self.tags = tags
        self.pushedAt = pushedAt
        self.size = size
        self.mediaType = mediaType
        self.isArchived = isArchived
    }
}

/// The digest that each tag of a repository holds.
struct HeldTags: Sendable, Equatable {
    var digests: [Tag: Digest]
    /// Tags of images that are archived, and so can't be pulled.
    var archived: Set<Tag>

    init(digests: [Tag: Digest] = [:], archived: Set<Tag> = []) {
        (self.digests, self.archived) = (digests, archived)
    }
}

/// All images and tags that a registry lists for a repository.
struct ImageListing: Sendable {
    var images: [ListedImage]
    var unusableTags: [ImageSelection.UnusableTag]

    init(images: [ListedImage] = [], unusableTags: [ImageSelection.UnusableTag] = []) {
        (self.images, self.unusableTags) = (images, unusableTags)
    }

    /// The number of listed tags, without the digest tags, which are copied with their image.
    var tagCount: Int {
        images.flatMap(\.tags).count { !ReferrerFinder.isDigestTag($0) } + unusableTags.count
    }
}

extension ImageListing {
    /// Returns the names that are tags, and notes the others as unusable.
    mutating func usable(_ names: [String]) -> [Tag] {
        var tags: [Tag] = []
        for name in names {
            do {
                tags.append(try Tag(parsing: name))
            } catch {
                let reason = if case .malformedTag(_, let reason) = error { reason } else { "\(error)" }
                unusableTags.append(
                    ImageSelection.UnusableTag(name: name, reason: .tagUnfit(tag: name, reason: reason))
                )
            }
        }
        return tags
    }
}
