public import Content

/// What is known about one image without copying it.
public struct Inspection: Sendable, Encodable {
    public struct Child: Sendable, Encodable {
        public var digest: Digest
        public var mediaType: MediaType
        public var size: Int64
        public var platform: String?
        public var isAttestation: Bool
    }

    public struct Blob: Sendable, Encodable {
        public var digest: Digest
        public var mediaType: MediaType
        public var size: Int64
    }

    public struct Referrer: Sendable, Encodable {
        public var digest: Digest
        public var mediaType: MediaType
        public var artifactType: String?
        /// The referrer's tag, if it was found under one.
        public var tag: Tag?
    }

    public var version = 1
    public var reference: String
    public var digest: Digest
    public var mediaType: MediaType
    public var artifactType: String?
    public var subject: Digest?
    /// The size of the manifest itself, in bytes.
    public var manifestSize: Int
    public var annotations: [String: String]
    public var children: [Child]
    public var config: Blob?
    public var layers: [Blob]
    /// The compressed size of the config and the distinct layers, in bytes; 0 for an index.
    public var size: Int64
    public var referrers: [Referrer]
    /// Signatures, SBOMs and attestations that can't be shown; not part of this JSON, to which `InspectionDocument`
    /// adds them.
    public var referrerFailures: [ReferrerFailure]
    /// The manifest, byte for byte; not part of the JSON.
    public var manifest: Manifest

    enum CodingKeys: String, CodingKey {
        case version, reference, digest, mediaType, artifactType, subject, manifestSize, annotations, children
        case config, layers, size, referrers
    }
}

/// The images of a listing that match a filter.
public struct ImageSelection: Sendable {
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
        referrers mode: ReferrerMode
    ) async throws -> Inspection {
        let repository = try await opener.open(reference, side: .source, side)
        var id = ManifestID(reference)
        if id == nil, reference.registry.isLayout { id = try await repository.soleImage() }
        guard let id else {
            throw CopyError(
                .unsupported("the reference names neither a tag nor a digest", remedy: "add :TAG or @DIGEST"),
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
        return Inspection(
            reference: "\(named)",
            digest: manifest.digest,
            mediaType: manifest.mediaType,
            artifactType: manifest.artifactType,
            subject: manifest.subject?.digest,
            manifestSize: manifest.bytes.count,
            annotations: manifest.annotations,
            children: manifest.children.map { child in
                Inspection.Child(
                    digest: child.digest,
                    mediaType: child.mediaType,
                    size: child.size,
                    platform: child.isAttestation ? nil : child.platform?.description,
                    isAttestation: child.isAttestation
                )
            },
            config: manifest.config.map(Inspection.Blob.init),
            layers: (manifest.layers + manifest.blobEntries).map(Inspection.Blob.init),
            size: manifest.blobs.reduce(0) { $0 + $1.size },
            referrers: found,
            referrerFailures: failures,
            manifest: manifest
        )
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
                TagFilter.Unordered.reason,
                side: .source,
                image: repository.reference,
                operation: "listing"
            )
        }
    }
}

extension Inspection.Blob {
    init(_ descriptor: Descriptor) {
        self.init(digest: descriptor.digest, mediaType: descriptor.mediaType, size: descriptor.size)
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
