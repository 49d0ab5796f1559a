internal import Content
internal import ECRAPI
internal import Platform

/// A repository creation template, by which ECR creates a repository on push.
///
/// - Source: ECR API Reference, `CreateRepositoryCreationTemplate`; docs/facts/ecr-api.md#creation-templates
package struct CreationTemplate: Sendable, Hashable {
    /// The prefix of the repository names that the template covers; `ROOT` covers all others.
    package var prefix: String
    /// Which tags of the new repository are immutable.
    package var immutability: TagImmutability

    package init(prefix: String, immutability: TagImmutability = TagImmutability(byDefault: false)) {
        (self.prefix, self.immutability) = (prefix, immutability)
    }

    /// What the template does, in words.
    package var words: String {
        "ECR creates the repository on push, by the creation template '\(quotable(prefix))'\(tags)"
    }

    private var tags: String {
        let exceptions = immutability.exclusions.map { quotable($0) }.joined(separator: ", ")
        return switch (immutability.byDefault, exceptions.isEmpty) {
        case (true, true): "; its tags are immutable"
        case (true, false): "; its tags are immutable except \(exceptions)"
        case (false, true): ""
        case (false, false): "; its tags may move except \(exceptions)"
        }
    }
}

/// Whether a push creates a missing repository.
package enum CreationOnPush: Sendable, Hashable {
    case template(CreationTemplate)
    case notCovered
    /// The registry did not say, or the caller may not ask.
    case unknown
}

extension ECRImageRepository {
    func creationOnPush() async throws -> CreationOnPush {
        var templates: [RepositoryCreationTemplate] = []
        do {
            for try await page in api.pages(DescribeRepositoryCreationTemplates()) {
                // The operation always answers for the caller's own registry, whichever registry holds the repository.
                if let owner = page.registryId, owner != host.account { return .unknown }
                templates += page.repositoryCreationTemplates
            }
        } catch let error as ECRError where error.isAuthentication {
            throw error
        } catch let error as ECRError {
            // A local emulator without this operation has no templates.
            return error.code.isUnknownOperation ? .notCovered : .unknown
        }
        guard let found = templates.creatingOnPush(reference.repository) else { return .notCovered }
        let template = CreationTemplate(
            prefix: found.prefix,
            immutability: TagImmutability(found.imageTagMutability, found.imageTagMutabilityExclusionFilters)
        )
        knownTemplate.withLock { $0 = template }
        return .template(template)
    }

    /// Whether an upload or a manifest is known to create the repository.
    var isCreatedOnPush: Bool { templateInUse != nil }

    /// The template by which a push creates the repository, if it is known.
    var templateInUse: CreationTemplate? { knownTemplate.withLock { $0 } }

    var place: ECRPlace { ECRPlace(host: host, repository: reference.repository) }
}

extension TagImmutability {
    /// Creates the value from ECR's setting and its exclusions.
    init(_ mutability: ECRRepository.TagMutability?, _ exclusions: [ECRRepository.ExclusionFilter]?) {
        let filters = (exclusions ?? []).map(\.filter)
        self =
            switch mutability {
            case .immutable: TagImmutability(byDefault: true)
            case .immutableWithExclusion: TagImmutability(byDefault: true, exclusions: filters)
            case .mutableWithExclusion: TagImmutability(byDefault: false, exclusions: filters)
            default: TagImmutability(byDefault: false)
            }
    }
}
