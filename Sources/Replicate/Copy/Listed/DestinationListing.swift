package import Content
internal import Platform

/// A destination repository of which it is known what it holds.
package struct DestinationListing: Sendable {
    /// The repository, without tag and digest.
    package let reference: ImageReference
    /// Every image, where the registry lists images; `nil` where only some tags were asked for.
    package let images: [ListedImage]?
    /// The digest of each known tag.
    package let tags: [Tag: Digest]
    /// Whether the repository is missing and will be created.
    package let isNew: Bool
    /// The prefix of the creation template by which a push creates the repository, if one does.
    package let template: String?
    /// Whether the listing has every image, so that what it lacks isn't there.
    let isComplete: Bool
    let digests: Set<Digest>
    /// The tags of images that are archived, and so can't be pulled.
    package let archived: Set<Tag>
    let destination: Destination
    let state: DestinationState

    init(_ destination: Destination, _ state: DestinationState, _ listing: ImageListing?, isComplete: Bool) async {
        self.destination = destination
        self.state = state
        self.isComplete = isComplete && listing != nil
        reference = state.repository.reference
        images = listing?.images
        tags = await state.tags
        isNew = await state.isNew
        template = await state.template?.prefix
        digests = Set(listing?.images.map(\.digest) ?? [])
        archived = Set(listing?.images.filter(\.isArchived).flatMap(\.tags) ?? [])
    }

    /// What the destination lacks or holds differently, by the listings of both sides alone.
    package enum Difference: Sendable, Equatable {
        /// Nothing: the tags hold the image, and the known referrers are there.
        case none
        /// A tag is missing or holds another image, or a referrer is missing.
        case some
        /// The listings don't say: both sides must be asked about the image.
        case unknown
    }

    /// Compares an image of the source with what is here.
    ///
    /// - Parameters:
    ///   - tags: The tags that the image gets here; with none, the image itself is wanted.
    ///   - referrers: Whether referrers belong to the image.
    package func difference(
        of image: ListedImage,
        as tags: [Tag],
        from source: SourceListing,
        referrers: Bool
    ) -> Difference {
        if isNew { return .some }
        guard !state.checksContent else { return .unknown }
        let isHeld = tags.isEmpty ? digests.contains(image.digest) : tags.allSatisfy { self.tags[$0] == image.digest }
        if !isHeld { return tags.isEmpty && !isComplete ? .unknown : .some }
        guard referrers, !state.isSource else { return .none }
        guard let index = source.referrers else { return .unknown }
        guard isComplete else { return source.mayHaveReferrers(image, index) ? .unknown : .none }
        return lacksReferrers(of: image.digest, index, source) ? .some : .none
    }

    /// Whether a referrer of something here is missing, where that something may be a child of an index.
    ///
    /// A listing doesn't say to which index a manifest belongs, so every index is looked at then.
    package func lacksReferrersOfChildren(from source: SourceListing) -> Bool {
        guard let index = source.referrers, isComplete, !isNew, !state.isSource else { return false }
        let roots = Set((source.images ?? []).filter { !$0.tags.isEmpty || $0.subject != nil }.map(\.digest))
        let subjects = Set(index.subjects).union(source.digestTags.listing.tags.keys)
        return subjects.contains { subject in
            !roots.contains(subject) && digests.contains(subject)
                && lacksReferrers(of: subject, index, source)
        }
    }

    private func lacksReferrers(of subject: Digest, _ index: ReferrerIndex, _ source: SourceListing) -> Bool {
        var seen: Set<Digest> = [subject]
        var waiting = [subject]
        while let next = waiting.popLast() {
            for digest in index.referrers(of: next) where seen.insert(digest).inserted {
                guard digests.contains(digest) else { return true }
                waiting.append(digest)
            }
            for tag in source.digestTags.listing.tags[next] ?? [] {
                guard let held = tags[tag], held == source.digestTagged[tag] else { return true }
                if seen.insert(held).inserted { waiting.append(held) }
            }
        }
        return false
    }
}
