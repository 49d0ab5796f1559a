internal import Content
internal import Replicate

/// Deletes what a saved plan says, after everything was copied to the repository.
///
/// The limits of `prune` were applied when the plan was made. Here a deletion must be as the plan has seen it: its tags
/// hold the image, or an image without a tag still has none, and nothing that stays needs the image.
extension SavedRepositoryRun {
    private var deletions: [PlanDocument.Image] { planned.images.filter { $0.action == .delete } }

    /// Whether the plan deletes something there.
    var deletesAnything: Bool { planned.deletesAnything }

    /// Adds the outcomes of the deletions to what was copied.
    ///
    /// - Throws: `CancellationError`
    func deleted(after copied: RepositoryOutcome) async throws -> RepositoryOutcome {
        var outcome = copied
        do {
            outcome.images += try await delete()
        } catch is Drained {
            outcome.images += deletions.map { self.outcome(of: $0, .stopped) }
        } catch let error as CopyError {
            if error.reason == .repositoryMissing, let stale = missingRepository(error.side) {
                outcome.images += deletions.map { self.outcome(of: $0, .refused([.stalePlan(stale)])) }
            } else {
                outcome.problems.append(OutcomeProblem(error))
            }
        }
        return outcome.sorted
    }

    /// The outcome if not everything was copied there, so that nothing is deleted.
    func spared(after copied: RepositoryOutcome, isStopped: Bool) -> RepositoryOutcome {
        var outcome = copied
        let state: ImageOutcome.State =
            isStopped ? .stopped : .refused([.notDeleted(at: planned.destination ?? planned.source)])
        outcome.images += deletions.map { self.outcome(of: $0, state) }
        return outcome.sorted
    }

    private func delete() async throws -> [ImageOutcome] {
        guard let destination = planned.destination, let registry = planned.destinationRegistry else { return [] }
        let options = planned.rule.source.registry.options
        var source = try await run.openSource(planned.source, options)
        if deletions.contains(where: { $0.deletesImage == true }), planned.rule.source.registry.place.listsImages {
            // It says which images can be restored.
            source = try await run.listSource(planned.source, options, taggedOnly: false)
        }
        var copying = planned.rule.copyOptions(isDryRun: false)
        copying.createRepository = .never
        let listing = try await run.listDestination(
            CopyDestination(
                DestinationReference(registry: destination.registry, repository: destination.repository, tag: nil),
                registry.options
            ),
            of: source,
            wanted: [],
            taggedOnly: false,
            copying
        )
        if listing.isNew, let stale = missingRepository(.destination) {
            return deletions.map { outcome(of: $0, .refused([.stalePlan(stale)])) }
        }
        guard let images = listing.images else {
            return deletions.map { outcome(of: $0, .failed(.notDeleted(unlisted: destination))) }
        }
        let check = DeletionCheck(deletions, in: images, at: destination)
        var children: [Digest: [Digest]] = [:]
        if check.deletesImages {
            children = try await run.children(of: images.readableIndexes, at: listing)
        }
        let (leftovers, decided) = check.decide(children)
        var outcomes = leftovers.map { leftover in
            ImageOutcome(
                deleting: leftover,
                at: destination,
                restore: RestoreCommand.text(
                    for: leftover,
                    in: destination,
                    registry.options,
                    from: [(source, options)]
                )
            )
        }
        if !leftovers.isEmpty {
            let deletion = LeftoverDeletion(run: run, listing: listing, announce: announce)
            await deletion.carryOut(leftovers, &outcomes, at: destination)
        }
        return outcomes + decided.map { outcome(of: $0.image, $0.state) }
    }

    /// What is reported about a deletion that is not tried: it was done before, it was refused, or the run was stopped.
    private func outcome(of image: PlanDocument.Image, _ state: ImageOutcome.State) -> ImageOutcome {
        var action = PlannedAction.delete
        var reason: String?
        switch state {
        case .done: action = .keep
        case .refused(let problems): (action, reason) = (.refuse, problems.first?.text)
        case .planned, .failed, .stopped: break
        }
        var outcome = ImageOutcome(
            source: (planned.destination ?? planned.source).tagged(image.tags.first?.tag, digest: image.digest),
            // What is gone is not what a tag holds afterwards.
            digest: state == .done ? nil : image.digest,
            mediaType: image.mediaType,
            tags: image.tags.map { .init($0.tag, action, before: state == .done ? nil : $0.before, reason: reason) },
            action: action,
            state: state
        )
        outcome.deletesImage = image.deletesImage ?? false
        return outcome
    }
}

/// Compares the deletions of a plan with what a repository holds now.
struct DeletionCheck: Sendable {
    private let repository: ImageReference
    private let images: [ListedImage]
    /// The deletions that still match, by the digest of their image.
    private var pending: [Digest: PlanDocument.Image] = [:]
    private var decided: [(image: PlanDocument.Image, state: ImageOutcome.State)] = []

    init(_ deletions: [PlanDocument.Image], in images: [ListedImage], at repository: ImageReference) {
        (self.repository, self.images) = (repository, images)
        let listed = Dictionary(images.map { ($0.digest, $0) }) { first, _ in first }
        var held: [Tag: Digest] = [:]
        for image in images { for tag in image.tags { held[tag] = image.digest } }
        for deletion in deletions {
            guard let digest = deletion.digest else { continue }
            if let difference = difference(deletion, digest, listed[digest], held) {
                decided.append((deletion, .refused([.stalePlan(difference)])))
            } else if deletion.tags.isEmpty
                ? listed[digest] == nil : deletion.tags.allSatisfy({ held[$0.tag] == nil })
            {
                // Another run of the plan was interrupted, or another client has deleted it.
                decided.append((deletion, .done))
            } else {
                pending[digest] = deletion
            }
        }
    }

    /// Whether an image may be deleted, so that what others need must be known.
    var deletesImages: Bool { pending.values.contains { $0.deletesImage == true } }

    /// How a deletion differs from what the plan has seen; `nil` if it doesn't.
    private func difference(
        _ deletion: PlanDocument.Image,
        _ digest: Digest,
        _ listed: ListedImage?,
        _ held: [Tag: Digest]
    ) -> String? {
        if deletion.tags.isEmpty {
            guard let tag = listed?.tags.first else { return nil }
            return "\(repository)@\(digest) had no tag when the plan was made, and now has the tag \(tag)"
        }
        for entry in deletion.tags {
            guard let now = held[entry.tag], now != digest else { continue }
            return SavedRepositoryRun.changed("\(repository):\(entry.tag)", digest, now)
        }
        guard let listed else { return nil }
        guard deletion.deletesImage != true else {
            return listed.isArchived ? "\(repository)@\(digest) was archived after the plan was made" : nil
        }
        // ECR deletes an image with its last tag, and the plan deletes only tags of this one.
        let going = Set(deletion.tags.map(\.tag))
        guard listed.tags.allSatisfy(going.contains) else { return nil }
        return "\(repository)@\(digest) had other tags when the plan was made, and would now be deleted with its last"
    }

    /// What to delete, and what is reported about the rest.
    ///
    /// - Parameter children: What each index of the repository names that could be read; empty if no image is deleted.
    func decide(
        _ children: [Digest: [Digest]]
    ) -> (leftovers: [PruneSelection.Leftover], decided: [(image: PlanDocument.Image, state: ImageOutcome.State)]) {
        var kept = PruneKept()
        for image in images {
            guard let deletion = pending[image.digest] else {
                kept.digests.insert(image.digest)
                kept.tags.formUnion(image.tags)
                continue
            }
            let going = Set(deletion.tags.map(\.tag))
            kept.tags.formUnion(image.tags.filter { !going.contains($0) })
            if deletion.deletesImage != true { kept.digests.insert(image.digest) }
        }
        let selection =
            deletesImages
            ? PruneSelection(images, keeping: kept, reading: children)
            : PruneSelection(images, keeping: kept.tags, kept.digests, children: [:])
        let found = Set(selection.leftovers.map(\.digest))
        let needed = pending.filter { !found.contains($0.key) }.sorted { $0.key.hex < $1.key.hex }
        let refused = needed.map { digest, deletion in
            (image: deletion, state: ImageOutcome.State.refused([.stalePlan(reason(toKeep: digest, selection))]))
        }
        return (selection.leftovers, decided + refused)
    }

    /// Why an image that still matches stays.
    private func reason(toKeep digest: Digest, _ selection: PruneSelection) -> String {
        if let unread = selection.unread.first {
            return "\(repository)@\(digest) may be needed by the index \(unread.digest), which can't be read"
        }
        return "\(repository)@\(digest) is needed by an image that stays"
    }
}

extension OutcomeProblem {
    /// The refusal of what is not as the plan has seen it.
    static func stalePlan(_ difference: String) -> OutcomeProblem {
        OutcomeProblem(
            reason: "stalePlan",
            difference,
            remedy: "make a new plan with plan --out, and look at what changed"
        )
    }

    /// The failure of deletions at a registry that does not list images.
    fileprivate static func notDeleted(unlisted repository: ImageReference) -> OutcomeProblem {
        OutcomeProblem(
            reason: notDeleted,
            "nothing is deleted in \(repository), because its registry does not list images",
            kind: .failed
        )
    }

    /// The refusal of deletions in a repository to which not everything was copied.
    fileprivate static func notDeleted(at repository: ImageReference) -> OutcomeProblem {
        OutcomeProblem(
            reason: notDeleted,
            "nothing is deleted in \(repository), because not everything that the plan copies there was copied",
            remedy: "remove the cause, then carry the plan out again or make a new one"
        )
    }
}

extension RuleRegistry.Place {
    /// Whether its repositories list every image with its digest.
    fileprivate var listsImages: Bool {
        switch self {
        case .ecr, .layout: true
        case .plain: false
        }
    }
}
