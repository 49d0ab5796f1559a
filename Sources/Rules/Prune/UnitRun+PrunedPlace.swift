internal import Content
internal import Replicate

/// Finds what is left over at one destination repository, and deletes it.
extension UnitRun {
    func prune(
        _ place: PrunedPlace,
        _ worked: inout [Worked],
        _ selected: [Selected?],
        _ assignments: [Assignment?],
        _ again: inout [Int: Selected]?
    ) async throws {
        guard let listed = place.listing.images else { return }
        var kept = kept(at: place, worked, selected, assignments)
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
            selection = PruneSelection(images, keeping: kept, reading: children)
            if run.mode == .carryOut, !selection.leftovers.isEmpty {
                // Both sides are listed again, because others may have copied there while this run did.
                if again == nil { again = try await selectAgain(selected) }
                kept.formUnion(newlyKept(at: place, again ?? [:]))
                // The destination is the last, because ECR has no conditional deletion.
                guard let fresh = try await run.run.listAgain(place.listing) else { return }
                let more = fresh.readableIndexes.filter { children[$0] == nil }
                children.merge(try await run.run.children(of: more, at: place.listing)) { first, _ in first }
                kept.keepArrivals(in: fresh, since: images)
                selection = selection.confirmed(by: PruneSelection(fresh, keeping: kept, reading: children))
            }
        }
        worked[owner.job].outcomes[owner.outcome].notes += selection.notes
        guard selection.count <= place.maxDelete else {
            worked[owner.job].outcomes[owner.outcome].problems.append(
                .tooManyDeletions(selection.count, place.maxDelete, at: place.repository)
            )
            return
        }
        guard !selection.leftovers.isEmpty else { return }
        var outcomes = selection.leftovers.map { leftover in
            ImageOutcome(
                deleting: leftover,
                at: place.repository,
                restore: RestoreCommand.text(
                    for: leftover,
                    in: place.repository,
                    place.destination.registry.options,
                    from: place.writers.compactMap { writer in
                        selected[writer.job].map { ($0.source, jobs[writer.job].rule.source.registry.options) }
                    }
                )
            )
        }
        if run.mode == .carryOut {
            let deletion = LeftoverDeletion(run: run.run, listing: place.listing, announce: run.announce)
            await deletion.carryOut(selection.leftovers, &outcomes, at: place.repository)
        }
        worked[owner.job].outcomes[owner.outcome].images += outcomes
        worked[owner.job].outcomes[owner.outcome] = worked[owner.job].outcomes[owner.outcome].sorted
    }

    // MARK: What stays

    private func kept(
        at place: PrunedPlace,
        _ worked: [Worked],
        _ selected: [Selected?],
        _ assignments: [Assignment?]
    ) -> PruneKept {
        var kept = PruneKept()
        let present = Set((place.listing.images ?? []).map(\.digest))
        for (index, outcomeIndex) in place.writers {
            let outcome = worked[index].outcomes[outcomeIndex]
            guard let selection = selected[index], let assignment = assignments[index] else { continue }
            kept.formUnion(
                self.kept(jobs[index], selection, assignment, at: outcome.destinationIndex, place.repository)
            )
            kept.digests.formUnion(worked[index].planned[outcomeIndex] ?? [])
            // With --platform, the image that was copied is another than the one that was selected.
            kept.digests.formUnion(outcome.images.compactMap(\.digest))
            // A signature may be kept apart from its image, which nothing here tells.
            for tag in selection.source.tags.map(\.tag) {
                guard let subject = tag.digestTagSubject, !present.contains(subject) else { continue }
                kept.tags.insert(tag)
            }
        }
        return kept
    }

    /// What a job selects for one destination repository, and what it leaves there as it is.
    private func kept(
        _ placed: RuleRun.PlacedJob,
        _ selected: Selected,
        _ assignment: Assignment,
        at index: Int,
        _ repository: ImageReference
    ) -> PruneKept {
        var kept = PruneKept()
        for assigned in assignment.images(at: index, repository.repository) {
            kept.tags.formUnion(assigned.tags)
            // With platforms, another image is put, which its outcome names.
            let image = selected.images[assigned.image]
            if placed.rule.platforms.isEmpty || assigned.tags.isEmpty { kept.digests.insert(image.digest) }
        }
        let known = Dictionary(selected.source.tags.map { ($0.tag, $0.digest) }) { first, _ in first }
        for tag in selected.selection.undecided {
            guard let digest = known[tag] ?? nil,
                let name = placed.job.tagName(at: placed.rule.destinations[index], tag: tag, digest: digest),
                let own = try? Tag(parsing: name)
            else { continue }
            kept.tags.insert(own)
        }
        return kept
    }

    /// The present selection of every job, without what it had selected before.
    private func selectAgain(_ selected: [Selected?]) async throws -> [Int: Selected] {
        let known = selected.enumerated().compactMap { index, selected in selected.map { (index, $0) } }
        let again = try await known.mapConcurrently(limit: RuleRun.parallelUnits) { index, before in
            (index, try await selectAgain(jobs[index].job, since: before))
        }
        return Dictionary(uniqueKeysWithValues: again)
    }

    /// What the present selections add to what stays at a place.
    private func newlyKept(at place: PrunedPlace, _ again: [Int: Selected]) -> PruneKept {
        var kept = PruneKept()
        let registry = place.destination.registry.place
        for (index, selected) in again {
            let placed = jobs[index]
            let assignment = Assignment(of: selected.images, placed.job)
            for (number, destination) in placed.rule.destinations.enumerated()
            where destination.registry.place == registry {
                kept.formUnion(self.kept(placed, selected, assignment, at: number, place.repository))
            }
        }
        return kept
    }
}

extension RuleRun.PlacedJob {
    var rule: Rule { job.rule }
}

extension Rule {
    /// Whether the digest of an image is part of its name at a destination.
    var namesDigests: Bool {
        destinations.contains { $0.repository.names.contains("digest") || $0.tag.names.contains("digest") }
    }
}

extension PruneSelection {
    /// Why something stays that no rule selects, for people.
    fileprivate var notes: [String] {
        func names(_ all: [String]) -> String {
            all.prefix(5).joined(separator: ", ") + (all.count > 5 ? " and \(all.count - 5) more" : "")
        }
        var notes: [String] = []
        if !unread.isEmpty {
            notes.append(
                "no image is deleted, only tags of images that have others, because the children of indexes that can't be "
                    + "read are not known: \(names(unread.map(\.digest.description)))"
            )
        }
        if !staying.isEmpty {
            notes.append(
                "not pruned, because an image that stays needs what they hold, which ECR would delete: "
                    + names(staying.map(\.value))
            )
        }
        return notes
    }
}

extension [ListedImage] {
    /// The images after the moves of tags: the image that held one before has lost it.
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
    var readableIndexes: [Digest] {
        filter { !$0.isArchived && ($0.mediaType?.isIndex ?? true) }.map(\.digest)
    }
}
