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
    struct PrunedPlace {
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
        let spellings = spellings(of: worked)
        var again: [Int: Selected]?
        for (repository, writers) in writers.sorted(by: { "\($0.key)" < "\($1.key)" }) {
            guard let owner = writers.last(where: { jobs[$0.job].job.rule.prune != nil }),
                let maxDelete = writers.compactMap({ jobs[$0.job].job.rule.prune?.maxDelete }).min()
            else { continue }
            if let obstacle = obstacle(to: repository, writers, owner, worked, selected, spellings) {
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
                try await prune(place, &worked, selected, assignments, &again)
            } catch let error as CopyError {
                worked[owner.job].outcomes[owner.outcome].problems.append(OutcomeProblem(error))
            } catch is Drained {
                worked[owner.job].outcomes[owner.outcome].notes.append("nothing is pruned: the run was stopped")
            }
        }
    }

    /// The names by which each repository is written to: a registry may be reached by several hosts.
    private func spellings(of worked: [Worked]) -> [PruneGuard.Place: Set<RepositoryPlaceKey>] {
        var spellings: [PruneGuard.Place: Set<RepositoryPlaceKey>] = [:]
        func add(_ key: RepositoryPlaceKey) {
            spellings[PruneGuard.Place(key.registry, key.repository), default: []].insert(key)
        }
        for (placed, work) in zip(jobs, worked) {
            placed.job.fixedPlaces()?.forEach(add)
            for outcome in work.outcomes {
                guard let destination = outcome.destination else { continue }
                let registry = placed.rule.destinations[outcome.destinationIndex].registry
                add(RepositoryPlaceKey(registry, destination.repository.value))
            }
        }
        return spellings
    }

    /// Why nothing may be deleted there; `nil` if it may.
    private func obstacle(
        to repository: ImageReference,
        _ writers: [(job: Int, outcome: Int)],
        _ owner: (job: Int, outcome: Int),
        _ worked: [Worked],
        _ selected: [Selected?],
        _ spellings: [PruneGuard.Place: Set<RepositoryPlaceKey>]
    ) -> String? {
        let destination = worked[owner.job].outcomes[owner.outcome].destinationIndex
        let registry = jobs[owner.job].job.rule.destinations[destination].registry.place
        if let obstacle = pruneGuard.obstacle(to: repository.repository, at: registry, by: Set(places)) {
            return obstacle
        }
        let place = PruneGuard.Place(registry, repository.repository.value)
        guard (spellings[place]?.count ?? 0) < 2 else {
            return "the rules write to it under several names of its registry"
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
            // The image that a tag holds now is not known by its name at the destination.
            guard selection.selection.undecided.isEmpty || !placed.rule.namesDigests else {
                return "\(placed.job.source) has tags that are too young, and their names here have the digest in them"
            }
            for writer in own where !worked[writer.job].outcomes[writer.outcome].allowsPruning {
                return "not everything of \(placed.job.source) \(run.mode == .carryOut ? "was" : "can be") copied"
            }
        }
        return nil
    }
}
