internal import Content
internal import ECRAPI
internal import FoundationEssentials
internal import Replicate
internal import Reporting
internal import Wire

extension Doctor {
    func examineDestination(
        _ place: DestinationReference,
        of image: ImageReference,
        _ order: FindingOrder
    ) async throws {
        defer { order.end(.destination) }
        var examination = Examination(
            .destination,
            CopyError.Subject(place),
            order,
            createsRepository: createRepository != .never,
            policies: policyCommand(image, place)
        )
        try await SideLabel.with(SideLabel.metadata(.destination)) {
            try await examine(place, of: image, &examination)
        }
    }

    private func examine(
        _ place: DestinationReference,
        of image: ImageReference,
        _ examination: inout Examination
    ) async throws {
        let reference = place.repository(for: image)
        guard let side = try await open(reference, destination, &examination) else { return }
        var known = KnownRegistry()
        known.isLikeSource = createRepository == .likeSource && Self.isECR(image.registry)
        let answers = try await examineRepository(
            side,
            place.tag ?? image.tag,
            movesLayers: !isRetag(image, place),
            known,
            &examination
        )
        guard answers, let ecr = side.ecr else { return }
        try await lookAtRegistry(ecr, isCallersOwn: side.isCallersOwn, &examination)
    }

    /// What is known before a repository of a destination is examined.
    struct KnownRegistry: Sendable {
        /// Whether a missing repository is created with the settings of the source's.
        var isLikeSource = false
        /// The repository, if the registry listed it.
        var repository: ECRRepository?
        /// Whether a token was issued; `nil` if none was requested.
        var hasToken: Bool?
    }

    /// Checks what a copy needs of one repository of a destination that answers.
    ///
    /// - Returns: Whether more can be asked with the caller's credentials.
    func examineRepository(
        _ side: OpenSide,
        _ tag: Tag?,
        movesLayers: Bool,
        _ known: KnownRegistry,
        _ examination: inout Examination
    ) async throws -> Bool {
        guard let ecr = side.ecr else {
            guard side.repository.reference.registry.isLayout else {
                let isOpen = try await tryUpload("upload", side.repository, &examination)
                if isOpen, let client = side.repository.registryClient {
                    try await askOptionalQuestions(side.repository, client, &examination)
                }
                return true
            }
            examination.note(.skipped, "directory", "only the copy shows whether it can be written")
            return true
        }
        let description =
            if let repository = known.repository {
                note(repository, &examination)
            } else {
                try await describe(ecr, &examination)
            }
        switch description {
        case .refused: return false
        case .missing:
            // Reads no particular image: a pull-through cache might create the repository when a tag is read.
            if examination.createsRepository { try await tryReading(ecr, nil, nil, &examination) }
        case .there(let described): try await tryReading(ecr, tag, described, &examination)
        case .unknown: try await tryReading(ecr, tag, nil, &examination)
        }
        if examination.isRepositoryMissing {
            try await examineMissing(
                ecr,
                side.caller,
                movesLayers: movesLayers,
                hasToken: known.hasToken,
                isLikeSource: known.isLikeSource,
                &examination
            )
        } else {
            if movesLayers { try await tryUploading(side.repository, ecr, hasToken: known.hasToken, &examination) }
            try await tryPutting(ecr, &examination)
            examination.notePermissionsTried()
            try await forecast(ecr, tag, &examination)
        }
        return true
    }

    /// What was found out about a repository.
    enum Description {
        case there(ECRRepository)
        case missing
        /// The caller may not describe the repository, or the answer was not clear.
        case unknown
        /// There are no credentials to ask with.
        case refused
    }

    func describe(_ ecr: ECRProbe, _ examination: inout Examination) async throws -> Description {
        examination.ask("repository")
        do {
            let answer = try await ecr.api.send(
                DescribeRepositories(registryId: ecr.host.account, repositoryNames: [ecr.name])
            )
            return answer.repositories.first.map { note($0, &examination) } ?? .unknown
        } catch let error as ECRError where error.code == .accessDenied {
            examination.note(.skipped, "repository", "ecr:DescribeRepositories is not allowed, and not needed")
            return .unknown
        } catch let error as ECRError where error.code == .repositoryNotFound && examination.createsRepository {
            examination.note(.ok, "repository", Examination.willBeCreated)
            examination.noteMissingRepository()
            return .missing
        } catch let error as ECRError where error.code == .repositoryNotFound {
            return try await noteMissing(ecr, error, &examination)
        } catch {
            try examination.fail("repository", error, "DescribeRepositories")
            if examination.isRepositoryMissing { return .missing }
            return (error as? ECRError)?.isAuthentication ?? false ? .refused : .unknown
        }
    }

    func note(_ repository: ECRRepository, _ examination: inout Examination) -> Description {
        examination.note(.ok, "repository", "exists; \(settings(of: repository))")
        examination.isRepositorySeen = true
        return .there(repository)
    }

    /// Notes what ECR would do by itself about a missing repository.
    private func noteMissing(
        _ ecr: ECRProbe,
        _ error: ECRError,
        _ examination: inout Examination
    ) async throws -> Description {
        if examination.side == .destination, case .template(let template) = try await ecr.creationOnPush() {
            examination.note(.ok, "repository", "does not exist; \(template.words)")
            examination.isCreatedOnPush = true
            examination.noteMissingRepository()
            return .missing
        }
        let missing = CopyError(
            explaining: error,
            side: examination.side,
            subject: examination.subject,
            error.operation
        )
        let explained = examination.side == .source ? try await ecr.namingCacheRule(in: missing) : missing
        try examination.fail("repository", explained, "DescribeRepositories")
        return .missing
    }

    private func settings(of repository: ECRRepository) -> String {
        let filters = (repository.imageTagMutabilityExclusionFilters ?? []).map(\.filter).joined(separator: ", ")
        let tags =
            switch repository.imageTagMutability {
            case .immutable: "tags are immutable"
            case .immutableWithExclusion: "tags are immutable except \(filters)"
            case .mutableWithExclusion: "tags may move except \(filters)"
            default: "tags may move"
            }
        let encryption = repository.encryptionConfiguration
        let key =
            encryption.map { $0.encryptionType == "AES256" ? "" : ", encrypted with \($0.kmsKey ?? "a key of AWS's")" }
        return tags + (key ?? "")
    }

    func tryReading(
        _ ecr: ECRProbe,
        _ tag: Tag?,
        _ described: ECRRepository?,
        _ examination: inout Examination
    ) async throws {
        let id: ManifestID = tag.map { .tag($0) } ?? .digest(.ofNothing)
        let reading = try await examination.permission("ecr:BatchGetImage") {
            try await ecr.digests(of: [id])
        }
        if reading != nil { examination.isRepositorySeen = true }
        if let tag, let held = reading?.digests[id] {
            examination.note(Examination.Held(tag: tag, digest: held, isFixed: described?.fixes(tag)))
        }
        if let reason = reading?.failures[id] {
            let there = CopyError(reason, side: .destination, subject: examination.subject, operation: "BatchGetImage")
            examination.note(
                .warning,
                "tag",
                "the image under the tag can't be read: \(there.cause)",
                remedy: there.remedy
            )
        }
    }

    /// Opens an upload and closes it again, so that nothing is left behind.
    ///
    /// - Returns: Whether the upload could be opened.
    @discardableResult
    private func tryUpload(
        _ check: String,
        _ repository: RepositoryProbe,
        _ examination: inout Examination
    ) async throws -> Bool {
        let blob = Descriptor(mediaType: .ociLayer, digest: Self.absentDigest, size: 1)
        let opened: Bool? = try await examination.permission(check) {
            try await repository.tryUpload(of: blob)
            return true
        }
        return opened ?? false
    }

    /// Tries the permissions for uploading layers with requests that can't succeed.
    ///
    /// Only a caller with the permission is told that the request is impossible; any other caller is denied.
    ///
    /// - Parameter hasToken: Whether a token was issued; `nil` if none was requested yet.
    private func tryUploading(
        _ repository: RepositoryProbe,
        _ ecr: ECRProbe,
        hasToken: Bool?,
        _ examination: inout Examination
    ) async throws {
        try await tryAsking(ecr, &examination)
        let mayUpload = if let hasToken { hasToken } else { try await tryToken(ecr, &examination) }
        if mayUpload {
            try await tryUpload("ecr:InitiateLayerUpload", repository, &examination)
        }
        let (account, name) = (ecr.host.account, ecr.name)
        let upload = UUID().uuidString.lowercased()
        _ = try await examination.permission("ecr:UploadLayerPart", proof: [.uploadNotFound]) {
            try await ecr.api.send(
                UploadLayerPart(
                    registryId: account,
                    repositoryName: name,
                    uploadId: upload,
                    partFirstByte: 0,
                    layerPartBlob: PartBuffer([0])
                )
            )
        }
        let complete = CompleteLayerUpload(
            registryId: account,
            repositoryName: name,
            uploadId: upload,
            layerDigest: Self.absentDigest
        )
        // Some servers first report that nothing was uploaded (docs/facts/ecr-api.md#layer-uploads).
        let unfinished: Set<ECRError.Code> = [.uploadNotFound, .emptyUpload, .invalidLayer]
        _ = try await examination.permission("ecr:CompleteLayerUpload", proof: unfinished) {
            try await ecr.api.send(complete)
        }
    }

    func tryAsking(_ ecr: ECRProbe, _ examination: inout Examination) async throws {
        let blob = Descriptor(mediaType: .ociLayer, digest: Self.absentDigest, size: 1)
        _ = try await examination.permission("ecr:BatchCheckLayerAvailability") { try await ecr.missing([blob]) }
    }

    /// Tries to get a token.
    ///
    /// - Returns: Whether a token was issued; it isn't kept, because the registry's client gets its own when it needs
    ///   one.
    func tryToken(_ ecr: ECRProbe, _ examination: inout Examination) async throws -> Bool {
        let tokens = try await examination.permission("ecr:GetAuthorizationToken") {
            try await ecr.api.send(GetAuthorizationToken()).authorizationData.count
        }
        return tokens != nil
    }

    /// Tries the permission for storing manifests and tags with an image that can't be stored.
    private func tryPutting(_ ecr: ECRProbe, _ examination: inout Examination) async throws {
        let manifest = Self.impossibleManifest
        let put = PutImage(
            registryId: ecr.host.account,
            repositoryName: ecr.name,
            imageManifest: manifest,
            imageManifestMediaType: .ociManifest,
            imageDigest: Digest(of: Array(manifest.utf8)),
            imageTag: nil
        )
        // A server may validate parameters before it checks permissions.
        let invalid: Set<ECRError.Code> = [.invalidParameter, .validation]
        _ = try await examination.permission("ecr:PutImage", proof: [.layersNotFound], silence: invalid) {
            try await ecr.api.send(put)
        }
    }

    /// The digest of a sentence, which no repository holds.
    static let absentDigest = Digest(of: Array("ecr-replicate doctor asks for what isn't there".utf8))

    /// An image that can't be stored, because its layers don't exist.
    private static let impossibleManifest = """
        {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",\
        "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"\(absentDigest)","size":2},\
        "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"\(absentDigest)","size":2}]}
        """
}
