public import Content

/// What a copy of one image to one destination will do, decided before anything is written.
public struct Plan: Sendable {
    public enum TagAction: Sendable, Equatable {
        /// The tag is new.
        case set
        /// The tag holds another image and will leave it.
        case move(from: Digest)
        /// The tag holds this image already.
        case keep
        /// The tag holds another image and `--if-exists skip` leaves it there.
        case skip(holds: Digest)
        /// The tag must not be set, for this reason; nothing is set for the image then.
        case refuse(CopyError)
    }

    public struct PlannedTag: Sendable, Equatable {
        public var tag: Tag
        public var digest: Digest
        public var action: TagAction
        /// A cosign or fallback tag that travels with the image, not one that was asked for.
        public var isReferrer: Bool
        /// A list of referrers that is added to, so that it may always be set: nothing is lost.
        public var isList = false

        /// Why the tag must not be set.
        public var refusal: CopyError? { if case .refuse(let error) = action { error } else { nil } }
    }

    /// Why a manifest is part of the plan.
    public enum Role: String, Sendable { case root, child, referrer }

    public struct PlannedManifest: Sendable {
        public var manifest: Manifest
        public var role: Role
        /// Whether the destination has it already.
        public var isThere: Bool
    }

    public var source: ImageReference
    public var destination: ImageReference
    public var root: Manifest
    public var tags: [PlannedTag]
    /// Children before parents, subjects before referrers.
    public var manifests: [PlannedManifest]
    /// What is missing at the destination, each digest once.
    public var blobs: [Descriptor]
    /// How many blobs were found there.
    public var blobsThere: Int
    /// Foreign layers that the source doesn't hold either; clients fetch them from their `urls`.
    public var blobsElsewhere: [Descriptor]
    /// What the reader should know, for example that an index was made anew.
    public var notes: [String]
    public var createsRepository: Bool
    /// The prefix of the creation template by which a push creates the repository, if one does.
    public var creationTemplate: String?
    /// What the digest tags among ``tags`` point at, there already or not.
    public var referrerManifests: [Digest: Manifest]
    /// Referrers that can't be brought, or of which not enough is known.
    public var referrerFailures: [ReferrerFailure] = []
    /// Why the image as a whole can't go there.
    public var imageRefusals: [CopyError] = []
    /// The blobs that were found there, of the manifests that weren't.
    var presentBlobs: [Descriptor] = []
    /// Whether what lies below manifests that are there was asked for.
    var checksContent = false

    /// The compressed bytes that cross the wire, at most: mounts make it less.
    public var bytesToMove: Int64 { blobs.reduce(0) { $0 + $1.size } }

    /// Everything that is refused, the image as a whole first.
    public var refusals: [CopyError] { imageRefusals + tags.compactMap(\.refusal) }

    /// What the image fails with when the plan is carried out.
    public var refusal: CopyError? { refusals.first }

    /// Manifests that are missing below a root that is there, so that they were lost.
    public var lostManifests: [PlannedManifest] {
        hasCheckedRoot ? manifestsToPut.filter { $0.role != .referrer } : []
    }

    /// Blobs that are missing below a manifest that is there.
    public var lostBlobs: [Descriptor] {
        guard checksContent, !blobs.isEmpty else { return [] }
        let hasRoot = hasCheckedRoot
        let below = manifests.filter { $0.isThere || (hasRoot && $0.role != .referrer) }.map(\.manifest)
        let named = Set(below.flatMap { $0.blobs + $0.foreignBlobs }.map(\.digest))
        return blobs.filter { named.contains($0.digest) }
    }

    private var hasCheckedRoot: Bool { checksContent && manifests.contains { $0.role == .root && $0.isThere } }

    public var manifestsToPut: [PlannedManifest] { manifests.filter { !$0.isThere } }

    /// Whether the destination is as wanted already.
    public var isDone: Bool {
        manifestsToPut.isEmpty && blobs.isEmpty
            && tags.allSatisfy {
                switch $0.action {
                case .keep, .skip: true
                case .set, .move, .refuse: false
                }
            }
    }
}
