internal import Content

/// What to do about the referrers of an image at one destination.
struct PlannedReferrers: Sendable {
    /// The manifests: subjects before their referrers, and lists after their entries.
    var manifests: [Plan.PlannedManifest] = []
    var tags: [Plan.PlannedTag] = []
    /// The manifests that the tags will point at.
    var tagged: [Digest: Manifest] = [:]
    var failures: [ReferrerFailure] = []

    /// Removes tags that can't be set, and the manifests that were needed only for them.
    mutating func drop(_ refused: [Tag: CopyError]) {
        for planned in tags {
            guard let error = refused[planned.tag] else { continue }
            failures.append(
                ReferrerFailure(digest: planned.digest, tag: planned.tag, subject: planned.tag.namedDigest, error)
            )
        }
        let unwanted = Set(tags.filter { refused[$0.tag] != nil }.map(\.digest))
        tags.removeAll { refused[$0.tag] != nil }
        let kept = Set(tags.map(\.digest))
        manifests.removeAll {
            let digest = $0.manifest.digest
            // A manifest with a subject is found without its tag.
            return unwanted.contains(digest) && !kept.contains(digest) && $0.manifest.subject == nil
        }
    }
}

extension Planner {
    /// Decides which referrers to copy.
    ///
    /// Those that can't be copied are in ``PlannedReferrers/failures``; a list is copied without entries that no longer
    /// exist.
    func plan(
        _ referrers: ReferrerSet,
        at destination: DestinationState,
        _ guardian: TagGuard,
        isSecondLook: Bool = false
    ) async throws -> PlannedReferrers {
        var planned = PlannedReferrers(failures: referrers.failures)
        guard !referrers.isEmpty else { return planned }
        let tagDigests = referrers.tagged.map(\.manifest.digest)
        let unknown = try await destination.lookSeparately(
            for: referrers.digests + tagDigests,
            tags: referrers.tagged.map(\.tag)
        )
        let lists = try await destination.ownLists(ofReferrersTo: Set(referrers.subjects.values))
        let isListed: (Digest) -> Bool = { digest in
            guard let lists, let subject = referrers.subjects[digest] else { return true }
            return lists[subject]?.contains(digest) ?? false
        }
        let listed = try await living(referrers, at: destination, isMerged: lists != nil, isListed, &planned)
        for (tag, manifest) in listed.tagged {
            if let error = unknown[.tag(tag)] {
                planned.failures.append(
                    ReferrerFailure(digest: manifest.digest, tag: tag, subject: tag.namedDigest, error)
                )
                continue
            }
            await reader.remember(manifest)
            let isList = lists != nil && ReferrerSet.subject(ofList: tag, manifest) != nil
            planned.tags += await guardian.decide([tag], for: manifest.digest, isReferrer: true, isList: isList)
            planned.tagged[manifest.digest] = manifest
        }

        let kept = planned.tags.filter { if case .skip = $0.action { false } else { true } }.map(\.digest)
        var lacking: [Digest] = []
        for digest in (referrers.digests + listed.entries + kept).unique() {
            if let error = unknown[.digest(digest)] {
                planned.failures.append(
                    ReferrerFailure(digest: digest, subject: referrers.subjects[digest], error)
                )
                continue
            }
            // A killed run may have put a referrer without listing it, so it is put again.
            let isSettled = await destination.has(digest) && isListed(digest) && !destination.checksContent
            if !isSettled { lacking.append(digest) }
        }
        let (read, failures) = try await reader.readSeparately(lacking)
        let vanished = lacking.filter { read[$0] == nil && failures[$0] == nil }
        if !vanished.isEmpty, !isSecondLook {
            // The referrer was just deleted, or a list contained a wrong digest; asking for the list again tells which.
            let again = try await reader.referrers(asking: referrers.asked)
            return try await plan(again, at: destination, guardian, isSecondLook: true)
        }
        var seen: Set<Digest> = []
        for digest in lacking {
            do {
                if let error = failures[digest] { throw error }
                guard let manifest = read[digest] else { throw gone(digest) }
                let image = try await reader.graph(under: manifest)
                let below = image.manifestsBelow(digest)
                try await destination.look(for: below.filter { $0 != digest })
                var parts: [Plan.PlannedManifest] = []
                for part in below where !seen.contains(part) {
                    let isThere = await destination.has(part) && isListed(part)
                    guard let manifest = image.manifests[part] else {
                        guard !isThere else { continue }
                        throw childMissing(part, image)
                    }
                    if !isThere { try refuseOddEntries(of: manifest, under: digest) }
                    parts.append(.init(manifest: manifest, role: .referrer, isThere: isThere))
                }
                if let refused = refusedIndexOfBlobs(among: parts, nil, at: destination) { throw refused }
                seen.formUnion(parts.map(\.manifest.digest))
                planned.manifests += parts
            } catch let error as CopyError where !error.endsRun {
                let tag = planned.tags.first { $0.digest == digest }?.tag
                let subject = referrers.subjects[digest] ?? tag?.namedDigest
                planned.failures.append(ReferrerFailure(digest: digest, tag: tag, subject: subject, error))
                planned.tags.removeAll { $0.digest == digest }
            }
        }
        return planned
    }

    /// The digest tags, without lists that the destination doesn't need, and the entries of the remaining lists.
    private struct Listed {
        var tagged: [(tag: Tag, manifest: Manifest)] = []
        var entries: [Digest] = []
    }

    /// Reads the entries of fallback lists, and removes those that the source no longer has.
    ///
    /// - Parameter isMerged: Whether the destination adds entries to its own lists; a list with all its entries there
    ///   is done.
    private func living(
        _ referrers: ReferrerSet,
        at destination: DestinationState,
        isMerged: Bool,
        _ isListed: (Digest) -> Bool,
        _ planned: inout PlannedReferrers
    ) async throws -> Listed {
        var listed = Listed()
        var lists: [(tag: Tag, manifest: Manifest, subject: Digest)] = []
        for (tag, manifest) in referrers.tagged {
            guard let subject = ReferrerSet.subject(ofList: tag, manifest) else {
                listed.tagged.append((tag, manifest))
                continue
            }
            let named = manifest.listedDigests(about: subject)
            if isMerged, named.allSatisfy(isListed) { continue }
            guard await destination.holds(tag) != manifest.digest || isMerged else {
                listed.tagged.append((tag, manifest))
                continue
            }
            lists.append((tag, manifest, subject))
        }
        let named = lists.flatMap { $0.manifest.listedDigests(about: $0.subject) }.unique()
        guard !named.isEmpty else { return listed }
        async let looked: Void = destination.look(for: named)
        let (found, failures) = try await reader.readSeparately(named)
        try await looked
        for (tag, manifest, subject) in lists {
            for digest in manifest.listedDigests(about: subject) {
                // An entry that the referrers API lists too is handled there and has no second failure.
                guard found[digest] == nil, !referrers.digests.contains(digest) else { continue }
                let error = failures[digest] ?? gone(digest)
                planned.failures.append(ReferrerFailure(digest: digest, subject: subject, error))
            }
            do {
                let rest = try manifest.listing { found[$0.digest] == nil || $0.digest == subject }
                guard !rest.children.isEmpty, !isMerged || !rest.children.map(\.digest).allSatisfy(isListed) else {
                    continue
                }
                listed.tagged.append((tag, rest))
            } catch {
                let reason = CopyError.Reason.badManifest(error)
                let place = reader.repository.reference.tagged(tag)
                planned.failures.append(
                    ReferrerFailure(
                        digest: manifest.digest,
                        tag: tag,
                        subject: subject,
                        CopyError(reason, side: .source, image: place, operation: "reading the list of referrers")
                    )
                )
            }
        }
        listed.entries = named.filter { found[$0] != nil }
        return listed
    }

    /// The error for a referrer that is listed but doesn't exist.
    private func gone(_ digest: Digest) -> CopyError {
        CopyError(
            .imageMissing,
            side: .source,
            image: reader.repository.reference.tagged(nil, digest: digest),
            operation: "reading a referrer that is listed"
        )
    }

    private func childMissing(_ digest: Digest, _ image: ImageGraph) -> CopyError {
        CopyError(
            .childMissing(digest, of: image.missing[digest] ?? image.root.digest),
            side: .source,
            image: reader.repository.reference.tagged(nil, digest: image.root.digest),
            operation: "reading a referrer"
        )
    }
}
