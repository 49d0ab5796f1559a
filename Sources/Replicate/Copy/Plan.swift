public import Content

/// What a copy of one image to one destination will do, decided before anything is written.
public struct Plan: Sendable {
    public enum TagAction: Sendable, Equatable {
        /// Set the tag, which is new.
        case set
        /// Move the tag, which points at another image.
        case move(from: Digest)
        /// Keep the tag, which points at this image already.
        case keep
        /// Skip the tag, which points at another image, because ``CopyOptions/ifExists`` says so.
        case skip(holds: Digest)
        /// Refuse the tag for this reason; then nothing is set for the image.
        case refuse(CopyError)
    }

    public struct PlannedTag: Sendable, Equatable {
        public var tag: Tag
        public var digest: Digest
        public var action: TagAction
        /// Whether this is a cosign or fallback tag that is copied with the image, not one that was asked for.
        public var isReferrer: Bool
        /// Whether the tag is a list of referrers that is added to; it may always be set, because nothing is lost.
        public var isList = false

        /// Why the tag must not be set.
        public var refusal: CopyError? { if case .refuse(let error) = action { error } else { nil } }
    }

    /// Why a manifest is part of the plan.
    package enum Role: String, Sendable { case root, child, referrer }

    package struct PlannedManifest: Sendable {
        package var manifest: Manifest
        package var role: Role
        /// Whether the destination has the manifest already.
        package var isThere: Bool
    }

    public var source: ImageReference
    public var destination: ImageReference
    public var root: Manifest
    public var tags: [PlannedTag]
    /// The manifests, children before parents and subjects before referrers.
    package var manifests: [PlannedManifest]
    /// The blobs that the destination lacks, each digest once.
    public var blobs: [Descriptor]
    /// The number of blobs that the destination has already.
    public var blobsThere: Int
    /// Foreign layers that the source doesn't hold; clients fetch them from their `urls`.
    public var blobsElsewhere: [Descriptor]
    /// Notes for the user, for example that a new index was made.
    public var notes: [String]
    public var createsRepository: Bool
    /// The prefix of the creation template by which a push creates the repository, if one does.
    public var creationTemplate: String?
    /// The settings, in words, with which the repository is created like the source's; empty for the registry's defaults.
    public var creationSettings: [String] = []
    /// The manifests that the digest tags among ``tags`` point at, whether or not the destination has them.
    package var referrerManifests: [Digest: Manifest]
    /// Referrers that can't be copied, or that not enough is known about.
    public var referrerFailures: [ReferrerFailure] = []
    /// Why the image as a whole can't be copied there.
    public var imageRefusals: [CopyError] = []
    /// The blobs that the destination has already, of the manifests that it lacks.
    var presentBlobs: [Descriptor] = []
    /// Whether the content below manifests that the destination holds was checked.
    var checksContent = false

    /// The most compressed bytes that will be transferred; mounts reduce it.
    public var bytesToMove: Int64 { blobs.reduce(0) { $0 + $1.size } }

    /// The compressed bytes of the blobs that the destination has already, of the manifests that it lacks.
    package var bytesThere: Int64 { presentBlobs.reduce(0) { $0 + $1.size } }

    /// All refusals, those of the image as a whole first.
    public var refusals: [CopyError] { imageRefusals + tags.compactMap(\.refusal) }

    /// The error with which the image fails when the plan is carried out.
    public var refusal: CopyError? { refusals.first }

    /// Manifests that are missing below a root that the destination holds, so that they were lost.
    package var lostManifests: [PlannedManifest] {
        hasCheckedRoot ? manifestsToPut.filter { $0.role != .referrer } : []
    }

    /// Blobs that are missing below a manifest that the destination holds.
    package var lostBlobs: [Descriptor] {
        guard checksContent, !blobs.isEmpty else { return [] }
        let hasRoot = hasCheckedRoot
        let below = manifests.filter { $0.isThere || (hasRoot && $0.role != .referrer) }.map(\.manifest)
        let named = Set(below.flatMap { $0.blobs + $0.foreignBlobs }.map(\.digest))
        return blobs.filter { named.contains($0.digest) }
    }

    private var hasCheckedRoot: Bool { checksContent && manifests.contains { $0.role == .root && $0.isThere } }

    package var manifestsToPut: [PlannedManifest] { manifests.filter { !$0.isThere } }

    /// Whether the destination already is as it should be.
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
