internal import Content
internal import Distribution
internal import ECRAPI
internal import Replicate

/// The checks of one repository of a rule.
extension RuleDoctor {
    func examine(_ name: RepositoryName, _ visit: RuleVisit) async throws {
        let candidate = try await examineSource(name, visit)
        for destination in visit.rule.destinations {
            try await examine(destination, of: name, candidate, visit)
        }
    }

    /// - Returns: The image that was read, if the repository has one.
    private func examineSource(
        _ name: RepositoryName,
        _ visit: RuleVisit
    ) async throws -> RuleCheckup.Candidate? {
        guard let registry = visit.registry(visit.rule.source), let state = visit.states[registry.name] else {
            return nil
        }
        let (rule, reference) = (visit.rule, visit.rule.reference(name))
        return try await visit.part.collect(
            .source,
            label: name.value,
            named: { $0 = $0.named(registry, rule: rule.name, repository: name.value) }
        ) { order in
            var examination = Examination(
                .source,
                .image(reference),
                order,
                policies: visit.policies(registry),
                registry: registry.name
            )
            return try await SideLabel.with(SideLabel.metadata(.source)) {
                try await examineSource(name, reference, registry, state, visit, &examination)
            }
        }
    }

    private func examineSource(
        _ name: RepositoryName,
        _ reference: ImageReference,
        _ registry: RuleCheckup.Registry,
        _ state: RegistryState,
        _ visit: RuleVisit,
        _ examination: inout Examination
    ) async throws -> RuleCheckup.Candidate? {
        let doctor = doctor(source: registry.options, referrers: visit.rule.referrers)
        guard let probe = try await doctor.probe(reference, registry.options, &examination) else { return nil }
        if let ecr = probe.ecr {
            if let repository = state.repositories[name] {
                _ = doctor.note(repository, &examination)
            } else {
                switch try await doctor.describe(ecr, &examination) {
                case .missing, .refused: return nil
                case .there, .unknown: break
                }
            }
        }
        guard let listed = try await candidates(probe, &examination) else { return nil }
        guard let id = visit.rule.choose(listed) else {
            examination.note(.skipped, "image", "the rule selects none of the images on the first page")
            return nil
        }
        let places = visit.rule.destinations.compactMap { $0.place(name, nil) }
        let isRetag = !places.isEmpty && places.allSatisfy { doctor.isRetag(reference, $0) }
        let image = reference.tagged(id.tag, digest: id.digest)
        try await doctor.tryImage(image, probe, readsLayers: !isRetag, &examination)
        if let ecr = probe.ecr {
            try await doctor.tryGates(visit.rule.gates, ecr, &examination)
            try await trySettings(ecr, name, registry, visit, &examination)
        }
        examination.notePermissionsTried()
        noteReplication(of: name, state, visit, &examination)
        return listed.first { $0.tag == id.tag }
    }

    /// The tags of the first page; `nil` if they can't be listed, which a finding says.
    private func candidates(
        _ probe: RepositoryProbe,
        _ examination: inout Examination
    ) async throws -> [RuleCheckup.Candidate]? {
        if let ecr = probe.ecr {
            let question = DescribeImages(
                registryId: ecr.host.account,
                repositoryName: ecr.name,
                filter: ImageFilter(tagStatus: .tagged, imageStatus: .any)
            )
            let page = try await examination.permission("ecr:DescribeImages") { try await ecr.api.send(question) }
            return page?.imageDetails.flatMap { image in
                (image.imageTags ?? []).compactMap { try? Tag(parsing: $0) }.map { tag in
                    RuleCheckup.Candidate(tag: tag, digest: image.imageDigest, pushedAt: image.imagePushedAt?.date)
                }
            }
        }
        examination.ask("tags")
        do {
            guard let client = probe.registryClient else {
                let tags = try await probe.listedTags()
                examination.note(.ok, "tags", counted(tags.count, "tag"))
                return tags.map { RuleCheckup.Candidate(tag: $0.tag, digest: $0.digest) }
            }
            let names = try await client.firstTags(of: probe.reference.repository)
            return names.compactMap { try? Tag(parsing: $0) }.map { RuleCheckup.Candidate(tag: $0) }
        } catch {
            try examination.fail("tags", error, "listing the tags")
            return nil
        }
    }

    /// Tries to read the settings with which missing repositories are created, for each destination in ECR.
    private func trySettings(
        _ ecr: ECRProbe,
        _ name: RepositoryName,
        _ registry: RuleCheckup.Registry,
        _ visit: RuleVisit,
        _ examination: inout Examination
    ) async throws {
        guard visit.rule.createRepository == .likeSource else { return }
        for destination in visit.rule.destinations where !destination.keepsRepositories {
            guard let place = destination.place(name, nil), Doctor.isECR(place.registry) else { continue }
            let keys = visit.registry(destination.registry)?.kmsKeys ?? [:]
            let doctor = doctor(source: registry.options, createRepository: .likeSource, kmsKeys: keys)
            try await doctor.trySettings(of: ecr, for: place, &examination)
        }
    }

    private func noteReplication(
        of name: RepositoryName,
        _ state: RegistryState,
        _ visit: RuleVisit,
        _ examination: inout Examination
    ) {
        guard let rules = state.replication, case .ecr(let here) = visit.rule.reference(name).registry else { return }
        for destination in visit.rule.destinations {
            guard let place = destination.place(name, nil), case .ecr(let there) = place.registry,
                there.account != here.account || there.region != here.region
            else { continue }
            Doctor.note(replicationOf: name, by: rules, to: place, there, &examination)
        }
    }

    private func examine(
        _ destination: RuleCheckup.Destination,
        of name: RepositoryName,
        _ candidate: RuleCheckup.Candidate?,
        _ visit: RuleVisit
    ) async throws {
        guard let registry = visit.registry(destination.registry), let state = visit.states[registry.name] else {
            return
        }
        let rule = visit.rule
        @Sendable func named(_ finding: Finding, _ repository: String?) -> Finding {
            finding.named(registry, rule: rule.name, repository: repository)
        }
        guard let place = destination.place(name, candidate), let written = place.repository else {
            let text = "the name for \(name) needs the tag of an image, and none was found"
            return visit.part.note(named(Finding(.skipped, .destination, "repository", text), nil))
        }
        let label = "\(registry.name): \(place.registry.isLayout ? "\(place.bare)" : written.value)"
        guard state.isOpen else {
            let finding = Finding(.skipped, .destination, "repository", registry.closedText)
            return visit.part.note(named(finding, written.value))
        }
        try await visit.part.collect(
            .destination,
            label: label,
            named: { $0 = named($0, written.value) }
        ) { order in
            // The source is examined already.
            order.end(.source, root: candidate?.digest)
            defer { order.end(.destination) }
            var examination = Examination(
                .destination,
                CopyError.Subject(place),
                order,
                createsRepository: rule.createRepository != .never,
                policies: visit.policies(registry),
                registry: registry.name
            )
            try await SideLabel.with(SideLabel.metadata(.destination)) {
                try await examine(place, written, of: name, registry, state, visit, &examination)
            }
        }
    }

    private func examine(
        _ place: DestinationReference,
        _ written: RepositoryName,
        of name: RepositoryName,
        _ registry: RuleCheckup.Registry,
        _ state: RegistryState,
        _ visit: RuleVisit,
        _ examination: inout Examination
    ) async throws {
        let source = visit.rule.reference(name)
        let doctor = doctor(
            destination: registry.options,
            referrers: visit.rule.referrers,
            createRepository: visit.rule.createRepository,
            kmsKeys: registry.kmsKeys
        )
        let reference = place.repository(for: source)
        guard let probe = try await doctor.probe(reference, registry.options, &examination) else { return }
        var known = Doctor.KnownRegistry()
        known.repository = state.repositories[written]
        known.hasToken = state.hasToken
        known.isLikeSource = visit.rule.createRepository == .likeSource && Doctor.isECR(source.registry)
        let side = Doctor.OpenSide(repository: probe, caller: state.caller)
        let answers = try await doctor.examineRepository(
            side,
            place.tag,
            movesLayers: !doctor.isRetag(source, place),
            known,
            &examination
        )
        if answers, let ecr = probe.ecr, !examination.isRepositoryMissing {
            try await tryWhatOnlyRulesNeed(ecr, visit.rule, &examination)
        }
        if let warning = state.cacheRules.flatMap({ Doctor.warning(of: written, $0) }) {
            examination.note(.warning, "pull-through", warning.text, remedy: warning.remedy)
        }
    }
}

extension RuleDoctor {
    /// Tries the permissions of a destination that a copy of references doesn't need.
    private func tryWhatOnlyRulesNeed(
        _ ecr: ECRProbe,
        _ rule: RuleCheckup.Rule,
        _ examination: inout Examination
    ) async throws {
        let (account, name) = (ecr.host.account, ecr.name)
        _ = try await examination.permission("ecr:DescribeImages") {
            try await ecr.api.send(DescribeImages(registryId: account, repositoryName: name, maxResults: 1))
        }
        guard rule.prunes else { return }
        // Nothing is deleted: no repository holds this digest.
        let absent = ImageIdentifier(digest: Doctor.absentDigest)
        _ = try await examination.permission("ecr:BatchDeleteImage") {
            try await ecr.api.send(BatchDeleteImage(registryId: account, repositoryName: name, imageIds: [absent]))
        }
    }
}

extension DestinationReference {
    /// The destination without its tag.
    fileprivate var bare: DestinationReference {
        DestinationReference(registry: registry, repository: repository, tag: nil)
    }
}
