internal import Content
internal import FoundationEssentials

extension EmulatedRepository {
    /// The longest manifest, in characters (docs/facts/ecr-api.md#fields).
    static let largestManifest = 4_194_304
    /// The most tags on one digest (docs/facts/quotas.md#limits).
    static let mostTagsOfAnImage = 1_000

    /// The manifest to store, with the members of the request.
    struct Put {
        var text: String
        var mediaType: String?
        var tag: String?
        var digest: String?
        /// Whether a tag refuses its own digest: some users see ImageTagAlreadyExists then
        /// (docs/facts/ecr-api.md#putimage).
        var refusesSameDigest = false
    }

    /// Stores a manifest, and moves the tag to it.
    ///
    /// - Throws: ECR's errors, by the table of docs/facts/ecr-api.md#putimage.
    mutating func putImage(_ put: Put, at now: Date) throws(ServiceFault) -> EmulatedImage {
        guard (1...Self.largestManifest).contains(put.text.utf8.count) else {
            throw .invalidParameter(
                "imageManifest",
                "Member must have length less than or equal to \(Self.largestManifest)"
            )
        }
        if let tag = put.tag { try Self.check(tag: tag) }
        let digest = Digest(of: put.text.utf8)
        let (view, mediaType) = try Self.read(put)
        if let stated = put.digest, stated != "\(digest)" {
            throw ServiceFault(
                "ImageDigestDoesNotMatchException",
                "The given digest '\(stated)' does not match the digest of the image manifest '\(digest)'"
            )
        }
        try checkReferences(of: view)
        try checkTag(put.tag, for: digest, refusesSameDigest: put.refusesSameDigest)

        var image =
            images[digest]
            ?? EmulatedImage(digest: digest, text: put.text, mediaType: mediaType, view: view, pushedAt: now)
        let wasActive = image.status == .active
        if images[digest] != nil, wasActive, put.tag == nil || tags[put.tag ?? ""] == digest {
            throw ServiceFault(
                "ImageAlreadyExistsException",
                "Image with digest '\(digest)'\(put.tag.map { " and tag '\($0)'" } ?? "") already exists in the "
                    + "repository with name '\(name)' in registry with id '\(account)'"
            )
        }
        if !wasActive {
            // Pushing an archived image again restores it (docs/facts/ecr-api.md#archived-images).
            image.status = .active
            image.activatedAt = now
        }
        images[digest] = image
        if let tag = put.tag { tags[tag] = digest }
        return image
    }

    /// Checks a tag; ECR's tags may be longer than docker's, and may begin with `.` or `-`
    /// (docs/facts/ecr-api.md#fields).
    static func check(tag: String) throws(ServiceFault) {
        guard (1...300).contains(tag.utf8.count), tag.utf8.allSatisfy(isTagByte) else {
            throw .invalidParameter(
                "imageTag",
                "Member must satisfy regular expression pattern: [a-zA-Z0-9._-]{1,300}"
            )
        }
    }

    /// Parses a manifest; every error in it gets the same misleading text (docs/facts/ecr-api.md#putimage).
    private static func read(_ put: Put) throws(ServiceFault) -> (ManifestView, String) {
        let invalid = ServiceFault.invalidParameter("ImageManifest", "Invalid JSON syntax")
        guard let view = ManifestView(reading: put.text), view.schemaVersion ?? 2 == 2 else { throw invalid }
        let stated = put.mediaType.flatMap { $0.isEmpty ? nil : $0 }
        guard let mediaType = stated ?? view.mediaType, ManifestType.all.contains(mediaType),
            stated == nil || view.mediaType == nil || stated == view.mediaType
        else { throw invalid }
        let types = view.referencedBlobs.map(\.mediaType) + [view.artifactType]
        guard types.allSatisfy({ $0?.contains(";") != true }) else { throw invalid }
        if ManifestType.indexes.contains(mediaType) {
            let children = view.manifests ?? []
            guard view.manifests != nil, view.layers == nil, view.config == nil,
                children.allSatisfy({ ManifestType.all.contains($0.mediaType ?? "") })
            else { throw invalid }
        } else if ManifestType.images.contains(mediaType) {
            guard view.config != nil, view.manifests == nil else { throw invalid }
            guard !(view.layers ?? []).isEmpty else {
                throw .invalidParameter("imageManifest", "Image has to have at least 1 layer")
            }
        }
        return (view, mediaType)
    }

    private func checkReferences(of view: ManifestView) throws(ServiceFault) {
        let absent = view.requiredBlobs.map(\.digest).filter { blobs[$0] == nil }
        guard absent.isEmpty else {
            throw ServiceFault(
                "LayersNotFoundException",
                "Layers with digests '\(Self.listed(absent))' required for pushing image into repository with name "
                    + "'\(name)' in the registry with id '\(account)' do not exist"
            )
        }
        let missing = (view.manifests ?? []).map(\.digest).filter { images[$0] == nil }
        guard missing.isEmpty else {
            throw ServiceFault(
                "ReferencedImagesNotFoundException",
                "Images with digests '\(Self.listed(missing))' required for pushing image into repository with name "
                    + "'\(name)' in the registry with id '\(account)' do not exist"
            )
        }
    }

    private func checkTag(_ tag: String?, for digest: Digest, refusesSameDigest: Bool) throws(ServiceFault) {
        guard let tag else { return }
        if let held = tags[tag], mutability.isImmutable(tag), held != digest || refusesSameDigest {
            let what = mutability.mode == .immutable ? "repository" : "tag"
            throw ServiceFault(
                "ImageTagAlreadyExistsException",
                "The image tag '\(tag)' already exists in the '\(name)' repository and cannot be overwritten because "
                    + "the \(what) is immutable."
            )
        }
        guard tags[tag] == digest || tags(of: digest).count < Self.mostTagsOfAnImage else {
            throw ServiceFault(
                "LimitExceededException",
                "The image with digest '\(digest)' already has \(Self.mostTagsOfAnImage) tags"
            )
        }
    }

    private static func listed(_ digests: [Digest]) -> String {
        "[" + digests.map(\.description).joined(separator: ", ") + "]"
    }
}
