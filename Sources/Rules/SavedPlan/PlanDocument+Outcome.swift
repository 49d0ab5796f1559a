internal import AWSIdentity
internal import Content
internal import Replicate

/// Makes the parts of a saved plan from what was planned.
extension PlanDocument.Repository {
    /// - Returns: `nil` if the outcome names neither an image nor a problem.
    init?(_ outcome: RepositoryOutcome, _ rule: Rule) {
        var problems = outcome.problems
        if outcome.hasTooFewTags { problems.append(.tooFewTags(at: outcome.source)) }
        guard !outcome.images.isEmpty || !problems.isEmpty else { return nil }
        self.rule = outcome.rule
        source = PlanDocument.Place(outcome.source, in: rule.source.registry)
        destination = outcome.destination.map {
            PlanDocument.Place($0, in: rule.destinations[outcome.destinationIndex].registry)
        }
        createsRepository = outcome.creates
        creationTemplate = outcome.template
        options = PlanDocument.Options(
            createRepository: rule.createRepository.rawValue,
            ifExists: rule.ifExists.rawValue,
            platforms: rule.platforms.map(\.descriptionWithFeatures),
            referrers: rule.referrers.rawValue
        )
        self.problems = problems.isEmpty ? nil : problems.map(PlanDocument.Problem.init)
    }
}

extension PlanDocument.Place {
    init(_ reference: ImageReference, in registry: RuleRegistry) {
        self.registry = registry.name
        repository = reference.repository.value
        if case .layout(let layout) = reference.registry, case .layout(let directory) = registry.place,
            layout.path.hasPrefix(directory + "/")
        {
            repository = String(layout.path.dropFirst(directory.count + 1))
        }
    }
}

extension PlanDocument.Image {
    init(_ outcome: ImageOutcome) {
        action = outcome.action
        deletesImage = outcome.deletesImage ? true : nil
        digest = outcome.digest
        sourceDigest = outcome.sourceDigest
        mediaType = outcome.mediaType
        tags = outcome.tags.map { tag in
            PlanDocument.TagEntry(
                action: tag.action,
                before: tag.before,
                reason: tag.reason,
                source: tag.source,
                tag: tag.tag
            )
        }
        switch outcome.state {
        case .planned, .done, .stopped: problems = nil
        case .failed(let problem): problems = [PlanDocument.Problem(problem)]
        case .refused(let refusals): problems = refusals.map(PlanDocument.Problem.init)
        }
    }
}

extension PlanDocument.Problem {
    /// The problem without the service's request id, which differs from plan to plan.
    init(_ problem: OutcomeProblem) {
        (kind, reason, remedy, text) = (problem.kind, problem.reason, problem.remedy, problem.text)
    }
}

extension PlanDocument.Registry {
    init(_ registry: RuleRegistry) {
        name = registry.name
        switch registry.place {
        case .ecr(let place): (account, region, host) = (place.account, place.region, place.name)
        case .plain(let plain): host = plain.description
        case .layout(let directory): layout = directory
        }
        let identity = registry.options.identity
        (profile, roleArn, sessionName) = (identity.profile, identity.roleARN, identity.sessionName)
        externalId = registry.writtenExternalID
        (endpointUrl, registryEndpoint) = (registry.options.endpointURL, registry.options.registryEndpoint)
        kmsKeys = registry.kmsKeys.isEmpty ? nil : registry.kmsKeys
    }
}
