public import Content
internal import Distribution
internal import ECRAPI

/// A repository in a registry's list.
public struct ListedRepository: Sendable, Hashable {
    /// The name as the registry gives it; registries other than ECR may return any text.
    public var name: String
    /// The time of creation in seconds since 1970; `nil` if the registry doesn't say.
    public var createdAt: Double?
    /// Which tags are immutable; `nil` if the registry doesn't say.
    package var immutability: TagImmutability?

    package init(name: String, createdAt: Double? = nil, immutability: TagImmutability? = nil) {
        (self.name, self.createdAt, self.immutability) = (name, createdAt, immutability)
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
        let place = DestinationReference(registry: registry, repository: nil, tag: nil).description
        do {
            // No request is for a particular repository, so the reference has a placeholder for the name.
            let reference = ImageReference(registry: registry, repository: .unnamed)
            let opened = try await opener.open(reference, side: .source, side)
            let listed =
                switch opened {
                case let ecr as ECRImageRepository: try await Self.repositories(of: ecr)
                case let plain as PlainImageRepository: try await Self.repositories(of: plain, place)
                default: [ListedRepository]()
                }
            return listed.sorted { $0.name < $1.name }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw CopyError(explaining: error, side: .source, image: place, "listing the repositories")
        }
    }

    private static func repositories(of ecr: ECRImageRepository) async throws -> [ListedRepository] {
        var all: [ListedRepository] = []
        for try await page in ecr.api.pages(DescribeRepositories(registryId: ecr.host.account)) {
            all += page.repositories.map { repository in
                ListedRepository(
                    name: repository.repositoryName.value,
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
        _ place: String
    ) async throws -> [ListedRepository] {
        let remedy =
            "name the repository: ecr-replicate ls \(place)REPO; many registries list their repositories on their web pages "
            + "only, or to administrators"
        do {
            guard let names = try await plain.client.repositories() else {
                throw CopyError(
                    .unsupported("the registry has no list of its repositories (/v2/_catalog)", remedy: remedy),
                    side: .source,
                    image: place,
                    operation: "listing the repositories"
                )
            }
            return names.map { ListedRepository(name: $0) }
        } catch let error as RegistryError where [.denied, .unauthorized, .tokenExpired].contains(error.kind) {
            throw CopyError(
                .denied(action: "list the repositories (/v2/_catalog)", text: error.message, remedy: remedy),
                side: .source,
                image: place,
                operation: "listing the repositories",
                requestID: error.requestID
            )
        }
    }
}
