package import Content

/// Something of an image at the source that a destination lacks, or holds differently.
package struct ContentDifference: Sendable, Hashable {
    /// The kind, whose name is the same from version to version.
    package enum Kind: String, Sendable, Codable, CaseIterable {
        case tagMissing
        /// The tag holds another image.
        case tagDiffers
        /// The image is missing, and no tag of it says so.
        case imageMissing
        case childMissing
        case blobMissing
        case referrerMissing
        /// The referrer is there, but the registry does not list it as a referrer of its subject.
        case referrerUnlisted
        case digestTagMissing
        /// The digest tag holds another manifest.
        case digestTagDiffers
        /// The manifest is archived, so it can't be pulled.
        case archived
        /// The bytes at the destination have another digest.
        case corrupt
    }

    package var kind: Kind
    /// What should be there.
    package var digest: Digest
    /// The tag or the digest tag that should hold ``digest``.
    package var tag: Tag?
    /// What the tag holds instead.
    package var holds: Digest?
    /// The manifest that names ``digest``: an index, the image of a blob, or the subject of a referrer.
    package var parent: Digest?
    /// What is wrong with corrupt bytes.
    package var detail: String?
    /// Whether it was found and then repaired.
    package var isRepaired = false

    package init(
        _ kind: Kind,
        _ digest: Digest,
        tag: Tag? = nil,
        holds: Digest? = nil,
        parent: Digest? = nil,
        detail: String? = nil
    ) {
        (self.kind, self.digest, self.tag, self.holds) = (kind, digest, tag, holds)
        (self.parent, self.detail) = (parent, detail)
    }

    /// The difference in one line without a full stop.
    package var text: String {
        let of = parent.map { " of \($0)" } ?? ""
        return switch kind {
        case .tagMissing: "tag missing: \(digest)"
        case .tagDiffers: "tag holds \(holds?.description ?? "nothing"), not \(digest)"
        case .imageMissing: "image missing: \(digest)"
        case .childMissing: "child manifest missing: \(digest)\(of)"
        case .blobMissing: "blob missing: \(digest)\(of)"
        case .referrerMissing: "referrer missing: \(digest)\(of)"
        case .referrerUnlisted: "referrer not listed: \(digest)\(of)"
        case .digestTagMissing: "digest tag missing: \(tag?.value ?? "") (\(digest))"
        case .digestTagDiffers:
            "digest tag \(tag?.value ?? "") holds \(holds?.description ?? "nothing"), not \(digest)"
        case .archived: "archived, so it can't be pulled: \(digest)"
        case .corrupt: "corrupt: \(digest)\(of)\(detail.map { ": \($0)" } ?? "")"
        }
    }
}

/// How much of a destination is compared with the source.
package struct CheckOptions: Sendable, Hashable {
    /// Whether signatures, SBOMs and attestations belong to an image.
    package var referrers: CopyOptions.Referrers
    package var platforms: [ImagePlatform]
    /// As ``CopyOptions/matchesSingleImages``.
    package var matchesSingleImages: Bool
    /// Whether a tag that holds another image is left as it is.
    package var skipsHeldTags: Bool
    /// Whether every manifest and blob of the destination is downloaded and hashed.
    package var isDeep: Bool

    package init(
        referrers: CopyOptions.Referrers = .all,
        platforms: [ImagePlatform] = [],
        matchesSingleImages: Bool = false,
        skipsHeldTags: Bool = false,
        isDeep: Bool = false
    ) {
        (self.referrers, self.platforms) = (referrers, platforms)
        self.matchesSingleImages = matchesSingleImages
        (self.skipsHeldTags, self.isDeep) = (skipsHeldTags, isDeep)
    }
}

/// An image to compare, with the tags that it should have at the destination.
package struct ImageToCheck: Sendable {
    /// The place of the image among those of ``SourceContent/images``.
    package var index: Int
    package var tags: [Tag]

    package init(_ index: Int, tags: [Tag]) { (self.index, self.tags) = (index, tags) }
}

/// What a destination has of one image.
package struct ImageCheck: Sendable {
    /// A tag, and what it holds at the destination.
    package struct TagCheck: Sendable {
        package var tag: Tag
        package var holds: Digest?
        /// Whether the tag holds another image and is left as it is.
        package var isSkipped = false
    }

    /// The digest that the image has at the destination: the source's, or that of the selected platforms.
    package var digest: Digest
    package var mediaType: MediaType?
    package var tags: [TagCheck]
    package var differences: [ContentDifference] = []
    /// Why the image could not be compared.
    package var failure: CopyError?
    /// Referrers that could not be compared.
    package var leftOut: [CopyError] = []
    package var notes: [String] = []
    /// The blobs among ``differences`` whose bytes are corrupt.
    package var corruptBlobs: [Descriptor] = []
}
