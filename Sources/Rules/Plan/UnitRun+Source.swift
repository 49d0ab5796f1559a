internal import Content
internal import FoundationEssentials
internal import Replicate

/// Lists the source of a job, and selects its tags.
extension UnitRun {
    func select(_ placed: RuleRun.PlacedJob) async throws -> Result<Selected, OutcomeProblem> {
        if let loop = placed.loop { return .failure(loop) }
        let (job, rule) = (placed.job, placed.job.rule)
        do {
            let (source, selection) = try await list(job)
            let shared = (source.images ?? []).flatMap { image in
                image.sharedTags.map { tag in
                    (
                        ManifestID.both(tag, image.digest),
                        CopyError.Reason.unsupported(
                            .sharedTag(
                                "several images of the layout have the name \(tag)",
                                example: "\(source.reference)@\(image.digest)"
                            )
                        )
                    )
                }
            }
            guard selection.wanted == nil else {
                return .success(Selected(source: source, selection: selection, images: [], failures: []))
            }
            return .success(
                try await run.run.drain.abandoning {
                    var (images, failures) = try await source.images(
                        tagged: selection.chosen.map(\.tag),
                        digests: rule.tags.digests
                    )
                    if rule.tags.untagged {
                        guard let untagged = try await source.untagged() else { throw Self.untaggedNotListed }
                        images += untagged
                    }
                    return Selected(source: source, selection: selection, images: images, failures: failures + shared)
                }
            )
        } catch let error as CopyError {
            return .failure(OutcomeProblem(error))
        } catch let problem as OutcomeProblem {
            return .failure(problem)
        } catch is Drained {
            return .failure(.stopped)
        }
    }

    /// Lists a source again, and selects what was not selected before.
    ///
    /// - Returns: The images that are new in the selection; of the tags, those of the present selection.
    /// - Throws: ``CopyError``, ``Drained``, `CancellationError`
    func selectAgain(_ job: RuleJob, since before: Selected) async throws -> Selected {
        let (source, selection) = try await list(job)
        let known = Set(before.selection.chosen.map { ManifestKey($0) })
        let new = selection.chosen.filter { !known.contains(ManifestKey($0)) }
        return try await run.run.drain.abandoning {
            var (images, failures) = try await source.images(tagged: new.map(\.tag))
            if let (id, reason) = failures.first {
                let image = source.reference.tagged(id.tag, digest: id.digest)
                throw CopyError(reason, side: .source, image: image, operation: "reading the image")
            }
            // Which of these nothing else needs is not looked at: one that stays too long does no harm.
            if job.rule.tags.untagged { images += (source.images ?? []).filter(\.tags.isEmpty) }
            return Selected(source: source, selection: selection, images: images, failures: [])
        }
    }

    /// A tag of a source with its image, where that is known.
    private struct ManifestKey: Hashable {
        var tag: Tag
        var digest: Digest?

        init(_ candidate: TagCandidate) { (tag, digest) = (candidate.tag, candidate.digest) }
    }

    private func list(_ job: RuleJob) async throws -> (SourceListing, TagSelection) {
        let rule = job.rule
        let source = try await run.run.listSource(
            job.source,
            rule.source.registry.options,
            taggedOnly: !run.mode.listsEveryImage && rule.referrers == .none && !rule.tags.untagged
                && rule.tags.digests.isEmpty
        )
        let candidates = source.tags.map { tag in
            TagCandidate(
                tag.tag,
                digest: tag.digest,
                pushedAt: tag.pushedAt.map { Date(timeIntervalSince1970: $0) }
            )
        }
        return (source, rule.tags.select(from: candidates, now: run.now))
    }

    private static let untaggedNotListed = OutcomeProblem(
        reason: "untaggedNotListed",
        "the registry does not list images without a tag",
        remedy: "name them under tags: digests:, or leave out untagged: true",
        kind: .failed
    )
}
