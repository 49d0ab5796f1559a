internal import Content
internal import Platform
internal import Promotion
internal import Replicate

/// Compares the images of a job with its destinations, and copies what differs.
extension UnitRun {
    func copy(
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
                // What platforms make of an index is known only when it is read.
                let isKnown = rule.platforms.isEmpty || !isIndex
                if isKnown, difference == .none, !(looksAtIndexes && isIndex) {
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
        let collected = CollectedOutcomes(
            open.map(\.listing),
            isPlan: run.mode != .carryOut,
            keepsDigests: jobs.contains { $0.job.rule.prune != nil }
        )
        let images = differing.sorted { $0.key < $1.key }.map { ImageToCopy(selected.images[$0.key], tags: $0.value) }
        await run.run.copy(
            images,
            from: selected.source,
            to: open.map(\.listing),
            rule.copyOptions(
                isDryRun: run.mode != .carryOut,
                run.admissions,
                additions: run.additions(rule),
                in: run.run
            )
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
        if job.rule.gates?.isEmpty == false { outcome.notes.append("plan --quick evaluates no gates") }
        if !job.rule.platforms.isEmpty {
            outcome.notes += ["by the listings alone, the index of the selected platforms is not known"]
        }
        return outcome
    }
}

/// Collects the outcomes of images that finish in any order.
private final class CollectedOutcomes: Sendable {
    private let state: Lock<[[ImageOutcome]]>
    private let needed: Lock<[Set<Digest>]>
    private let listings: [DestinationListing]
    private let isPlan: Bool
    private let keepsDigests: Bool

    /// - Parameters:
    ///   - listings: The destinations.
    ///   - isPlan: Whether nothing is carried out.
    ///   - keepsDigests: Whether to remember the manifests of planned copies.
    init(_ listings: [DestinationListing], isPlan: Bool, keepsDigests: Bool) {
        state = Lock(Array(repeating: [], count: listings.count))
        needed = Lock(Array(repeating: [], count: listings.count))
        (self.listings, self.isPlan, self.keepsDigests) = (listings, isPlan, keepsDigests)
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
                if let platform = error.otherPlatform {
                    outcome = ImageOutcome(skipping: image, for: platform, at: place, listings[place], from: source)
                    if !isPlan { outcome.state = .done }
                } else {
                    outcome = ImageOutcome(OutcomeProblem(error), image, at: place, from: source)
                }
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

extension ImageOutcome {
    /// An image that is left out because it is for another platform; its tags stay as they are.
    fileprivate init(
        skipping image: ImageToCopy,
        for platform: String,
        at place: Int,
        _ listing: DestinationListing,
        from source: ImageReference
    ) {
        self.init(
            source: source.tagged(image.image.tags.first, digest: image.image.digest),
            digest: image.image.digest,
            mediaType: image.image.mediaType,
            tags: (image.tags[place] ?? []).map { tag in
                .init(tag, .skip, before: listing.tags[tag], reason: Self.otherPlatform(platform))
            },
            action: .skip,
            state: .planned
        )
    }

    /// The reason for which an image of another platform is skipped.
    static func otherPlatform(_ platform: String) -> String { "the image is for \(platform) alone" }
}

extension CopyError {
    /// The platform of a single image, if it was not copied because it is for another platform than the selected ones.
    var otherPlatform: String? {
        if case .unsupported(.imageOfOtherPlatform(let platform)) = reason { platform } else { nil }
    }
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
