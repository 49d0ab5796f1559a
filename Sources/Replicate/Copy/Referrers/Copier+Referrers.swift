internal import Content
internal import Platform

/// The outcome of copying the referrers of one image.
struct CopiedReferrers: Sendable {
    /// The number of referrers that were put.
    var count = 0
    var failures: [ReferrerFailure] = []
}

/// Copies the referrers of an image; a failure of one referrer does not affect the image or the other referrers.
extension Copier {
    /// Copies the planned referrers, subjects first and lists last.
    ///
    /// - Throws: ``CopyError`` if the error is not about one referrer, such as an expired login.
    func copyReferrers(_ missing: Set<Digest>) async throws -> CopiedReferrers {
        let planned = plan.manifests.filter { $0.role == .referrer }
        let referrers = planned.filter { !$0.isThere }.map(\.manifest)
        // If the content was checked, a referrer that the destination holds may lack a blob.
        let checked = planned.filter { !$0.isThere || plan.checksContent }.map(\.manifest)
        let tags = plan.tags.filter(\.isReferrer)
        let tagged = Set(tags.filter(\.needsPut).map(\.digest))
        let failures = Lock<[Digest: CopyError]>([:])
        try await checked.forEachConcurrently(limit: Self.parallelManifests) { manifest in
            try await noting(manifest.digest, failures) { try await copyBlobs(of: manifest, missing) }
        }
        // A manifest that gets a tag is put together with its tag.
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
        var copied = CopiedReferrers()
        copied.count = referrers.count { failed[$0.digest] == nil }
        let digests = checked.map(\.digest) + wanted.map(\.digest)
        for digest in digests.unique() {
            guard let error = failed[digest] else { continue }
            let tag = tags.first { $0.digest == digest }?.tag
            let subject = tag?.namedDigest ?? manifest(digest)?.subject?.digest
            copied.failures.append(ReferrerFailure(digest: digest, tag: tag, subject: subject, error))
        }
        return copied
    }

    /// The manifests in levels, each of which needs only the levels before it.
    ///
    /// On a long link, all referrers of a level then take one round trip instead of one each.
    private static func levels(of manifests: [Manifest]) -> [[Manifest]] {
        var depths: [Digest: Int] = [:]
        var levels: [[Manifest]] = []
        // Subjects and children come before the manifests that name them.
        for manifest in manifests {
            let needs = manifest.children.map(\.digest) + [manifest.subject?.digest].compactMap { $0 }
            let depth = needs.compactMap { depths[$0] }.max().map { $0 + 1 } ?? 0
            depths[manifest.digest] = depth
            if depth == levels.count { levels.append([]) }
            levels[depth].append(manifest)
        }
        return levels
    }

    /// Runs `body` unless that manifest has failed before, and records a failure.
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

    /// Throws if a child has failed, because no registry accepts an index without its children.
    private func checkChildren(of manifest: Manifest, _ failures: Lock<[Digest: CopyError]>) throws {
        let failed = failures.withLock { $0 }
        if let error = manifest.children.lazy.compactMap({ failed[$0.digest] }).first { throw error }
    }

    /// The list without the referrers that could not be copied, so that the others are found.
    ///
    /// - Returns: `nil` if nothing is left.
    private func listing(_ list: Manifest, without failures: Lock<[Digest: CopyError]>) throws -> Manifest? {
        let failed = failures.withLock { $0 }
        let rest = try list.listing { failed[$0.digest] != nil }
        return rest.children.isEmpty ? nil : rest
    }
}
