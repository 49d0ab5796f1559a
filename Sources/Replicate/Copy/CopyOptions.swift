public import Content

/// How to copy one image, or several images of one repository.
public struct CopyOptions: Sendable {
    /// What to do with a tag that points at another image.
    public enum IfExists: String, Sendable, CaseIterable { case move, skip, fail }

    /// Whether signatures, SBOMs and attestations are copied with the image.
    public enum Referrers: String, Sendable, CaseIterable { case all, none }

    /// What to do if the destination's repository is missing.
    public enum RepositoryCreation: String, Sendable, CaseIterable {
        case never
        /// Create it with the registry's default settings.
        case defaults
        /// Create it with the settings of the source's repository; see ``CopyDestination/kmsKeys``.
        case likeSource = "like-source"
    }

    public var ifExists: IfExists
    /// The digest that a tag must point at now to be moved.
    public var ifCurrent: Digest?
    public var referrers: Referrers
    public var createRepository: RepositoryCreation
    /// The platforms to copy.
    ///
    /// With none, the image is copied as it is. With one, that child gets the tag, unchanged. With several, a new index
    /// of those children gets it.
    public var platforms: [ImagePlatform]
    public var isDryRun: Bool
    /// Whether to check everything below what the destination holds, and to copy what is missing there.
    public var repairs: Bool
    /// Whether to put signatures and other referrers before the tag.
    ///
    /// An admission controller that verifies signatures when it sees the tag then finds them. It costs one more
    /// `PutImage` if there are referrers to put.
    public var tagsAfterReferrers: Bool
    /// Whether, with ``platforms``, a single image is copied as it is if its config names one of them or none.
    ///
    /// Otherwise platforms can be chosen from an index only, and a single image is an error.
    package var matchesSingleImages = false
    /// What tags must hold to be set, by a plan that was made earlier; `nil` for a tag that must not exist.
    ///
    /// A tag that holds the image already is kept. For other tags, ``ifCurrent`` and ``ifExists`` decide.
    package var expected: [Tag: Digest?] = [:]
    /// Decides whether an image may be copied, before anything is written; `nil` admits every image.
    package var admission: (any ImageAdmission)?
    /// Makes further referrers of an image at its destination, which are put before its tags; `nil` makes none.
    package var additions: (any ReferrerMaking)?

    public init(
        ifExists: IfExists = .move,
        ifCurrent: Digest? = nil,
        referrers: Referrers = .all,
        createRepository: RepositoryCreation = .never,
        platforms: [ImagePlatform] = [],
        isDryRun: Bool = false,
        repairs: Bool = false,
        tagsAfterReferrers: Bool = false
    ) {
        self.ifExists = ifExists
        self.ifCurrent = ifCurrent
        self.referrers = referrers
        self.createRepository = createRepository
        self.platforms = platforms
        self.isDryRun = isDryRun
        self.repairs = repairs
        self.tagsAfterReferrers = tagsAfterReferrers
    }

    /// Whether tags are protected from being overwritten by accident.
    ///
    /// They are read again right before `PutImage` if bytes had to move.
    var isGuarded: Bool { ifCurrent != nil || ifExists != .move || !expected.isEmpty }
}
