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
        _ selection: Selection,
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

    public init(_ reference: DestinationReference, _ options: SideOptions = SideOptions()) {
        (self.reference, self.options) = (reference, options)
    }
}

/// The images of the source repository to copy.
public enum Selection: Sendable {
    /// The image with this tag or digest.
    case one(ManifestID)
    /// The only image of a layout or an archive, if the reference names none.
    case sole
    /// Every image with a tag that passes the filter.
    case many(TagFilter)
}
