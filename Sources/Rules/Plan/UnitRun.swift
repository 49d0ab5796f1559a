internal import AWSIdentity
internal import Content
internal import FoundationEssentials
internal import Platform
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

    // MARK: The source

    private func select(_ placed: RuleRun.PlacedJob) async throws -> Result<Selected, OutcomeProblem> {
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

    // MARK: The destinations

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
    private typealias OpenPlace = (listing: DestinationListing, name: RepositoryName, outcome: Int)

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

    // MARK: The images

    private func copy(
        _ placed: RuleRun.PlacedJob,
        _ selected: Selected,
        _ assignment: Assignment,
        _ collisions: [Assignment.Target: [ImageReference]],
        _ open: [OpenPlace],
        _ outcomes: [RepositoryOutcome]
    ) async throws -> Worked {
        let rule = placed.job.rule
        var outcomes = outcomes
        let listings = rule.prune == nil ? [:] : Dictionary(uniqueKeysWithValues: open.map { ($0.outcome, $0.listing) })
        var differing: [Int: [Int: [Tag]]] = [:]
        for (place, (listing, name, index)) in open.enumerated() {
            let destination = outcomes[index].destinationIndex
            let looksAtIndexes = rule.referrers == .all && listing.lacksReferrersOfChildren(from: selected.source)
            for assigned in assignment.images(at: destination, name) {
                let image = selected.images[assigned.image]
                func refuse(_ problem: OutcomeProblem) {
                    let wanted = ImageToCopy(image, tags: [0: assigned.tags])
                    outcomes[index].images.append(ImageOutcome(problem, wanted, at: 0, from: placed.job.source))
                }
                if let problem = collision(of: assigned.tags, at: listing.reference, collisions)
                    ?? archived(assigned.tags, at: listing)
                {
                    refuse(problem)
                    continue
                }
                let difference = listing.difference(
                    of: image,
                    as: assigned.tags,
                    from: selected.source,
                    referrers: rule.referrers == .all
                )
                let isIndex = image.mediaType?.isIndex ?? true
                if rule.platforms.isEmpty, difference == .none, !(looksAtIndexes && isIndex) {
                    outcomes[index].images.append(kept(image, assigned.tags, placed.job.source))
                } else if image.isArchived {
                    let archived = placed.job.source.tagged(image.tags.first, digest: image.digest)
                    refuse(Self.archived(.source, archived))
                } else if run.mode == .compare {
                    outcomes[index].images.append(
                        compared(image, assigned.tags, placed.job, listing, isUnknown: difference == .unknown)
                    )
                } else {
                    differing[assigned.image, default: [:]][place] = assigned.tags
                }
            }
        }
        guard !differing.isEmpty else { return Worked(outcomes: outcomes.map(\.sorted), listings: listings) }
        // Another rule may prune what this one is going to copy.
        let collected = CollectedOutcomes(count: open.count, keepsDigests: jobs.contains { $0.job.rule.prune != nil })
        let images = differing.sorted { $0.key < $1.key }.map { ImageToCopy(selected.images[$0.key], tags: $0.value) }
        await run.run.copy(
            images,
            from: selected.source,
            to: open.map(\.listing),
            rule.copyOptions(isDryRun: run.mode != .carryOut)
        ) { image, results, effort in
            // The requests of several destinations are counted together, and stand with the first.
            let first = results.keys.min()
            for (place, result) in results {
                let requests = place == first ? effort.requests : 0
                collected.add(result, image, place, from: placed.job.source, requests, effort.seconds)
            }
        }
        var planned: [Int: Set<Digest>] = [:]
        for (place, images) in collected.all.enumerated() {
            let index = open[place].outcome
            planned[index] = collected.digests[place]
            let sources = assignment.images(at: outcomes[index].destinationIndex, open[place].name).map(\.sources)
            outcomes[index].images += images.made(
                from: sources.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
            )
        }
        return Worked(outcomes: outcomes.map(\.sorted), listings: listings, planned: planned)
    }

    func collision(
        of tags: [Tag],
        at repository: ImageReference,
        _ collisions: [Assignment.Target: [ImageReference]]
    ) -> OutcomeProblem? {
        for tag in tags {
            guard let sources = collisions[Assignment.Target(repository, tag)] else { continue }
            return OutcomeProblem(
                reason: "collision",
                "several images would get the tag \(repository):\(tag): "
                    + sources.prefix(5).map(\.description).joined(separator: ", "),
                remedy: "give the rules templates that keep them apart, as {repository} instead of {name}"
            )
        }
        return nil
    }

    /// The failure of a tag whose image is archived at the destination, so that it can't be pulled there.
    private func archived(_ tags: [Tag], at listing: DestinationListing) -> OutcomeProblem? {
        tags.first(where: listing.archived.contains).map { tag in
            Self.archived(.destination, listing.reference.tagged(tag))
        }
    }

    static func archived(_ side: CopyError.Side, _ image: ImageReference) -> OutcomeProblem {
        OutcomeProblem(CopyError(.archived, side: side, image: image, operation: "DescribeImages"))
    }

    private func kept(_ image: ListedImage, _ tags: [Tag], _ source: ImageReference) -> ImageOutcome {
        ImageOutcome(
            source: source.tagged(image.tags.first, digest: image.digest),
            digest: image.digest,
            mediaType: image.mediaType,
            tags: tags.map { .init($0, .keep, before: image.digest) },
            action: .keep,
            state: run.mode == .carryOut ? .done : .planned
        )
    }

    /// The outcome by the listings alone.
    private func compared(
        _ image: ListedImage,
        _ tags: [Tag],
        _ job: RuleJob,
        _ listing: DestinationListing,
        isUnknown: Bool
    ) -> ImageOutcome {
        let outcomes = tags.map { tag -> ImageOutcome.TagOutcome in
            guard let held = listing.tags[tag] else { return .init(tag, .add) }
            guard held != image.digest else { return .init(tag, .keep, before: held) }
            switch job.rule.ifExists {
            case .move: return .init(tag, .move, before: held)
            case .skip: return .init(tag, .skip, before: held, reason: "ifExists is skip")
            case .fail: return .init(tag, .refuse, before: held, reason: "ifExists is fail")
            }
        }
        var outcome = ImageOutcome(
            source: job.source.tagged(image.tags.first, digest: image.digest),
            digest: image.digest,
            mediaType: image.mediaType,
            tags: outcomes,
            state: .planned
        )
        if outcomes.isEmpty { outcome.action = .add }
        if outcome.action == .keep {
            if isUnknown {
                outcome.notes = ["the listings don't say whether its referrers are there; plan without --quick asks"]
            } else {
                outcome.action = .add
            }
        }
        if !job.rule.platforms.isEmpty {
            outcome.notes = ["by the listings alone, the index of the selected platforms is not known"]
        }
        return outcome
    }
}

/// Collects the outcomes of images that finish in any order.
private final class CollectedOutcomes: Sendable {
    private let state: Lock<[[ImageOutcome]]>
    private let needed: Lock<[Set<Digest>]>
    private let keepsDigests: Bool

    /// - Parameter keepsDigests: Whether to remember the manifests of planned copies.
    init(count: Int, keepsDigests: Bool) {
        state = Lock(Array(repeating: [], count: count))
        needed = Lock(Array(repeating: [], count: count))
        self.keepsDigests = keepsDigests
    }

    var all: [[ImageOutcome]] { state.withLock { $0 } }
    /// The manifests that planned copies need, by destination.
    var digests: [Set<Digest>] { needed.withLock { $0 } }

    func add(
        _ result: CopyResult,
        _ image: ImageToCopy,
        _ place: Int,
        from source: ImageReference,
        _ requests: Int,
        _ seconds: Double
    ) {
        if keepsDigests, case .planned(let plan) = result {
            let manifests = [plan.root.digest] + plan.manifests.map(\.manifest.digest)
            needed.withLock { $0[place].formUnion(manifests) }
        }
        state.withLock { state in
            var outcome: ImageOutcome
            switch result {
            case .planned(let plan): outcome = ImageOutcome(plan)
            case .done(let receipt): outcome = ImageOutcome(receipt)
            case .failed(_, _, let error):
                outcome = ImageOutcome(OutcomeProblem(error), image, at: place, from: source)
            case .cancelled:
                var stopped = ImageOutcome(.stopped, image, at: place, from: source)
                stopped.state = .stopped
                outcome = stopped
            }
            if case .planned = result {} else { (outcome.work.requests, outcome.seconds) = (requests, seconds) }
            state[place].append(outcome)
        }
    }
}

extension OutcomeProblem {
    /// The problem of what a signal kept from being started.
    static let stopped = OutcomeProblem(reason: "stopped", "stopped before it was finished", kind: .failed)
}

extension [ImageOutcome] {
    /// The outcomes with the tag of the source for each tag.
    fileprivate func made(from sources: [Tag: Tag]) -> [ImageOutcome] {
        map { outcome in
            var outcome = outcome
            for index in outcome.tags.indices { outcome.tags[index].source = sources[outcome.tags[index].tag] }
            return outcome
        }
    }
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
