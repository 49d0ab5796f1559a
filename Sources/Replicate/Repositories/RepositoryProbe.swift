package import Content
package import Distribution
package import ECRAPI
internal import HTTPTypes
package import Wire

/// A repository that was opened to run checks, not to copy: the part of a side that `doctor` sees.
///
/// Targets above `Replicate` access a backend only through this.
package struct RepositoryProbe: Sendable {
    private let repository: any ImageRepository
    /// The probe for ECR's own requests; `nil` if the repository is not in ECR.
    package let ecr: ECRProbe?
    /// The client of a registry that is not ECR; `nil` for ECR and for files.
    package let registryClient: RegistryClient?

    fileprivate init(_ repository: any ImageRepository) {
        self.repository = repository
        ecr = (repository as? ECRImageRepository).map(ECRProbe.init)
        registryClient = (repository as? PlainImageRepository)?.client
    }

    /// The repository's reference, without tag and digest; a registry that the user left out is filled in.
    package var reference: ImageReference { repository.reference }

    package func read(_ id: ManifestID) async throws -> Reading { try await repository.read([id]) }

    /// Returns the only image here, if a reference needn't name one; `nil` if it must.
    package func soleImage() async throws -> ManifestID? { try await repository.soleImage() }

    /// Returns every tag with the image that it holds, for a layout.
    package func listedTags() async throws -> [ListedTag] {
        try await repository.list().images.flatMap { image in
            image.tags.map { ListedTag(tag: $0, digest: image.digest) }
        }
    }

    /// Returns the manifests whose subject is `digest`; `nil` if the registry doesn't support the request.
    package func referrers(of digest: Digest) async throws -> ReferrerListing? {
        try await repository.referrers(of: digest)
    }

    /// Returns the source of the blob's bytes.
    package func source(of blob: Descriptor) async throws -> RelaySource { try await repository.source(of: blob) }

    /// Requests a blob or a part of it, and follows redirects to the host that has the bytes.
    ///
    /// - Returns: The host that sent them.
    /// - Throws: ``CopyError``, `WireError`
    package func read(_ blob: Descriptor, at request: WireRequest, by sender: any HTTPSending) async throws -> String {
        do {
            var download = BlobDownload(blob, from: repository, at: .request(request))
            while case .request(let next) = download.address {
                let answer = try await sender.send(next)
                if answer.status.kind == .successful { return next.url.host }
                guard answer.status.kind == .redirection else {
                    throw BlobFailure(sourceAnswered: answer, blob, repository)
                }
                try await download.next(after: answer)
            }
            return request.url.host
        } catch let failure as BlobFailure {
            throw failure.error
        }
    }

    /// Opens an upload and closes it again, so that nothing is left behind.
    package func tryUpload(of blob: Descriptor) async throws {
        do {
            _ = try await repository.receive(MountOnly(blob: blob, sibling: nil))
        } catch is MountOnly.NotMounted {}
    }
}

/// The requests that only ECR supports.
package struct ECRProbe: Sendable {
    private let repository: ECRImageRepository

    fileprivate init(_ repository: ECRImageRepository) { self.repository = repository }

    package var api: ECRClient { repository.api }
    package var host: ECRHost { repository.host }
    package var name: RepositoryName { repository.reference.repository }

    package func registry() async throws -> RegistryClient { try await repository.registry() }

    /// Returns the digests of these ids.
    package func digests(of ids: [ManifestID]) async throws -> Reading {
        try await repository.read(manifests: [], digests: ids)
    }

    /// Returns those of the blobs that the repository does not have.
    package func missing(_ blobs: [Descriptor]) async throws -> Set<Digest> { try await repository.missing(blobs) }

    package func creationOnPush() async throws -> CreationOnPush { try await repository.creationOnPush() }

    /// Returns `error`, with the pull-through cache rule if one explains it.
    package func namingCacheRule(in error: CopyError) async throws -> CopyError {
        do {
            return try await repository.namingCacheRule { throw error }
        } catch let error as CopyError {
            return error
        }
    }
}

extension RepositoryOpener {
    /// - Throws: ``CopyError`` that names the side and the reference.
    package func probe(
        _ reference: ImageReference,
        side: CopyError.Side,
        _ options: SideOptions
    ) async throws -> RepositoryProbe {
        RepositoryProbe(try await open(reference, side: side, options))
    }
}
