internal import AWSIdentity
internal import Content
internal import Platform
internal import Replicate

/// Deletes what is left over at a destination, after everything was copied there.
extension UnitRun {
    /// What one job did, as far as pruning needs it.
    struct Worked: Sendable {
        var outcomes: [RepositoryOutcome]
        /// The destinations, by the place of their outcome.
        var listings: [Int: DestinationListing] = [:]
        /// The manifests that planned copies need, by the place of their outcome.
        var planned: [Int: Set<Digest>] = [:]
    }

    /// A destination repository, and who writes to it.
    private struct PrunedPlace {
        var repository: ImageReference
        var writers: [(job: Int, outcome: Int)]
        /// The last rule that prunes there; its outcome names the deletions.
        var owner: (job: Int, outcome: Int)
        var listing: DestinationListing
        var destination: RuleDestination
        var maxDelete: Int
    }

    /// Deletes, or plans to delete, what no rule selects at the destinations of rules that prune.
    ///
    /// - Throws: `CancellationError`
    func prune(
        _ worked: inout [Worked],
        _ selected: [Selected?],
        _ assignments: [Assignment?]
    ) async throws {
        if case .verify = run.mode { return }
        guard jobs.contains(where: { $0.job.rule.prune != nil }) else { return }
        var writers: [ImageReference: [(job: Int, outcome: Int)]] = [:]
        for (job, work) in worked.enumerated() {
            for (index, outcome) in work.outcomes.enumerated() {
                guard let destination = outcome.destination else { continue }
                writers[destination.bare, default: []].append((job, index))
            }
        }
        for (repository, writers) in writers.sorted(by: { "\($0.key)" < "\($1.key)" }) {
            guard let owner = writers.last(where: { jobs[$0.job].job.rule.prune != nil }),
                let maxDelete = writers.compactMap({ jobs[$0.job].job.rule.prune?.maxDelete }).min()
            else { continue }
            if let obstacle = obstacle(to: repository, writers, owner, worked, selected) {
                worked[owner.job].outcomes[owner.outcome].notes.append("nothing is pruned: \(obstacle)")
                continue
            }
            // Without a listing, the repository is new or was not needed.
            guard let listing = worked[owner.job].listings[owner.outcome], !listing.isNew else { continue }
            let place = PrunedPlace(
                repository: repository,
                writers: writers,
                owner: owner,
                listing: listing,
                destination: jobs[owner.job].job.rule.destinations[
                    worked[owner.job].outcomes[owner.outcome].destinationIndex
                ],
                maxDelete: maxDelete
            )
            do {
                try await prune(place, &worked, selected, assignments)
            } catch let error as CopyError {
                worked[owner.job].outcomes[owner.outcome].problems.append(OutcomeProblem(error))
            } catch is Drained {
                worked[owner.job].outcomes[owner.outcome].notes.append("nothing is pruned: the run was stopped")
            }
        }
    }

    /// Why nothing may be deleted there; `nil` if it may.
    private func obstacle(
        to repository: ImageReference,
        _ writers: [(job: Int, outcome: Int)],
        _ owner: (job: Int, outcome: Int),
        _ worked: [Worked],
        _ selected: [Selected?]
    ) -> String? {
        let destination = worked[owner.job].outcomes[owner.outcome].destinationIndex
        let registry = jobs[owner.job].job.rule.destinations[destination].registry.place
        if let obstacle = pruneGuard.obstacle(to: repository.repository, at: registry, by: Set(places)) {
            return obstacle
        }
        // Every job that may write there must have succeeded.
        for (index, placed) in jobs.enumerated() {
            let own = writers.filter { $0.job == index }
            let mayWrite =
                !own.isEmpty
                || (placed.job.fixedPlaces().map { places in
                    places.contains { $0.registry == registry && $0.repository == repository.repository.value }
                } ?? true)
            guard mayWrite else { continue }
            guard let selection = selected[index] else {
                return placed.loop != nil
                    ? "rule '\(placed.job.rule.name)' is refused for \(placed.job.source)"
                    : "the source \(placed.job.source) could not be listed"
            }
            guard selection.selection.wanted == nil else {
                return "\(placed.job.source) has fewer tags that are selected than minTags"
            }
            guard !selection.images.isEmpty else { return "nothing is selected of \(placed.job.source)" }
            for writer in own where !worked[writer.job].outcomes[writer.outcome].allowsPruning {
                return "not everything of \(placed.job.source) \(run.mode == .carryOut ? "was" : "can be") copied"
            }
        }
        return nil
    }

    private func prune(
        _ place: PrunedPlace,
        _ worked: inout [Worked],
        _ selected: [Selected?],
        _ assignments: [Assignment?]
    ) async throws {
        guard let listed = place.listing.images else { return }
        let kept = kept(at: place, worked, selected, assignments)
        let moves = place.writers.flatMap { worked[$0.job].outcomes[$0.outcome].images }.flatMap(\.tags).filter {
            $0.action == .move
        }
        let images = listed.withoutMoved(moves)
        // What indexes need only makes the selection smaller: without leftovers, no index is read.
        var selection = PruneSelection(images, keeping: kept.tags, kept.digests, children: [:])
        guard !selection.leftovers.isEmpty else { return }
        let owner = place.owner
        if run.mode == .compare {
            selection = selection.tagsOnly
            guard !selection.leftovers.isEmpty else { return }
            worked[owner.job].outcomes[owner.outcome].notes.append(
                "images without a tag, and those that an index needs, are not looked at with --quick"
            )
        } else {
            var children = try await run.run.children(of: images.readableIndexes, at: place.listing)
            selection = PruneSelection(images, keeping: kept.tags, kept.digests(images), children: children)
            guard !selection.leftovers.isEmpty || !selection.staying.isEmpty else { return }
            if run.mode == .carryOut, !selection.leftovers.isEmpty, selection.count <= place.maxDelete {
                // Read again right before, because ECR has no conditional deletion.
                guard let fresh = try await run.run.listAgain(place.listing) else { return }
                let more = fresh.readableIndexes.filter { children[$0] == nil }
                children.merge(try await run.run.children(of: more, at: place.listing)) { first, _ in first }
                selection = selection.confirmed(
                    by: PruneSelection(fresh, keeping: kept.tags, kept.digests(fresh), children: children)
                )
            }
        }
        if !selection.staying.isEmpty {
            let names = selection.staying.prefix(5).map(\.value).joined(separator: ", ")
            let more = selection.staying.count > 5 ? " and \(selection.staying.count - 5) more" : ""
            worked[owner.job].outcomes[owner.outcome].notes.append(
                "not pruned, because an image that stays needs what they hold, which ECR would delete: \(names)\(more)"
            )
        }
        guard selection.count <= place.maxDelete else {
            worked[owner.job].outcomes[owner.outcome].problems.append(
                .tooManyDeletions(selection.count, place.maxDelete, at: place.repository)
            )
            return
        }
        guard !selection.leftovers.isEmpty else { return }
        var outcomes = selection.leftovers.map { outcome(of: $0, at: place, selected) }
        if run.mode == .carryOut { await delete(selection.leftovers, &outcomes, at: place) }
        worked[owner.job].outcomes[owner.outcome].images += outcomes
        worked[owner.job].outcomes[owner.outcome] = worked[owner.job].outcomes[owner.outcome].sorted
    }

    /// What rules select at a destination.
    private struct Kept {
        var tags: Set<Tag> = []
        var digests: Set<Digest> = []

        /// With images whose needs can't be known: where an archived index can't be read, any image without a tag may
        /// be its child.
        func digests(_ images: [ListedImage]) -> Set<Digest> {
            guard images.contains(where: { $0.isArchived && ($0.mediaType?.isIndex ?? true) }) else { return digests }
            return digests.union(images.filter { $0.tags.isEmpty && $0.subject == nil }.map(\.digest))
        }
    }

    private func kept(
        at place: PrunedPlace,
        _ worked: [Worked],
        _ selected: [Selected?],
        _ assignments: [Assignment?]
    ) -> Kept {
        var kept = Kept()
        let present = Set((place.listing.images ?? []).map(\.digest))
        for (index, outcomeIndex) in place.writers {
            let outcome = worked[index].outcomes[outcomeIndex]
            let (placed, destination) = (jobs[index].job, outcome.destinationIndex)
            guard let selection = selected[index], let assignment = assignments[index] else { continue }
            for assigned in assignment.images(at: destination, place.repository.repository) {
                kept.tags.formUnion(assigned.tags)
                kept.digests.insert(selection.images[assigned.image].digest)
            }
            kept.digests.formUnion(worked[index].planned[outcomeIndex] ?? [])
            // With --platform, the image that was copied is another than the one that was selected.
            kept.digests.formUnion(outcome.images.compactMap(\.digest))
            // A tag whose image is too young stays as it is.
            let known = Dictionary(selection.source.tags.map { ($0.tag, $0.digest) }) { first, _ in first }
            for (tag, _) in selection.selection.coolingDown {
                guard let digest = known[tag] ?? nil,
                    let name = placed.tagName(at: placed.rule.destinations[destination], tag: tag, digest: digest),
                    let own = try? Tag(parsing: name)
                else { continue }
                kept.tags.insert(own)
            }
            // A signature may be kept apart from its image, which nothing here tells.
            for tag in selection.source.tags.map(\.tag) {
                guard let subject = tag.digestTagSubject, !present.contains(subject) else { continue }
                kept.tags.insert(tag)
            }
        }
        return kept
    }

    private func outcome(
        of leftover: PruneSelection.Leftover,
        at place: PrunedPlace,
        _ selected: [Selected?]
    ) -> ImageOutcome {
        var outcome = ImageOutcome(
            source: place.repository.tagged(leftover.tags.first, digest: leftover.digest),
            digest: leftover.digest,
            mediaType: leftover.mediaType,
            tags: leftover.tags.map { .init($0, .delete, before: leftover.digest) },
            action: .delete,
            state: .planned
        )
        outcome.restore = restoring(leftover, at: place, selected)
        return outcome
    }

    private func restoring(
        _ leftover: PruneSelection.Leftover,
        at place: PrunedPlace,
        _ selected: [Selected?]
    ) -> String? {
        let destination = place.destination
        let side = destination.registry.options
        guard leftover.isWhole else {
            return RestoreCommand.retag(leftover.digest, leftover.tags, in: place.repository, side)
        }
        for (index, _) in place.writers {
            guard let source = selected[index]?.source,
                source.images?.contains(where: { $0.digest == leftover.digest && !$0.isArchived }) ?? false
            else { continue }
            return RestoreCommand.copy(
                leftover.digest,
                leftover.tags,
                from: source.reference,
                jobs[index].job.rule.source.registry.options,
                to: place.repository,
                side
            )
        }
        return nil
    }

    /// Says what is deleted, then deletes it: what needs others before what others need.
    private func delete(
        _ leftovers: [PruneSelection.Leftover],
        _ outcomes: inout [ImageOutcome],
        at place: PrunedPlace
    ) async {
        run.announce("pruning \(place.repository):")
        for outcome in outcomes { outcome.deletionLines.forEach(run.announce) }
        let levels = Dictionary(grouping: leftovers.indices) { leftovers[$0].level }
        for (_, indices) in levels.sorted(by: { $0.key < $1.key }) {
            let ids = indices.flatMap { leftovers[$0].ids }
            let results = await run.run.delete(ids, at: place.listing)
            for index in indices {
                outcomes[index].state = .done
                for id in leftovers[index].ids {
                    switch results[id] {
                    case .deleted: continue
                    case .failed(let error): outcomes[index].state = .failed(OutcomeProblem(error))
                    case .stopped, nil: outcomes[index].state = .stopped
                    }
                }
            }
        }
    }
}

extension [ListedImage] {
    /// The images after the moves of tags: who held one before holds it no more.
    fileprivate func withoutMoved(_ moves: [ImageOutcome.TagOutcome]) -> [ListedImage] {
        guard !moves.isEmpty else { return self }
        let held = moves.compactMap { move in move.before.map { (move.tag, $0) } }
        let before = Dictionary(held) { first, _ in first }
        return map { listed in
            var image = listed
            image.tags.removeAll { tag in before[tag] == image.digest }
            return image
        }
    }

    /// The images that may be indexes; an image in the archive can't be read.
    fileprivate var readableIndexes: [Digest] {
        filter { !$0.isArchived && ($0.mediaType?.isIndex ?? true) }.map(\.digest)
    }
}

extension ImageOutcome {
    /// A deletion for people, before it happens.
    fileprivate var deletionLines: [String] {
        let what = tags.isEmpty ? "" : tags.map(\.tag.value).joined(separator: ", ") + "  "
        return ["  - \(what)\(digest.map(\.description) ?? "")", "      \(restoreText)"]
    }

    /// How to undo a deletion, in words.
    var restoreText: String { restore.map { "to restore it: \($0)" } ?? "cannot be restored" }
}

extension OutcomeProblem {
    /// The reason of ``tooManyDeletions(_:_:at:)``.
    static let tooManyDeletions = "maxDelete"

    fileprivate static func tooManyDeletions(
        _ count: Int,
        _ most: Int,
        at repository: ImageReference
    ) -> OutcomeProblem {
        OutcomeProblem(
            reason: tooManyDeletions,
            "\(counted(count, "deletion")) at \(repository) would be more than maxDelete, \(most): nothing is deleted",
            remedy: "look at what the rule selects, then raise maxDelete, or delete by hand what has to go"
        )
    }

    /// Whether it is about deletions alone, so that every copy was made all the same.
    var isAboutPruning: Bool { reason == Self.tooManyDeletions }
}
