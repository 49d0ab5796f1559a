internal import Content
internal import FoundationEssentials

/// The identifier with which a caller names an image.
struct ImageIdentifier: Codable, Sendable, Equatable {
    var imageDigest: String?
    var imageTag: String?

    var json: JSON {
        .members(["imageDigest": imageDigest.map(JSON.text), "imageTag": imageTag.map(JSON.text)])
    }
}

/// Why one image of a batch is missing, in an answer with status 200.
struct ImageFailure: Error, Sendable, Equatable {
    var code: String
    var reason: String

    static let notFound = ImageFailure(code: "ImageNotFound", reason: "Requested image not found")
}

/// A manifest as it is answered: as stored, or converted.
struct ServedManifest: Sendable {
    var image: EmulatedImage
    var text: String
    var mediaType: String
}

extension EmulatedRepository {
    /// Finds an image by digest, tag, or both.
    ///
    /// - Throws: ``ImageFailure`` with the codes of `ImageFailureCode`.
    func image(_ id: ImageIdentifier) throws(ImageFailure) -> EmulatedImage {
        guard id.imageDigest != nil || id.imageTag != nil else {
            throw ImageFailure(code: "MissingDigestAndTag", reason: "Neither a digest nor a tag was given")
        }
        var named: Digest?
        if let text = id.imageDigest {
            guard let digest = try? Digest(parsing: text) else {
                // Another algorithm or capitals make a valid digest that no image here has.
                if Grammar.digest.accepts(text) { throw .notFound }
                throw ImageFailure(
                    code: "InvalidImageDigest",
                    reason: "Invalid request parameters: image digest should satisfy the regex "
                        + "'[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"
                )
            }
            named = digest
        }
        if let tag = id.imageTag {
            if (try? Self.check(tag: tag)) == nil {
                throw ImageFailure(code: "InvalidImageTag", reason: "Invalid request parameters: image tag '\(tag)'")
            }
            guard let held = tags[tag] else { throw .notFound }
            if let named, named != held {
                throw ImageFailure(code: "ImageTagDoesNotMatchDigest", reason: "The tag '\(tag)' points to \(held)")
            }
            named = held
        }
        guard let named, let image = images[named] else { throw .notFound }
        return image
    }

    /// Returns a manifest, converted if it is requested by tag and its own type isn't accepted.
    ///
    /// - Parameter accepted: The media types that the caller accepts; `nil` if it names none. Then an index requested
    ///   by tag becomes its first image, as integrators have seen (docs/facts/ecr-api.md#batchgetimage); tests must
    ///   catch a careless retag there.
    func manifest(_ id: ImageIdentifier, accepted: [String]?) throws(ImageFailure) -> ServedManifest {
        let image = try image(id)
        guard image.status == .active else {
            throw ImageFailure(
                code: "ImageInaccessible",
                reason: "The image is \(image.status.rawValue.lowercased()) and can't be pulled; restore it first"
            )
        }
        let asStored = ServedManifest(image: image, text: image.text, mediaType: image.mediaType)
        let isByTag = id.imageTag != nil && id.imageDigest == nil
        guard let accepted else {
            guard isByTag, ManifestType.indexes.contains(image.mediaType), let child = defaultChild(of: image) else {
                return asStored
            }
            return ServedManifest(image: child, text: child.text, mediaType: child.mediaType)
        }
        if accepted.contains(image.mediaType) || accepted.contains("*/*") { return asStored }
        guard isByTag, let converted = ManifestType.converted(image.text, from: image.mediaType),
            accepted.contains(converted.type)
        else { throw .notFound }
        return ServedManifest(image: image, text: converted.text, mediaType: converted.type)
    }

    private func defaultChild(of index: EmulatedImage) -> EmulatedImage? {
        let children = index.view.manifests ?? []
        let preferred = children.first { $0.platform?.os == "linux" && $0.platform?.architecture == "amd64" }
        return (preferred ?? children.first).flatMap { images[$0.digest] }
    }

    /// Returns an image's size in bytes: its config and layers, or for an index its largest manifest
    /// (docs/facts/ecr-api.md#describeimages).
    func sizeInBytes(of image: EmulatedImage) -> Int64 {
        guard let children = image.view.manifests else {
            return image.view.referencedBlobs.reduce(0) { $0 + $1.size }
        }
        return children.compactMap { images[$0.digest] }.map(sizeInBytes).max() ?? 0
    }

    /// Returns the images that a filter selects, in a fixed order.
    func images(_ filter: Parameters.Filter?) throws(ServiceFault) -> [EmulatedImage] {
        let wanted = filter?.imageStatus ?? "ACTIVE"
        guard ["ACTIVE", "ARCHIVED", "ACTIVATING", "ANY"].contains(wanted) else {
            throw .invalidParameter("filter.imageStatus", "Member must satisfy enum value set")
        }
        let tagStatus = filter?.tagStatus ?? "ANY"
        guard ["TAGGED", "UNTAGGED", "ANY"].contains(tagStatus) else {
            throw .invalidParameter("filter.tagStatus", "Member must satisfy enum value set: [TAGGED, UNTAGGED, ANY]")
        }
        let tagged = Set(tags.values)
        return images.values.filter { image in
            (wanted == "ANY" || image.status.rawValue == wanted)
                && (tagStatus == "ANY" || (tagStatus == "TAGGED") == tagged.contains(image.digest))
        }.sorted { $0.digest < $1.digest }
    }

    /// Returns the manifests whose subject is `digest`, in a fixed order.
    func referrers(of digest: Digest, types: [String], status: String) -> [EmulatedImage] {
        images.values.filter { image in
            image.view.subject?.digest == digest
                && (types.isEmpty || types.contains(image.view.artifactKind ?? ""))
                && (status == "ANY" || image.status.rawValue == status)
        }.sorted { $0.digest < $1.digest }
    }

    /// Removes a tag, or an image with all its tags; removing the last tag removes the image too.
    mutating func delete(_ id: ImageIdentifier) throws(ImageFailure) -> [ImageIdentifier] {
        let image = try image(id)
        let held = tags(of: image.digest)
        if let tag = id.imageTag, id.imageDigest == nil, held.count > 1 {
            tags[tag] = nil
            return [ImageIdentifier(imageDigest: "\(image.digest)", imageTag: tag)]
        }
        let parents = images.values.filter { ($0.view.manifests ?? []).contains { $0.digest == image.digest } }
        guard parents.isEmpty else {
            throw ImageFailure(
                code: "ImageReferencedByManifestList",
                reason: "Requested image referenced by manifest list: [\(parents.map { "\($0.digest)" }.joined())]"
            )
        }
        for tag in held { tags[tag] = nil }
        images[image.digest] = nil
        return held.isEmpty
            ? [ImageIdentifier(imageDigest: "\(image.digest)")]
            : held.map { ImageIdentifier(imageDigest: "\(image.digest)", imageTag: $0) }
    }

    /// Archives an image, or restores it at once.
    mutating func setStorageClass(of digest: Digest, archived: Bool, at now: Date) {
        images[digest]?.status = archived ? .archived : .active
        if archived { images[digest]?.archivedAt = now } else { images[digest]?.activatedAt = now }
    }
}
