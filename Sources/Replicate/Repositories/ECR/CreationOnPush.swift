internal import Content
internal import ECRAPI
internal import Platform

/// A repository creation template by which ECR creates a repository when something is pushed to it.
///
/// - Source: ECR API Reference, `CreateRepositoryCreationTemplate`; docs/facts/ecr-api.md#creation-templates
public struct CreationTemplate: Sendable, Hashable {
    /// The beginning of the names that it is for; `ROOT` is for all others.
    public var prefix: String
    /// Which tags of the new repository can't be moved.
    public var immutability: TagImmutability

    public init(prefix: String, immutability: TagImmutability = TagImmutability(byDefault: false)) {
        (self.prefix, self.immutability) = (prefix, immutability)
    }

    /// What becomes of the repository, for people.
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

/// Whether a push creates a repository that is missing.
public enum CreationOnPush: Sendable, Hashable {
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
                // The operation is about the caller's own registry, whichever the repository is in.
                if let owner = page.registryId, owner != host.account { return .unknown }
                templates += page.repositoryCreationTemplates
            }
        } catch let error as ECRError where error.isAuthentication {
            throw error
        } catch let error as ECRError {
            // A local cloud that knows no templates has none.
            return error.code == .unknownOperation ? .notCovered : .unknown
        }
        guard let found = templates.creatingOnPush(reference.repository) else { return .notCovered }
        let template = CreationTemplate(
            prefix: found.prefix,
            immutability: TagImmutability(found.imageTagMutability, found.imageTagMutabilityExclusionFilters)
        )
        knownTemplate.withLock { $0 = template }
        return .template(template)
    }

    /// Whether an upload or a manifest creates the repository, as far as is known.
    var isCreatedOnPush: Bool { templateInUse != nil }

    /// By which a push creates the repository, as far as is known.
    var templateInUse: CreationTemplate? { knownTemplate.withLock { $0 } }

    var place: ECRPlace { ECRPlace(host: host, repository: reference.repository) }
}

extension TagImmutability {
    /// As ECR writes it.
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
