internal import Content
internal import Distribution
internal import ECRAPI
internal import HTTPTypes
internal import Platform
internal import Wire

extension ECRImageRepository {
    func missing(_ blobs: [Descriptor]) async throws -> Set<Digest> {
        try await explained("BatchCheckLayerAvailability") {
            let digests = blobs.map(\.digest).unique()
            try refuseEmpty(digests, "checking the layers")
            let parts = try await digests.chunked(Self.idsPerCall).mapConcurrently(limit: Self.parallelCalls) { chunk in
                let answer = try await api.send(
                    BatchCheckLayerAvailability(
                        registryId: host.account,
                        repositoryName: reference.repository,
                        layerDigests: chunk
                    )
                )
                // An absent layer is reported as UNAVAILABLE or as a failure; ARCHIVED bytes may not be usable
                // (docs/facts/ecr-api.md#batchchecklayeravailability).
                var missing = Set(chunk)
                for layer in answer.layers where layer.layerAvailability == .available {
                    missing.remove(layer.layerDigest)
                }
                return missing
            }
            return parts.reduce(into: []) { $0.formUnion($1) }
        }
    }

    func source(of blob: Descriptor) async throws -> RelaySource {
        try await namingCacheRule { try await address(of: blob) }
    }

    private func address(of blob: Descriptor) async throws -> RelaySource {
        try await explained("GetDownloadUrlForLayer") {
            do {
                let answer = try await api.send(
                    GetDownloadUrlForLayer(
                        registryId: host.account,
                        repositoryName: reference.repository,
                        layerDigest: blob.digest
                    )
                )
                // The request has no credentials: the address carries its own, and S3 rejects two kinds at once
                // (docs/facts/ecr-registry.md#blobs).
                var request = WireRequest(.get, try HTTPURL(answer.downloadUrl))
                request.namedBy = api.endpoint
                return .request(request)
            } catch let error as ECRError where error.code == .layersNotFound {
                throw CopyError(
                    .blobMissing(blob.digest),
                    side: side,
                    image: reference,
                    operation: error.operation,
                    requestID: error.requestID
                )
            }
        }
    }

    /// Rejects empty blobs, which ECR can't store (docs/facts/ecr-api.md#empty-blobs) and reports late with an unclear
    /// error.
    private func refuseEmpty(_ digests: [Digest], _ operation: String) throws {
        guard digests.contains(.ofNothing) else { return }
        throw CopyError(.emptyBlob(.ofNothing), side: side, image: reference, operation: operation)
    }

    func receive(_ incoming: any IncomingBlob) async throws -> BlobReception {
        // A repository that was just created was never asked which blobs it lacks.
        try refuseEmpty([incoming.blob.digest], "starting an upload")
        let upload = RegistryUpload(
            client: try await explained("InitiateLayerUpload") { try await registry() },
            place: self,
            pacer: pacer,
            bucket: "CompleteLayerUpload",
            operation: "CompleteLayerUpload"
        )
        let started = try await explained("InitiateLayerUpload") { try await start(upload, incoming) }
        switch started {
        case .mounted: return .mounted
        case .session(let session): try await upload.send(incoming, to: session)
        }
        return .stored
    }

    /// Opens an upload, and creates the repository if a push to it does so.
    private func start(_ upload: RegistryUpload, _ incoming: any IncomingBlob) async throws -> UploadStart {
        do {
            return try await upload.start(incoming, explaining: explainCut)
        } catch let error as RegistryError where error.kind == .repositoryMissing && isCreatedOnPush {
            try await createOnPush()
            return try await upload.start(incoming, explaining: explainCut)
        }
    }

    /// Creates the repository with one push, however many blobs need it.
    ///
    /// While ECR creates it, another upload may be told that the repository is missing.
    private func createOnPush() async throws {
        _ = try await creation.run(reference.repository) {
            try await createByUpload()
            return true
        }
    }

    /// Opens an upload through the API, which counts as a push and so creates the repository.
    ///
    /// Nothing is sent to the upload, and ECR drops it.
    private func createByUpload() async throws {
        _ = try await api.send(
            InitiateLayerUpload(registryId: host.account, repositoryName: reference.repository)
        )
    }

    /// Finds out why ECR's registry closed the connection.
    ///
    /// The registry does so if the repository is missing or the upload isn't allowed, and the API tells which it is
    /// (docs/facts/ecr-registry.md#error-answers).
    ///
    /// After the first closed connection, only requests that change nothing are made. A second one is not a
    /// coincidence, so the same upload is opened through the API, which answers with a message. Nothing is sent to that
    /// upload, and ECR drops it.
    private func explainCut(_ cuts: Int) async throws -> CutExplanation {
        do {
            switch cuts {
            case 1 where !isCreatedOnPush:
                let question = DescribeRepositories(registryId: host.account, repositoryNames: [reference.repository])
                _ = try await api.send(question)
            case 1: try await createOnPush()
            case 2: try await createByUpload()
            default: break
            }
            return .nothing
        } catch let error as ECRError {
            if error.code == .repositoryNotFound { return .missing(error) }
            return (cuts > 1 || isCreatedOnPush) && error.code == .accessDenied ? .refused(error) : .nothing
        } catch is WireError {
            return .nothing
        }
    }

    /// Fetches the token and opens the connections, for which the first blob would otherwise wait.
    ///
    /// Failures are ignored here; the request that needs the token or the connection will report them.
    func prepare(forBlobs count: Int, isCertain: Bool) async {
        // A source's bytes come from a host that only GetDownloadUrlForLayer names.
        guard isCertain, side == .destination, let client = try? await registry() else { return }
        client.warm(connections: count)
        await client.prepareCredentials(forWritingTo: reference.repository)
    }
}
