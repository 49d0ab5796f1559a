public import Content

/// What to do about a tag that holds another image.
public enum IfExists: String, Sendable, CaseIterable { case move, skip, fail }

/// Whether signatures, SBOMs and attestations travel along.
public enum ReferrerMode: String, Sendable, CaseIterable { case all, none }

/// What to do when the destination's repository is missing.
public enum RepositoryCreation: String, Sendable, CaseIterable { case never, defaults }

/// How one image, or several of one repository, are to be copied.
public struct CopyOptions: Sendable {
    public var ifExists: IfExists
    /// Move a tag only if it holds this digest now.
    public var ifCurrent: Digest?
    public var referrers: ReferrerMode
    public var createRepository: RepositoryCreation
    /// None takes the image as it is.
    ///
    /// One: that child, unchanged, gets the tag. Several: a new index of those children.
    public var platforms: [ImagePlatform]
    public var isDryRun: Bool
    /// Looks at everything below what the destination holds, and brings what is missing there.
    public var repairs: Bool
    /// Puts signatures and other referrers before the tag, so that an admission controller that verifies them when it
    /// sees the tag finds them.
    ///
    /// Costs one more `PutImage` where there are referrers to put.
    public var tagsAfterReferrers: Bool

    public init(
        ifExists: IfExists = .move,
        ifCurrent: Digest? = nil,
        referrers: ReferrerMode = .all,
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

    /// Whether tags are protected from being overwritten by accident: they are read again right before `PutImage` when
    /// bytes had to move.
    var isGuarded: Bool { ifCurrent != nil || ifExists != .move }
}
