public import Content
internal import Distribution
internal import ECRAPI

/// A repository in a registry's list.
public struct ListedRepository: Sendable, Hashable {
    /// The name as the registry gives it; registries other than ECR may return any text.
    public var name: String
    /// The repository; `nil` if its name is not one that a reference can have.
    public var reference: ImageReference?
    /// The time of creation in seconds since 1970; `nil` if the registry doesn't say.
    public var createdAt: Double?
    /// Which tags are immutable; `nil` if the registry doesn't say.
    package var immutability: TagImmutability?

    init(
        name: String,
        in registry: RegistryLocation,
        createdAt: Double? = nil,
        immutability: TagImmutability? = nil
    ) {
        (self.name, self.createdAt, self.immutability) = (name, createdAt, immutability)
        let repository = try? RepositoryName(parsing: name)
        reference = repository.map { ImageReference(registry: registry, repository: $0) }
    }
}

extension Replicator {
    /// Lists every repository of a registry by name.
    ///
    /// ECR is asked with `DescribeRepositories`, a thousand a page. Other registries are asked for their catalog, which
    /// many don't have.
    ///
    /// - Throws: ``CopyError``
    public func repositories(
        of registry: RegistryLocation,
        _ side: SideOptions = SideOptions()
    ) async throws -> [ListedRepository] {
        do {
            // No request is for a particular repository, so the reference has a placeholder for the name.
            let reference = ImageReference(registry: registry, repository: .unnamed)
            let opened = try await opener.open(reference, side: .source, side)
            let listed =
                switch opened {
                case let ecr as ECRImageRepository: try await Self.repositories(of: ecr)
                case let plain as PlainImageRepository: try await Self.repositories(of: plain, registry)
                default: [ListedRepository]()
                }
            return listed.sorted { $0.name < $1.name }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw CopyError(explaining: error, side: .source, subject: .registry(registry), "listing the repositories")
        }
    }

    private static func repositories(of ecr: ECRImageRepository) async throws -> [ListedRepository] {
        var all: [ListedRepository] = []
        for try await page in ecr.api.pages(DescribeRepositories(registryId: ecr.host.account)) {
            all += page.repositories.map { repository in
                ListedRepository(
                    name: repository.repositoryName.value,
                    in: .ecr(ecr.host),
                    createdAt: repository.createdAt?.secondsSince1970,
                    immutability: TagImmutability(
                        repository.imageTagMutability,
                        repository.imageTagMutabilityExclusionFilters
                    )
                )
            }
        }
        return all
    }

    private static func repositories(
        of plain: PlainImageRepository,
        _ registry: RegistryLocation
    ) async throws -> [ListedRepository] {
        do {
            guard let names = try await plain.client.repositories() else {
                throw CopyError(
                    .unsupported(.listOfRepositories),
                    side: .source,
                    subject: .registry(registry),
                    operation: "listing the repositories"
                )
            }
            return names.map { ListedRepository(name: $0, in: registry) }
        } catch let error as RegistryError where [.denied, .unauthorized, .tokenExpired].contains(error.kind) {
            var denied = CopyError(
                .denied(action: "list the repositories (/v2/_catalog)", text: error.message),
                side: .source,
                subject: .registry(registry),
                operation: "listing the repositories",
                requestID: error.requestID
            )
            denied.circumstance = .deniedListOfRepositories
            throw denied
        }
    }
}
