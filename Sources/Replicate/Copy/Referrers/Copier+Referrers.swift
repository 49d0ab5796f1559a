internal import Content
internal import Platform

/// What became of the referrers of one image.
struct BroughtReferrers: Sendable {
    /// How many were put.
    var count = 0
    var failures: [ReferrerFailure] = []
}

/// Referrers come after the image and its tags: what is wrong with one of them is wrong with that one only.
extension Copier {
    /// Brings what the plan says of referrers, subjects first and lists last.
    ///
    /// - Throws: ``CopyError`` that is no failure of one referrer, such as a login that has ended.
    func bringReferrers(_ missing: Set<Digest>) async throws -> BroughtReferrers {
        let planned = plan.manifests.filter { $0.role == .referrer }
        let referrers = planned.filter { !$0.isThere }.map(\.manifest)
        // One that is there may have lost a blob, if that was looked at.
        let checked = planned.filter { !$0.isThere || plan.checksContent }.map(\.manifest)
        let tags = plan.tags.filter(\.isReferrer)
        let tagged = Set(tags.filter(\.needsPut).map(\.digest))
        let failures = Lock<[Digest: CopyError]>([:])
        try await checked.forEachConcurrently(limit: Self.parallelManifests) { manifest in
            try await noting(manifest.digest, failures) { try await bringBlobs(of: manifest, missing) }
        }
        // A manifest that gets a tag is put with it.
        for level in Self.levels(of: referrers.filter { !tagged.contains($0.digest) }) {
            try await level.forEachConcurrently(limit: Self.parallelManifests) { manifest in
                try await noting(manifest.digest, failures) {
                    try checkChildren(of: manifest, failures)
                    try await put(manifest, tag: nil)
                }
            }
        }
        let wanted = try await confirmed(tags).filter(\.needsPut)
        try await wanted.forEachConcurrently(limit: Self.parallelManifests) { planned in
            try await noting(planned.digest, failures) {
                guard let manifest = manifest(planned.digest) else { return }
                if ReferrerSet.subject(ofList: planned.tag, manifest) == nil {
                    try checkChildren(of: manifest, failures)
                    try await put(manifest, tag: planned.tag)
                } else if let rest = try listing(manifest, without: failures) {
                    try await put(rest, tag: planned.tag)
                }
            }
        }
        let failed = failures.withLock { $0 }
        var brought = BroughtReferrers()
        brought.count = referrers.count { failed[$0.digest] == nil }
        let digests = checked.map(\.digest) + wanted.map(\.digest)
        for digest in digests.unique() {
            guard let error = failed[digest] else { continue }
            let tag = tags.first { $0.digest == digest }?.tag
            let subject = tag?.namedDigest ?? manifest(digest)?.subject?.digest
            brought.failures.append(ReferrerFailure(digest: digest, tag: tag, subject: subject, error))
        }
        return brought
    }

    /// Manifests in the order in which they can be put: those of a level need only what earlier levels put.
    ///
    /// On a long link the referrers of an image take one round trip together, and not one each.
    private static func levels(of manifests: [Manifest]) -> [[Manifest]] {
        var depths: [Digest: Int] = [:]
        var levels: [[Manifest]] = []
        // Subjects and children come before what names them.
        for manifest in manifests {
            let needs = manifest.children.map(\.digest) + [manifest.subject?.digest].compactMap { $0 }
            let depth = needs.compactMap { depths[$0] }.max().map { $0 + 1 } ?? 0
            depths[manifest.digest] = depth
            if depth == levels.count { levels.append([]) }
            levels[depth].append(manifest)
        }
        return levels
    }

    /// Runs `body` unless it has failed for that manifest before, and notes it if it fails now.
    private func noting(
        _ digest: Digest,
        _ failures: Lock<[Digest: CopyError]>,
        _ body: () async throws -> Void
    ) async throws {
        guard failures.withLock({ $0[digest] }) == nil else { return }
        do {
            try await body()
        } catch let error where error is CancellationError || error is Drained {
            throw error
        } catch {
            let place = state.repository
            let explained = CopyError(explaining: error, repository: place, "copying a referrer", .digest(digest))
            guard !explained.endsRun else { throw explained }
            failures.withLock { $0[digest] = explained }
        }
    }

    /// No registry takes an index without what it names.
    private func checkChildren(of manifest: Manifest, _ failures: Lock<[Digest: CopyError]>) throws {
        let failed = failures.withLock { $0 }
        if let error = manifest.children.lazy.compactMap({ failed[$0.digest] }).first { throw error }
    }

    /// A list without what could not be brought, so that the rest is found.
    ///
    /// - Returns: `nil` if nothing is left.
    private func listing(_ list: Manifest, without failures: Lock<[Digest: CopyError]>) throws -> Manifest? {
        let failed = failures.withLock { $0 }
        let rest = try list.listing { failed[$0.digest] != nil }
        return rest.children.isEmpty ? nil : rest
    }
}
