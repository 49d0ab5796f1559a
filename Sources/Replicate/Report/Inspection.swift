public import Content

/// What is known about one image without copying it.
public struct Inspection: Sendable {
    /// A signature, an SBOM or an attestation of the image.
    public struct Referrer: Sendable {
        public var digest: Digest
        public var mediaType: MediaType
        public var artifactType: String?
        /// The referrer's tag, if it was found under one.
        public var tag: Tag?
    }

    /// The image as it was asked for, in the registry where it was found.
    public var reference: ImageReference
    /// The manifest, byte for byte.
    public var manifest: Manifest
    public var referrers: [Referrer]
    /// Signatures, SBOMs and attestations that can't be shown.
    public var referrerFailures: [ReferrerFailure]

    public var digest: Digest { manifest.digest }
}

/// The images of a listing that match a filter.
public struct ImageSelection: Sendable {
    /// A name that a registry lists as a tag, and that can't be used as one.
    public struct UnusableTag: Sendable, Equatable {
        /// The name as the registry gives it; it is not safe to print as it is.
        public var name: String
        public var reason: CopyError.Reason

        package init(name: String, reason: CopyError.Reason) {
            (self.name, self.reason) = (name, reason)
        }
    }

    public var images: [ListedImage]
    public var unusableTags: [UnusableTag]
    /// The number of tags in the repository, without the tags that belong to an image.
    public var tagsListed: Int

    public var isEmpty: Bool { images.isEmpty && unusableTags.isEmpty }
}

extension Replicator {
    /// Reads an image's manifest, and its referrers if `referrers` says so.
    ///
    /// - Throws: ``CopyError``
    public func inspect(
        _ reference: ImageReference,
        _ side: SideOptions = SideOptions(),
        referrers mode: CopyOptions.Referrers
    ) async throws -> Inspection {
        let repository = try await opener.open(reference, side: .source, side)
        var id = ManifestID(reference)
        if id == nil, reference.registry.isLayout { id = try await repository.soleImage() }
        guard let id else {
            throw CopyError(
                .unsupported(.referenceWithoutImage),
                side: .source,
                image: reference,
                operation: "reading the image"
            )
        }
        let reading = try await repository.read([id])
        let named = repository.reference.tagged(id.tag, digest: id.digest)
        func failure(_ reason: CopyError.Reason) -> CopyError {
            CopyError(reason, side: .source, image: named, operation: "reading the image")
        }
        if let reason = reading.failures[id] { throw failure(reason) }
        guard let manifest = reading.manifests[id] else { throw failure(.imageMissing) }
        var found: [Inspection.Referrer] = []
        var failures: [ReferrerFailure] = []
        if mode == .all {
            let reader = SourceReader(repository)
            let set = try await ReferrerFinder(reader: reader, repository: repository)
                .findAll(about: [manifest.digest])
            let (read, unread) = try await reader.readSeparately(set.digests)
            failures = set.failures
            failures += set.digests.compactMap { digest in
                unread[digest].map { ReferrerFailure(digest: digest, subject: set.subjects[digest], $0) }
            }
            found = set.digests.compactMap { read[$0] }.map { Inspection.Referrer($0, tag: nil) }
            found += set.tagged.map { Inspection.Referrer($0.manifest, tag: $0.tag) }
        }
        return Inspection(reference: named, manifest: manifest, referrers: found, referrerFailures: failures)
    }

    /// Lists every tagged image of a repository that matches `filter`, and every matching name that can't be used as a
    /// tag.
    ///
    /// The image pushed last comes first, if the times are known. For a layout every image is listed, unless tags are
    /// chosen.
    ///
    /// - Throws: ``CopyError``
    public func list(
        _ reference: ImageReference,
        _ side: SideOptions = SideOptions(),
        _ filter: TagFilter
    ) async throws -> ImageSelection {
        let repository = try await opener.open(reference, side: .source, side)
        let listing = try await repository.list()
        do {
            // An image without a tag is listed, so that it can be chosen.
            let isWhole = reference.registry.isLayout && !filter.choosesTags
            let untagged = isWhole ? listing.images.filter { $0.tags.isEmpty && $0.sharedTags.isEmpty } : []
            let chosen = try filter.select(from: listing.images, digestTagsToo: true) + untagged
            let images = chosen.sorted { left, right in
                (right.pushedAt ?? 0, left.digest.hex) < (left.pushedAt ?? 0, right.digest.hex)
            }
            return ImageSelection(
                images: images,
                unusableTags: listing.unusableTags.filter { filter.passes($0.name) }.sorted { $0.name < $1.name },
                tagsListed: listing.tagCount
            )
        } catch {
            throw CopyError(
                .unsupported(.newestWithoutPushTimes),
                side: .source,
                image: repository.reference,
                operation: "listing"
            )
        }
    }
}

extension Inspection.Referrer {
    init(_ manifest: Manifest, tag: Tag?) {
        self.init(
            digest: manifest.digest,
            mediaType: manifest.mediaType,
            artifactType: manifest.artifactType,
            tag: tag
        )
    }
}
