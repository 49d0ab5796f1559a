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

    public init(
        ifExists: IfExists = .move,
        ifCurrent: Digest? = nil,
        referrers: ReferrerMode = .all,
        createRepository: RepositoryCreation = .never,
        platforms: [ImagePlatform] = [],
        isDryRun: Bool = false,
        repairs: Bool = false
    ) {
        self.ifExists = ifExists
        self.ifCurrent = ifCurrent
        self.referrers = referrers
        self.createRepository = createRepository
        self.platforms = platforms
        self.isDryRun = isDryRun
        self.repairs = repairs
    }

    /// Whether somebody asked that a tag be not overwritten by accident (docs/security.md#a-tag-that-moves-meanwhile:
    /// read again right before `PutImage` when bytes had to move).
    var isGuarded: Bool { ifCurrent != nil || ifExists != .move }
}

/// Which images of the source repository.
public enum Selection: Sendable {
    /// The one that the reference names.
    case one(ManifestID)
    /// The one that there is, where the reference names none: in an image layout.
    case sole
    /// Those whose tags pass.
    case many(TagFilter)
}
