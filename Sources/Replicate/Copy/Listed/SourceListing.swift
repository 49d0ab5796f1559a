package import Content
internal import Platform

/// A source repository that has listed what it holds.
package struct SourceListing: Sendable {
    /// The repository, without tag and digest.
    package let reference: ImageReference
    /// Every tag, and the image that it holds where the registry says so.
    package let tags: [ListedTag]
    /// Every image, where the registry lists images; `nil` where it lists only the names of tags.
    package let images: [ListedImage]?
    /// Listed names that can't be used as tags.
    package let unusableTags: [ImageSelection.UnusableTag]
    /// Whether the listing has images without a tag, and so every referrer.
    package let isComplete: Bool
    let from: any ImageRepository
    let digestTags: DigestTagIndex
    /// The image that each digest tag holds.
    var digestTagged: [Tag: Digest] { digestTags.holding }
    /// The referrers by subject; `nil` where the listing doesn't state them.
    let referrers: ReferrerIndex?
    /// Whether something refers to an image without a tag, which may be the child of an index.
    private let hasReferredChildren: Bool
    let identity: SideOptions
    /// Whether the repository was listed at all.
    package let isListed: Bool

    init(_ repository: any ImageRepository, _ listing: ImageListing, isComplete: Bool, _ identity: SideOptions) {
        isListed = true
        from = repository
        reference = repository.reference
        images = listing.images
        unusableTags = listing.unusableTags
        self.isComplete = isComplete
        self.identity = identity
        tags = listing.images.flatMap { image in
            image.tags.map { ListedTag(tag: $0, digest: image.digest, pushedAt: image.pushedAt) }
        }
        digestTags = ListedSource(listing.images).digestTags
        let index = ReferrerIndex(listing.images)
        referrers = isComplete && repository is ECRImageRepository ? index : nil
        let subjects = Set(index.subjects).union(digestTags.listing.tags.keys)
        hasReferredChildren = listing.images.contains {
            $0.tags.isEmpty && $0.subject == nil && subjects.contains($0.digest)
        }
    }

    /// Creates a source that was not listed, whose images are known to the caller.
    init(unlisted repository: any ImageRepository, _ identity: SideOptions) {
        isListed = false
        from = repository
        reference = repository.reference
        (images, tags, unusableTags, isComplete) = (nil, [], [], false)
        digestTags = DigestTagIndex(DigestTagListing(isWhole: false))
        referrers = nil
        hasReferredChildren = false
        self.identity = identity
    }

    init(_ repository: any ImageRepository, names: [String], _ identity: SideOptions) {
        isListed = true
        from = repository
        reference = repository.reference
        images = nil
        isComplete = false
        self.identity = identity
        var listing = ImageListing()
        let usable = listing.usable(names)
        unusableTags = listing.unusableTags
        tags = usable.map { ListedTag(tag: $0) }
        digestTags = DigestTagIndex(DigestTagListing(of: usable))
        referrers = nil
        hasReferredChildren = false
    }

    /// The images with these tags or digests, each with those of its tags that were asked for.
    ///
    /// If only names were listed, the registry is asked for the digests of these tags and no others.
    ///
    /// - Returns: The images in the order of the listing, and the ids that it doesn't have or can't read, with the
    ///   reason.
    /// - Throws: ``CopyError``
    package func images(
        tagged wanted: [Tag],
        digests: [Digest] = []
    ) async throws -> (found: [ListedImage], failures: [(ManifestID, CopyError.Reason)]) {
        guard let images else { return try await read(wanted.map { .tag($0) } + digests.map { .digest($0) }) }
        let (tags, ids) = (Set(wanted), Set(digests))
        var missing = ids
        let found = images.compactMap { listed -> ListedImage? in
            var image = listed
            image.tags = listed.tags.filter(tags.contains).sorted()
            missing.remove(image.digest)
            return image.tags.isEmpty && !ids.contains(image.digest) ? nil : image
        }
        return (found, missing.sorted { $0.hex < $1.hex }.map { (.digest($0), .imageMissing) })
    }

    private func read(_ ids: [ManifestID]) async throws -> ([ListedImage], [(ManifestID, CopyError.Reason)]) {
        let reading = try await from.read(manifests: [], digests: ids)
        var tags: [Digest: [Tag]] = [:]
        var order: [Digest] = []
        var failures: [(ManifestID, CopyError.Reason)] = []
        for id in ids {
            guard let digest = reading.digests[id] else {
                failures.append((id, reading.failures[id] ?? .imageMissing))
                continue
            }
            if tags[digest] == nil { order.append(digest) }
            tags[digest, default: []] += [id.tag].compactMap { $0 }
        }
        return (order.map { ListedImage(digest: $0, tags: (tags[$0] ?? []).sorted()) }, failures)
    }

    /// Whether something may refer to an image or, if it is an index, to one of its children.
    func mayHaveReferrers(_ image: ListedImage, _ index: ReferrerIndex) -> Bool {
        guard index.referrers(of: image.digest).isEmpty, digestTags.listing.tags[image.digest] == nil else {
            return true
        }
        // The listing doesn't say which untagged images are children of which index.
        return hasReferredChildren && (image.mediaType?.isIndex ?? true)
    }

    /// Images without a tag that nothing else needs: neither a child of an index nor a referrer.
    ///
    /// Children are known only once the indexes are read, so this reads every index of the repository.
    ///
    /// - Returns: `nil` if the registry doesn't list untagged images.
    package func untagged() async throws -> [ListedImage]? {
        guard let images, isComplete || reference.registry.isLayout else { return nil }
        let indexes = images.filter { $0.mediaType?.isIndex ?? true }.map(\.digest)
        let reader = SourceReader(from)
        var children: Set<Digest> = []
        for piece in indexes.chunked(SourceReader.pieceSize) {
            for manifest in try await reader.read(piece).values { children.formUnion(manifest.children.map(\.digest)) }
        }
        return images.filter { $0.tags.isEmpty && $0.subject == nil && !children.contains($0.digest) }
    }
}

/// A tag of a listing, with what is known of its image.
package struct ListedTag: Sendable, Hashable {
    package var tag: Tag
    /// The image; `nil` where only names are listed.
    package var digest: Digest?
    /// Seconds since 1970; `nil` where the registry doesn't say.
    package var pushedAt: Double?

    package init(tag: Tag, digest: Digest? = nil, pushedAt: Double? = nil) {
        (self.tag, self.digest, self.pushedAt) = (tag, digest, pushedAt)
    }
}

/// An image to copy, with the tags that it gets at each destination.
package struct ImageToCopy: Sendable {
    package var image: ListedImage
    /// The tags to set, by the index of the destination; a destination without an entry doesn't get the image.
    package var tags: [Int: [Tag]]
    /// The options for this image; `nil` for those of the other images.
    package var options: CopyOptions?
    /// Tags of the source that must hold the image when its manifest is read; otherwise the image fails.
    package var heldBy: [Tag] = []

    package init(_ image: ListedImage, tags: [Int: [Tag]], _ options: CopyOptions? = nil) {
        (self.image, self.tags, self.options) = (image, tags, options)
    }
}

/// What copying one image took, at all of its destinations together.
package struct ImageEffort: Sendable {
    /// The number of requests; one that serves several images is counted for one of them.
    package var requests: Int
    package var seconds: Double

    init(_ requests: Int, _ duration: Duration) {
        self.requests = requests
        seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
}
