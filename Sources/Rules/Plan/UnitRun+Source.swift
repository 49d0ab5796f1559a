internal import Content
internal import FoundationEssentials
internal import Replicate

/// Lists the source of a job, and selects its tags.
extension UnitRun {
    func select(_ placed: RuleRun.PlacedJob) async throws -> Result<Selected, OutcomeProblem> {
        if let loop = placed.loop { return .failure(loop) }
        let (job, rule) = (placed.job, placed.job.rule)
        do {
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
            let selection = rule.tags.select(from: candidates, now: run.now)
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

    private static let untaggedNotListed = OutcomeProblem(
        reason: "untaggedNotListed",
        "the registry does not list images without a tag",
        remedy: "name them under tags: digests:, or leave out untagged: true",
        kind: .failed
    )
}
