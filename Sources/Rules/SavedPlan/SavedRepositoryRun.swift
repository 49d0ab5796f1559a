internal import Content
internal import Platform
internal import Replicate

/// Carries out what a saved plan says about one repository.
///
/// What the plan keeps, skips or refused is reported as it was planned, without a request. Before an image is copied,
/// its tags at both sides are compared with what the plan has seen; right before a tag is set, ``CopyOptions/expected``
/// guards it.
struct SavedRepositoryRun: Sendable {
    let planned: PlannedRepository
    let run: CopyRun
    /// Called with each line about a deletion, before it happens.
    let announce: @Sendable (String) -> Void

    init(_ planned: PlannedRepository, in run: CopyRun, announce: @escaping @Sendable (String) -> Void) {
        (self.planned, self.run, self.announce) = (planned, run, announce)
    }

    /// From this number of tags, listing a repository takes fewer requests than asking for each tag.
    private static let manyTags = 100

    /// Copies the images of the repository; deletions are for later.
    ///
    /// - Throws: `CancellationError`
    func outcome() async throws -> RepositoryOutcome {
        var outcome = RepositoryOutcome(rule: planned.rule.name, ruleIndex: 0, source: planned.source)
        outcome.destination = planned.destination
        outcome.template = planned.creationTemplate
        outcome.problems = planned.problems
        let open = planned.images.filter(\.isToDo)
        outcome.images = planned.images.filter { !$0.isToDo && $0.action != .delete }.map {
            $0.outcome(from: planned.source)
        }
        guard !open.isEmpty, let destination = planned.destination, let registry = planned.destinationRegistry else {
            return outcome.sorted
        }
        do {
            let source = try await listSource(open)
            let place = CopyDestination(
                DestinationReference(registry: destination.registry, repository: destination.repository, tag: nil),
                registry.options,
                kmsKeys: registry.kmsKeys
            )
            let listing = try await list(place, of: source, open)
            outcome.creates = listing.isNew && planned.createsRepository
            outcome.images += try await copy(open, from: source, to: listing)
        } catch is Drained {
            outcome.images += open.map { $0.outcome(from: planned.source, .stopped) }
        } catch let error as CopyError {
            if error.reason == .repositoryMissing, let stale = missingRepository(error.side) {
                outcome.images += open.map { $0.stale(stale, from: planned.source) }
            } else {
                outcome.problems.append(OutcomeProblem(error))
            }
        }
        return outcome.sorted
    }

    // MARK: Reading both sides

    /// Lists the source where that answers more with fewer requests than its tags alone.
    ///
    /// A listing of ECR names the referrers too; without referrers, the tags are compared when the manifests are read,
    /// which takes no request of its own.
    private func listSource(_ images: [PlanDocument.Image]) async throws -> SourceListing {
        let options = planned.rule.source.registry.options
        guard listsSource(images) else { return try await run.openSource(planned.source, options) }
        return try await run.listSource(
            planned.source,
            options,
            taggedOnly: planned.rule.referrers == .none && images.allSatisfy { !$0.sourceTags.isEmpty }
        )
    }

    private func listsSource(_ images: [PlanDocument.Image]) -> Bool {
        switch planned.rule.source.registry.place {
        case .ecr: asksForEverything(images) || images.reduce(0) { $0 + $1.sourceTags.count } > Self.manyTags
        case .plain: false
        case .layout: true
        }
    }

    /// Whether more than the tags must be known.
    private func asksForEverything(_ images: [PlanDocument.Image]) -> Bool {
        planned.rule.referrers == .all || images.contains { $0.wantedTags.isEmpty || $0.sourceTags.isEmpty }
    }

    private func list(
        _ place: CopyDestination,
        of source: SourceListing,
        _ images: [PlanDocument.Image]
    ) async throws -> DestinationListing {
        let tags = images.flatMap(\.wantedTags)
        var options = planned.rule.copyOptions(isDryRun: false)
        // A repository that existed when the plan was made is not created again.
        if !planned.createsRepository { options.createRepository = .never }
        func list(_ listsImages: Bool) async throws -> DestinationListing {
            try await run.listDestination(
                place,
                of: source,
                wanted: tags,
                taggedOnly: !asksForEverything(images),
                listsImages: listsImages,
                options
            )
        }
        guard !asksForEverything(images), tags.count <= Self.manyTags else { return try await list(true) }
        do {
            return try await list(false)
        } catch let error as CopyError where error.reason == .archived {
            // One archived image must not keep the others from being copied, and a listing has both.
            return try await list(true)
        }
    }

    // MARK: Comparing

    /// Why nothing of a repository that no longer exists is carried out; `nil` if its absence is what the plan has seen.
    func missingRepository(_ side: CopyError.Side) -> String? {
        switch side {
        case .source: return "the source's repository \(planned.source) does not exist any more"
        case .destination:
            guard !planned.createsRepository, let destination = planned.destination else { return nil }
            return "the destination's repository \(destination) does not exist any more"
        }
    }

    /// Whether the destination is already as the plan wants it.
    private func isDone(_ image: PlanDocument.Image, _ source: SourceListing, _ listing: DestinationListing) -> Bool {
        guard let digest = image.digest, !listing.isNew else { return false }
        let tags = image.wantedTags
        guard planned.rule.referrers == .all || tags.isEmpty else {
            return tags.allSatisfy { listing.tags[$0] == digest }
        }
        let listed = ListedImage(digest: digest, tags: tags, mediaType: image.mediaType)
        guard listing.difference(of: listed, as: tags, from: source, referrers: planned.rule.referrers == .all) == .none
        else { return false }
        // A listing doesn't say to which index a child belongs, so the engine looks at every index then.
        let isIndex = image.mediaType?.isIndex ?? true
        return !isIndex || planned.rule.referrers == .none || !listing.lacksReferrersOfChildren(from: source)
    }

    /// How an image differs from what the plan has seen; `nil` if it doesn't.
    private func difference(
        _ image: PlanDocument.Image,
        _ held: [Tag: Digest],
        _ source: SourceListing,
        _ listing: DestinationListing
    ) -> String? {
        if listing.isNew, let missing = missingRepository(.destination) { return missing }
        for tag in image.tags where tag.isWanted {
            let now = listing.tags[tag.tag]
            guard now != image.digest, now != tag.before else { continue }
            return Self.changed("\(listing.reference):\(tag.tag)", tag.before, now)
        }
        guard source.images != nil, let digest = image.digestAtSource else { return nil }
        for tag in image.sourceTags where held[tag] != digest {
            return Self.changed("\(planned.source):\(tag)", digest, held[tag])
        }
        if image.sourceTags.isEmpty, source.images?.contains(where: { $0.digest == digest }) != true {
            return Self.changed("\(planned.source)", digest, nil)
        }
        return nil
    }

    static func changed(_ name: String, _ before: Digest?, _ now: Digest?) -> String {
        "\(name) \(before.map { "held \($0)" } ?? "did not exist") when the plan was made, and "
            + (now.map { "now holds \($0)" } ?? "now does not exist")
    }

    // MARK: Copying

    private func copy(
        _ images: [PlanDocument.Image],
        from source: SourceListing,
        to listing: DestinationListing
    ) async throws -> [ImageOutcome] {
        let held = Dictionary(source.tags.map { ($0.tag, $0.digest) }) { first, _ in first }.compactMapValues { $0 }
        let archived = Set((source.images ?? []).filter(\.isArchived).map(\.digest))
        var outcomes: [ImageOutcome] = []
        var wanted: [ImageToCopy] = []
        var planned: [Digest: [PlanDocument.Image]] = [:]
        for image in images {
            if isDone(image, source, listing) {
                outcomes.append(image.outcome(from: self.planned.source, .done))
            } else if let difference = difference(image, held, source, listing) {
                outcomes.append(image.stale(difference, from: self.planned.source))
            } else if let problem = archivedProblem(image, archived, listing) {
                outcomes.append(image.outcome(from: self.planned.source, .failed(problem)))
            } else if let copy = imageToCopy(image, isListed: source.images != nil) {
                planned[copy.image.digest, default: []].append(image)
                wanted.append(copy)
            }
        }
        guard !wanted.isEmpty else { return outcomes }
        let collected = Lock<[ImageOutcome]>([])
        let known = planned
        await run.copy(wanted, from: source, to: [listing], self.planned.rule.copyOptions(isDryRun: false)) {
            image,
            results,
            effort in
            let tags = Set(image.tags[0] ?? [])
            guard let result = results[0],
                let planned = known[image.image.digest]?.first(where: { Set($0.wantedTags) == tags })
            else { return }
            let outcome = outcome(of: result, planned, effort)
            collected.withLock { $0.append(outcome) }
        }
        return outcomes + collected.withLock { $0 }
    }

    private func archivedProblem(
        _ image: PlanDocument.Image,
        _ archived: Set<Digest>,
        _ listing: DestinationListing
    ) -> OutcomeProblem? {
        if let tag = image.wantedTags.first(where: listing.archived.contains) {
            let place = listing.reference.tagged(tag)
            return OutcomeProblem(CopyError(.archived, side: .destination, image: place, operation: "DescribeImages"))
        }
        guard let digest = image.digestAtSource, archived.contains(digest) else { return nil }
        let place = planned.source.tagged(image.sourceTags.first, digest: digest)
        return OutcomeProblem(CopyError(.archived, side: .source, image: place, operation: "DescribeImages"))
    }

    private func imageToCopy(_ image: PlanDocument.Image, isListed: Bool) -> ImageToCopy? {
        guard let digest = image.digestAtSource else { return nil }
        var options = planned.rule.copyOptions(isDryRun: false)
        for tag in image.tags where tag.isWanted { options.expected.updateValue(tag.before, forKey: tag.tag) }
        let listed = ListedImage(digest: digest, tags: image.sourceTags, mediaType: image.mediaType)
        var copy = ImageToCopy(listed, tags: [0: image.wantedTags], options)
        if !isListed { copy.heldBy = image.sourceTags }
        return copy
    }

    private func outcome(of result: CopyResult, _ image: PlanDocument.Image, _ effort: ImageEffort) -> ImageOutcome {
        var outcome: ImageOutcome
        switch result {
        case .planned(let plan): outcome = ImageOutcome(plan)
        case .done(let receipt): outcome = ImageOutcome(receipt)
        case .cancelled: outcome = image.outcome(from: planned.source, .stopped)
        case .failed(_, _, let error):
            if let difference = staleness(error, image) {
                outcome = image.stale(difference, from: planned.source)
            } else {
                let problem = OutcomeProblem(error)
                let isRefused = problem.kind == .refused
                outcome = image.outcome(from: planned.source, isRefused ? .refused([problem]) : .failed(problem))
            }
        }
        (outcome.work.requests, outcome.seconds) = (effort.requests, effort.seconds)
        return outcome
    }

    /// What an error says about how the image differs from what the plan has seen; `nil` for other errors.
    private func staleness(_ error: CopyError, _ image: PlanDocument.Image) -> String? {
        guard let destination = planned.destination else { return nil }
        switch (error.side, error.reason) {
        case (.destination, .tagMoved(let tag, let expected, let holds)):
            return Self.changed("\(destination):\(tag)", expected, holds)
        case (.destination, .tagHolds(let tag, let holds, _)) where image.wantedTags.contains(tag):
            return Self.changed("\(destination):\(tag)", nil, holds)
        case (.source, .tagMismatch):
            return "\(planned.source) does not hold the image \(image.digestAtSource?.description ?? "") under "
                + "\(image.sourceTags.map(\.value).joined(separator: ", ")) any more"
        case (.source, .imageMissing):
            return "\(planned.source) does not have the image \(image.digestAtSource?.description ?? "") any more"
        case (let side, .repositoryMissing): return missingRepository(side)
        default: return nil
        }
    }
}
