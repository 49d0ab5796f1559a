public import Content

/// What to copy: images of one source repository, and their destinations.
public struct CopyRequest: Sendable {
    public var source: ImageReference
    /// The source's identity and endpoints.
    public var sourceOptions: SideOptions
    public var selection: Selection
    public var destinations: [CopyDestination]
    /// Tags to set at every destination, in addition to the destination's own.
    ///
    /// Without any, the image keeps the source's tag.
    public var tags: [Tag]
    public var options: CopyOptions

    public init(
        _ source: ImageReference,
        from sourceOptions: SideOptions = SideOptions(),
        _ selection: Selection = .named,
        to destinations: [CopyDestination],
        tags: [Tag] = [],
        _ options: CopyOptions = CopyOptions()
    ) {
        self.source = source
        self.sourceOptions = sourceOptions
        self.selection = selection
        self.destinations = destinations
        self.tags = tags
        self.options = options
    }
}

/// A destination, with its own identity.
public struct CopyDestination: Sendable, Hashable {
    public var reference: DestinationReference
    /// This destination's identity and endpoints.
    public var options: SideOptions
    /// The KMS key to use in this registry for each key of the source, for repositories that are created like the
    /// source's (``CopyOptions/RepositoryCreation/likeSource``).
    ///
    /// The source's key is written as ECR reports it, as an ARN, or as the id or alias in that ARN. The key to use is an
    /// ARN, an id or an alias; `alias/aws/ecr` stands for AWS's own key. Without an entry, a key is used only in its own
    /// registry.
    public var kmsKeys: [String: String]

    public init(
        _ reference: DestinationReference,
        _ options: SideOptions = SideOptions(),
        kmsKeys: [String: String] = [:]
    ) {
        (self.reference, self.options, self.kmsKeys) = (reference, options, kmsKeys)
    }
}

extension CopyRequest {
    /// The images of the source repository to copy.
    public struct Selection: Sendable {
        enum Kind: Sendable {
            case named
            case one(ManifestID)
            case many(TagFilter)
        }

        let kind: Kind

        /// The image that the source reference names by tag or digest.
        ///
        /// If the reference to a layout or an archive names none, this is the only image in it.
        public static let named = Selection(kind: .named)

        /// Every image with a tag that passes the filter.
        public static func many(_ filter: TagFilter) -> Selection { Selection(kind: .many(filter)) }

        /// The image with this tag or digest, whatever the source reference names.
        package static func one(_ id: ManifestID) -> Selection { Selection(kind: .one(id)) }
    }
}
