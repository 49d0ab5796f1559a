public import Content
internal import Wire

/// How a manifest is asked for.
public enum ManifestID: Hashable, Sendable, CustomStringConvertible {
    case tag(Tag)
    case digest(Digest)
    /// Both must agree: `TAG@DIGEST`.
    case both(Tag, Digest)

    public init?(_ reference: ImageReference) {
        switch (reference.tag, reference.digest) {
        case (let tag?, let digest?): self = .both(tag, digest)
        case (let tag?, nil): self = .tag(tag)
        case (nil, let digest?): self = .digest(digest)
        case (nil, nil): return nil
        }
    }

    public var tag: Tag? {
        switch self {
        case .tag(let tag), .both(let tag, _): tag
        case .digest: nil
        }
    }

    public var digest: Digest? {
        switch self {
        case .digest(let digest), .both(_, let digest): digest
        case .tag: nil
        }
    }

    public var description: String {
        switch self {
        case .tag(let tag): ":\(tag)"
        case .digest(let digest): "@\(digest)"
        case .both(let tag, let digest): ":\(tag)@\(digest)"
        }
    }
}

/// What a repository answered to one bulk question.
///
/// An id that is in neither dictionary is not there; one that is there but can't be had is in ``failures``.
package struct Reading: Sendable {
    package var manifests: [ManifestID: Manifest] = [:]
    /// Only what was asked for by ``ImageRepository/read(manifests:digests:)``'s `digests`.
    package var digests: [ManifestID: Digest] = [:]
    package var failures: [ManifestID: CopyError.Reason] = [:]
    /// Manifests that are left for another question, since those that were read are large.
    package var postponed: Set<ManifestID> = []
    /// Of ``digests``, those that a tag points at although they are not there (any more).
    package var lost: Set<Digest> = []

    package init() {}

    /// Takes in the answer to another part of the question.
    mutating func merge(_ part: Reading) {
        manifests.merge(part.manifests) { _, new in new }
        digests.merge(part.digests) { _, new in new }
        failures.merge(part.failures) { _, new in new }
        postponed.formUnion(part.postponed)
    }

    /// Whether no more large manifests should be read into it.
    var isFull: Bool { manifests.values.reduce(0) { $0 + $1.byteCount } >= Self.enough }

    /// In bytes of manifests: two of the greatest size; of the usual size, a thousand or more.
    static let enough = 2 * Manifest.largestByteCount
}

/// Which tags of a repository can't be moved.
public struct TagImmutability: Sendable, Hashable {
    /// Whether a tag that matches no exclusion is fixed.
    public var byDefault: Bool
    /// Wildcards; a tag that matches one is the other way round.
    public var exclusions: [String]

    public init(byDefault: Bool, exclusions: [String] = []) {
        self.byDefault = byDefault
        self.exclusions = exclusions
    }

    /// - Source: docs/facts/ecr-api.md#tag-mutability: `*` is any run of characters, the whole tag must match
    public func fixes(_ tag: Tag) -> Bool {
        exclusions.contains { matchesWildcard(tag.value, $0) } ? !byDefault : byDefault
    }
}

/// An image of a listing, with every tag that points at it.
public struct ListedImage: Sendable, Hashable {
    public var digest: Digest
    public var tags: [Tag]
    /// Seconds since 1970; `nil` where the registry doesn't say.
    public var pushedAt: Double?
    /// In bytes, as the registry reckons it (for an index the largest of its images).
    public var size: Int64?
    public var mediaType: MediaType?
    public var isArchived: Bool
    /// What it is called besides, in a layout: whole references, and names that no tag can have.
    public var names: [String] = []
    /// Tags that another image of the same layout has too, so that they mean neither.
    public var sharedTags: [Tag] = []
    /// What it refers to, in a layout that lists it without a name.
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

/// What every tag of a repository holds.
struct HeldTags: Sendable, Equatable {
    var digests: [Tag: Digest]
    /// Tags of images that are archived, and so can't be pulled.
    var archived: Set<Tag>

    init(digests: [Tag: Digest] = [:], archived: Set<Tag> = []) {
        (self.digests, self.archived) = (digests, archived)
    }
}

/// A name that a registry lists as a tag, and that has no image for us.
public struct UnusableTag: Sendable, Equatable {
    /// As the registry wrote it: not fit to be shown as it is.
    public var name: String
    public var reason: CopyError.Reason

    public init(name: String, reason: CopyError.Reason) {
        (self.name, self.reason) = (name, reason)
    }
}

/// Everything that a registry lists for a repository.
public struct ImageListing: Sendable {
    public var images: [ListedImage]
    public var unusableTags: [UnusableTag]

    public init(images: [ListedImage] = [], unusableTags: [UnusableTag] = []) {
        (self.images, self.unusableTags) = (images, unusableTags)
    }

    /// How many tags are listed, those that follow an image left out.
    public var tagCount: Int {
        images.flatMap(\.tags).count { !ReferrerFinder.isDigestTag($0) } + unusableTags.count
    }
}

extension ImageListing {
    /// Those of `names` that are tags; the others are noted as unusable.
    mutating func usable(_ names: [String]) -> [Tag] {
        var tags: [Tag] = []
        for name in names {
            do {
                tags.append(try Tag(parsing: name))
            } catch {
                let reason = if case .malformedTag(_, let reason) = error { reason } else { "\(error)" }
                unusableTags.append(UnusableTag(name: name, reason: .tagUnfit(tag: name, reason: reason)))
            }
        }
        return tags
    }
}
