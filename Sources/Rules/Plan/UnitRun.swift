internal import AWSIdentity
internal import Content
internal import Replicate

/// Plans or copies a group of jobs that share destination repositories.
struct UnitRun: Sendable {
    let run: RuleRun
    let jobs: [RuleRun.PlacedJob]
    /// The places of the jobs in the run.
    let places: [Int]
    let pruneGuard: PruneGuard

    init(_ run: RuleRun, _ jobs: [RuleRun.PlacedJob], at places: [Int], _ pruneGuard: PruneGuard) {
        (self.run, self.jobs, self.places, self.pruneGuard) = (run, jobs, places, pruneGuard)
    }

    /// A job whose source was listed.
    struct Selected: Sendable {
        var source: SourceListing
        var selection: TagSelection
        /// The images that the rule selects, each with its selected tags.
        var images: [ListedImage]
        /// Selected tags that can't be read.
        var failures: [(ManifestID, CopyError.Reason)]
    }

    /// The outcomes of each job.
    ///
    /// If the run is stopped, the jobs that were not begun are ``RepositoryOutcome/isStopped``.
    ///
    /// - Throws: `CancellationError`
    func outcomes() async throws -> [[RepositoryOutcome]] {
        let results = try await jobs.mapConcurrently(limit: RuleRun.parallelUnits) { try await select($0) }
        let selected = results.map { try? $0.get() }
        let assignments = jobs.indices.map { index in selected[index].map { Assignment(of: $0.images, jobs[index].job) }
        }
        let collisions = Assignment.collisions(among: assignments)
        var worked: [Worked] = []
        for (index, placed) in jobs.enumerated() {
            switch results[index] {
            case .failure(let problem): worked.append(Worked(outcomes: [failed(placed, problem)]))
            case .success(let selected):
                guard let assignment = assignments[index] else { continue }
                worked.append(try await work(on: placed, selected, assignment, collisions[index] ?? [:]))
            }
        }
        try await prune(&worked, selected, assignments)
        return worked.map(\.outcomes)
    }

    private func failed(_ placed: RuleRun.PlacedJob, _ problem: OutcomeProblem) -> RepositoryOutcome {
        var outcome = blank(placed, 0)
        if problem == .stopped { outcome.isStopped = true } else { outcome.problems = [problem] }
        return outcome
    }

    func blank(_ placed: RuleRun.PlacedJob, _ destination: Int) -> RepositoryOutcome {
        RepositoryOutcome(
            rule: placed.job.rule.name,
            ruleIndex: placed.ruleIndex,
            destinationIndex: destination,
            source: placed.job.source
        )
    }

    private func work(
        on placed: RuleRun.PlacedJob,
        _ selected: Selected,
        _ assignment: Assignment,
        _ collisions: [Assignment.Target: [ImageReference]]
    ) async throws -> Worked {
        let rule = placed.job.rule
        if case .verify(let options) = run.mode {
            return Worked(
                outcomes: try await verified(placed, selected, assignment, collisions, options).map(\.sorted)
            )
        }
        var places: [(destination: Int, name: RepositoryName?)] = []
        for index in rule.destinations.indices {
            // A tag that is too young is reported as skipped where the destination has it.
            let names = Set(assignment.repositories(at: index) + coolingDown(selected, placed.job, at: index))
            places += names.isEmpty ? [(index, nil)] : names.sorted { $0.value < $1.value }.map { (index, $0) }
        }
        let listed = try await places.mapConcurrently(limit: RuleRun.parallelUnits) { index, name in
            try await list(name, at: index, for: placed, selected, assignment)
        }
        var outcomes: [RepositoryOutcome] = []
        var open: [OpenPlace] = []
        for ((index, name), result) in zip(places, listed) {
            let destination = rule.destinations[index]
            var outcome = blank(placed, index)
            outcome.selection = selected.selection
            outcome.destination = (name ?? placed.job.fixedName(at: index)).map(destination.registry.reference)
            switch result {
            case nil:
                if selected.selection.wanted == nil, selected.selection.stages.isEmpty, selected.images.isEmpty {
                    outcome.notes.append("nothing is selected; nothing is pruned either")
                }
            case .failure(let problem) where problem == .stopped: outcome.isStopped = true
            case .failure(let problem): outcome.problems = [problem]
            case .success(let listing):
                guard let name else { break }
                outcome.creates = listing.isNew && !assignment.images(at: index, name).isEmpty
                outcome.template = listing.template
                outcome.images += skipped(selected, placed.job, destination, name, listing.tags)
                open.append((listing, name, outcomes.count))
            }
            outcome.images += assignment.refusals(at: index) + failures(selected)
            outcome.notes += notes(selected)
            outcomes.append(outcome)
        }
        return try await copy(placed, selected, assignment, collisions, open, outcomes)
    }

    /// A destination repository that was listed, its name in the rule, and the place of its outcome.
    ///
    /// A layout's own reference has no repository name.
    typealias OpenPlace = (listing: DestinationListing, name: RepositoryName, outcome: Int)

    /// - Returns: `nil` if nothing goes to the destination, and it has nothing that is left as it is.
    private func list(
        _ name: RepositoryName?,
        at index: Int,
        for placed: RuleRun.PlacedJob,
        _ selected: Selected,
        _ assignment: Assignment
    ) async throws -> Result<DestinationListing, OutcomeProblem>? {
        guard let name else { return nil }
        let rule = placed.job.rule
        let destination = rule.destinations[index]
        let reference = destination.registry.reference(to: name)
        do {
            return .success(
                try await run.run.listDestination(
                    CopyDestination(
                        DestinationReference(registry: reference.registry, repository: reference.repository, tag: nil),
                        destination.registry.options,
                        kmsKeys: destination.registry.kmsKeys
                    ),
                    of: selected.source,
                    wanted: assignment.images(at: index, name).flatMap(\.tags),
                    taggedOnly: rule.referrers == .none && rule.prune == nil,
                    rule.copyOptions(isDryRun: run.mode != .carryOut)
                )
            )
        } catch let error as CopyError {
            // The repository is missing, and nothing goes there yet.
            let isUnneeded = error.reason == .repositoryMissing && assignment.images(at: index, name).isEmpty
            return isUnneeded ? nil : .failure(OutcomeProblem(error))
        } catch is Drained {
            return .failure(.stopped)
        }
    }

    /// An outcome for each tag whose image is too young, if the destination has the tag.
    func skipped(
        _ selected: Selected,
        _ job: RuleJob,
        _ destination: RuleDestination,
        _ name: RepositoryName,
        _ tags: [Tag: Digest]
    ) -> [ImageOutcome] {
        let known = Dictionary(selected.source.tags.map { ($0.tag, $0.digest) }) { first, _ in first }
        return selected.selection.coolingDown.compactMap { tag, time in
            guard let digest = known[tag] ?? nil,
                job.repositoryName(at: destination, tag: tag, digest: digest) == name.value,
                let text = job.tagName(at: destination, tag: tag, digest: digest), let own = try? Tag(parsing: text),
                let held = tags[own], held != digest
            else { return nil }
            let reason = "too young; qualifies at \(AWSTime.extended(time))"
            return ImageOutcome(
                source: job.source.tagged(tag, digest: digest),
                digest: digest,
                tags: [.init(own, .skip, before: held, reason: reason)],
                state: run.mode == .carryOut ? .done : .planned
            )
        }
    }

    func notes(_ selected: Selected) -> [String] {
        let names = selected.source.unusableTags.map { "'\(quotable($0.name, upTo: 200))'" }
        guard !names.isEmpty else { return [] }
        let more = names.count > 5 ? " and \(names.count - 5) more" : ""
        return ["left out, because they are not tags: \(names.prefix(5).joined(separator: ", "))\(more)"]
    }

    func failures(_ selected: Selected) -> [ImageOutcome] {
        selected.failures.map { id, reason in
            let image = selected.source.reference.tagged(id.tag, digest: id.digest)
            let error = CopyError(reason, side: .source, image: image, operation: "reading the image")
            return ImageOutcome(
                source: image,
                digest: id.digest,
                tags: [],
                action: .keep,
                state: .failed(OutcomeProblem(error))
            )
        }
    }
}

extension OutcomeProblem {
    /// The problem of what a signal kept from being started.
    static let stopped = OutcomeProblem(reason: "stopped", "stopped before it was finished", kind: .failed)
}

extension RepositoryOutcome {
    /// The outcome with its images in a stable order: by tag, then by digest.
    var sorted: RepositoryOutcome {
        var outcome = self
        outcome.images.sort { $0.sortKey < $1.sortKey }
        return outcome
    }
}

extension ImageOutcome {
    fileprivate var sortKey: String { (tags.first?.tag.value ?? "~") + " " + (digest?.hex ?? "") }
}
