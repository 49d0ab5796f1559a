internal import Content

/// What is to be done about the referrers of an image at one destination.
struct PlannedReferrers: Sendable {
    /// Subjects before what refers to them, lists after what they list.
    var manifests: [Plan.PlannedManifest] = []
    var tags: [Plan.PlannedTag] = []
    /// What the tags are to point at.
    var tagged: [Digest: Manifest] = [:]
    var failures: [ReferrerFailure] = []

    /// Leaves out tags that can't be set, and what would be put with them.
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
            // One that refers to something is found without its tag.
            return unwanted.contains(digest) && !kept.contains(digest) && $0.manifest.subject == nil
        }
    }
}

extension Planner {
    /// Decides which referrers must be brought.
    ///
    /// Those that can't be are in ``PlannedReferrers/failures``; a list is brought without what is gone.
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
            // One that arrived and was not listed any more, because its run was killed, is put again.
            let isSettled = await destination.has(digest) && isListed(digest) && !destination.checksContent
            if !isSettled { lacking.append(digest) }
        }
        let (read, failures) = try await reader.readSeparately(lacking)
        let vanished = lacking.filter { read[$0] == nil && failures[$0] == nil }
        if !vanished.isEmpty, !isSecondLook {
            // Deleted just now, or a list that came with a wrong digest in it: the list tells, asked once more.
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

    /// The digest tags without those lists that the destination needs no more, and what the others list.
    private struct Listed {
        var tagged: [(tag: Tag, manifest: Manifest)] = []
        var entries: [Digest] = []
    }

    /// Looks at what fallback lists name, and takes out what the source does not have (any more).
    ///
    /// - Parameter isMerged: Whether lists are added to at the destination; there, one whose entries are listed is done.
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
                // A list of what is being listed as well is no second reason to leave it out.
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
                let place = reader.repository.reference.tagged(tag).description
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

    /// A referrer that is listed and not there.
    private func gone(_ digest: Digest) -> CopyError {
        CopyError(
            .imageMissing,
            side: .source,
            image: reader.repository.reference.tagged(nil, digest: digest).description,
            operation: "reading a referrer that is listed"
        )
    }

    private func childMissing(_ digest: Digest, _ image: ImageGraph) -> CopyError {
        CopyError(
            .childMissing(digest, of: image.missing[digest] ?? image.root.digest),
            side: .source,
            image: reader.repository.reference.tagged(nil, digest: image.root.digest).description,
            operation: "reading a referrer"
        )
    }
}
