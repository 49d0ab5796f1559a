internal import Content
internal import Platform
internal import Replicate

/// Compares what a rule selects with each of its destinations.
extension UnitRun {
    /// A destination repository of a job, with the images that it should have.
    private struct Place: Sendable {
        var destination: Int
        /// `nil` if nothing goes there.
        var name: RepositoryName?
        var wanted: [Assignment.Assigned]
    }

    private struct Opened: Sendable {
        var place: CopyDestination
        var destination: CheckedDestination
    }

    /// - Throws: `CancellationError`
    func verified(
        _ placed: RuleRun.PlacedJob,
        _ selected: Selected,
        _ assignment: Assignment,
        _ collisions: [Assignment.Target: [ImageReference]],
        _ options: VerifyOptions
    ) async throws -> [RepositoryOutcome] {
        let rule = placed.job.rule
        let places = rule.destinations.indices.flatMap { index -> [Place] in
            let names = Set(assignment.repositories(at: index) + coolingDown(selected, placed.job, at: index))
            guard !names.isEmpty else { return [Place(destination: index, wanted: [])] }
            return names.sorted { $0.value < $1.value }.map {
                Place(destination: index, name: $0, wanted: assignment.images(at: index, $0))
            }
        }
        var outcomes = places.map { place in
            var outcome = blank(placed, place.destination)
            outcome.selection = selected.selection
            outcome.destination = (place.name ?? placed.job.fixedName(at: place.destination)).map(
                rule.destinations[place.destination].registry.reference
            )
            outcome.images = assignment.refusals(at: place.destination) + failures(selected)
            outcome.notes = notes(selected)
            return outcome
        }
        // Only the tags of an archived image can be compared.
        let readable = selected.images.indices.filter { !selected.images[$0].isArchived }
        let numbers = Dictionary(uniqueKeysWithValues: readable.enumerated().map { ($1, $0) })
        async let opening = places.mapConcurrently(limit: RuleRun.parallelUnits) { try await open($0, for: placed) }
        let verification: Result<Verification, OutcomeProblem>
        do {
            verification = .success(
                try await Verification(
                    readable.map { selected.images[$0] },
                    from: selected.source,
                    options,
                    rule.copyOptions(isDryRun: false, run.admissions),
                    in: run.run
                )
            )
        } catch {
            verification = .failure(try OutcomeProblem(stopping: error))
        }
        for (number, result) in zip(places.indices, try await opening) {
            let place = places[number]
            guard let name = place.name, let result else { continue }
            do {
                let opened = try result.get()
                if opened.destination.isMissing { outcomes[number].notes.append("the repository does not exist") }
                outcomes[number].images += skipped(
                    selected,
                    placed.job,
                    rule.destinations[place.destination],
                    name,
                    opened.destination.tags ?? [:]
                )
                var checked: [ImageToCheck] = []
                for assigned in place.wanted {
                    if let outcome = uncompared(assigned, selected, placed, opened.destination, collisions) {
                        outcomes[number].images.append(outcome)
                    } else if let index = numbers[assigned.image] {
                        checked.append(ImageToCheck(index, tags: assigned.tags))
                    }
                }
                outcomes[number].images += try await verification.get().outcomes(
                    of: checked,
                    at: opened.place,
                    opened.destination
                )
            } catch {
                outcomes[number].problems.append(try OutcomeProblem(stopping: error))
            }
        }
        return outcomes
    }

    /// The repositories of tags whose images are too young, which are reported as skipped where they exist.
    func coolingDown(_ selected: Selected, _ job: RuleJob, at destination: Int) -> [RepositoryName] {
        let young = Set(selected.selection.coolingDown.map(\.tag))
        guard !young.isEmpty else { return [] }
        return selected.source.tags.filter { young.contains($0.tag) }.compactMap { listed in
            listed.digest.flatMap {
                job.repositoryName(at: job.rule.destinations[destination], tag: listed.tag, digest: $0)
            }
            .flatMap { try? RepositoryName(parsing: $0) }
        }
    }

    /// - Returns: `nil` if nothing goes to the destination.
    private func open(
        _ place: Place,
        for placed: RuleRun.PlacedJob
    ) async throws -> Result<Opened, OutcomeProblem>? {
        guard let name = place.name else { return nil }
        let registry = placed.job.rule.destinations[place.destination].registry
        let reference = registry.reference(to: name)
        let destination = CopyDestination(
            DestinationReference(registry: reference.registry, repository: reference.repository, tag: nil),
            registry.options,
            kmsKeys: registry.kmsKeys
        )
        do {
            let opened = try await run.run.openForCheck(destination, of: placed.job.source)
            return .success(Opened(place: destination, destination: opened))
        } catch {
            return .failure(try OutcomeProblem(stopping: error))
        }
    }

    /// The outcome of an image whose content is not compared: its tag is given to several images, or it is archived.
    private func uncompared(
        _ assigned: Assignment.Assigned,
        _ selected: Selected,
        _ placed: RuleRun.PlacedJob,
        _ destination: CheckedDestination,
        _ collisions: [Assignment.Target: [ImageReference]]
    ) -> ImageOutcome? {
        let image = selected.images[assigned.image]
        let reference = placed.job.source.tagged(image.tags.first, digest: image.digest)
        var problem = collision(of: assigned.tags, at: destination.reference, collisions)
        if problem == nil, image.isArchived {
            let isHeld = !assigned.tags.isEmpty && assigned.tags.allSatisfy { destination.tags?[$0] == image.digest }
            guard !isHeld else {
                var outcome = ImageOutcome(
                    source: reference,
                    digest: image.digest,
                    mediaType: image.mediaType,
                    tags: assigned.tags.map { .init($0, .keep, before: image.digest) },
                    state: .done
                )
                outcome.notes = ["archived at the source, so only its tags were compared"]
                return outcome
            }
            problem = Self.archived(.source, reference)
        }
        return problem.map {
            ImageOutcome($0, ImageToCopy(image, tags: [0: assigned.tags]), at: 0, from: placed.job.source)
        }
    }
}

extension OutcomeProblem {
    /// The problem of a repository whose comparison ended with an error.
    ///
    /// - Throws: `error` if it says nothing about the repository, as `CancellationError`.
    fileprivate init(stopping error: any Error) throws {
        switch error {
        case let problem as OutcomeProblem: self = problem
        case let error as CopyError: self.init(error)
        case is Drained: self = .stopped
        default: throw error
        }
    }
}
