package import Content

extension SourceListing {
    /// The images that a request selects, each with the selected tags.
    ///
    /// Digest tags whose subject is not in the repository are selected too if every tag is, as for a copy.
    ///
    /// - Parameters:
    ///   - named: The source as the user wrote it.
    ///   - options: Whether referrers and all platforms are wanted.
    /// - Returns: The images, and an error for each name that can't be read.
    /// - Throws: ``CopyError``
    package func images(
        selectedBy selection: CopyRequest.Selection,
        named: ImageReference,
        _ options: CheckOptions
    ) async throws -> (images: [ListedImage], failures: [CopyError]) {
        switch selection.kind {
        case .one(let id): return (try await image(id), [])
        case .named:
            var id = ManifestID(named)
            if id == nil { id = try await from.soleImage() }
            guard let id else { throw failure(.unsupported(.referenceWithoutImage)) }
            return (try await image(id), [])
        case .many(let filter):
            let unusable = unusableTags.filter { filter.passes($0.name) }.map { tag in
                CopyError(
                    tag.reason,
                    side: .source,
                    subject: .name(tag.name, in: reference),
                    operation: "reading the image"
                )
            }
            let (images, failures) = try await select(filter, options)
            return (images, unusable + failures)
        }
    }

    private func image(_ id: ManifestID) async throws -> [ListedImage] {
        let (found, failures) = try await images(
            tagged: [id.tag].compactMap { $0 },
            digests: id.tag == nil ? [id.digest].compactMap { $0 } : []
        )
        if let (_, reason) = failures.first { throw failure(reason, id) }
        guard let image = found.first else { throw failure(.imageMissing, id) }
        guard id.digest == nil || id.digest == image.digest else { throw failure(.tagMismatch, id) }
        return [image]
    }

    private func select(
        _ filter: TagFilter,
        _ options: CheckOptions
    ) async throws -> (images: [ListedImage], failures: [CopyError]) {
        do {
            guard let images else {
                guard filter.newest == nil else { throw TagFilter.Unordered() }
                let wanted = tags.map(\.tag).filter { filter.passes($0.value) && !ReferrerFinder.isDigestTag($0) }
                let (found, failures) = try await self.images(tagged: wanted)
                return (found, failures.map { failure($1, $0) })
            }
            var chosen = try filter.select(from: images)
            if filter.takesAll, options.referrers == .all, options.platforms.isEmpty {
                chosen += filter.select(digestTags: ListedSource(images).followingNothing)
            }
            let shared = chosen.flatMap(\.sharedTags).unique().map { tag in
                failure(
                    .unsupported(
                        .sharedTag("several images have the name \(tag)", example: "\(reference)@DIGEST")
                    ),
                    .tag(tag)
                )
            }
            return (chosen.filter { !$0.tags.isEmpty }, shared)
        } catch is TagFilter.Unordered {
            throw failure(.unsupported(.newestWithoutPushTimes))
        }
    }

    private func failure(_ reason: CopyError.Reason, _ id: ManifestID? = nil) -> CopyError {
        CopyError(
            reason,
            side: .source,
            image: reference.tagged(id?.tag, digest: id?.digest),
            operation: "reading the image"
        )
    }
}
