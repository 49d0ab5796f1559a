internal import Content
internal import FoundationEssentials
internal import Platform

extension RegistryAPI {
    func headBlob(_ name: String, _ text: String) throws -> Answer {
        let (digest, repository) = try blob(name, text)
        guard repository.availability(of: digest) == .available, let blob = repository.blobs[digest] else {
            throw unknownBlob("\(digest)", repository)
        }
        return Answer(
            status: 200,
            headers: [("Content-Type", "application/octet-stream"), ("Docker-Content-Digest", "\(digest)")],
            body: .onlyLength(blob.size)
        )
    }

    /// Answers a redirect to a presigned URL, or a config itself, always with the same media type.
    func getBlob(_ name: String, _ text: String, lifetime: Double) throws -> Answer {
        let (digest, repository) = try blob(name, text)
        let size: Int64
        do throws(ServiceFault) { size = try repository.download(of: digest) } catch {
            throw error.code == "LayersNotFoundException" ? unknownBlob("\(digest)", repository) : error
        }
        if aws.configuration.servesConfigsDirectly, repository.isConfig(digest), aws.blobs.has(digest) {
            return Answer(
                status: 200,
                headers: [
                    ("Content-Type", "application/vnd.docker.container.image.v1+json"),
                    ("Docker-Content-Digest", "\(digest)"),
                ],
                body: .blob(digest, range: 0..<size)
            )
        }
        let now = aws.now
        let url = aws.state.withLock { $0.presign(digest, size: size, in: key, askedAt: host, at: now, for: lifetime) }
        return Answer(status: 307, headers: [("Location", url)])
    }

    /// Mounts a blob, or opens an upload.
    ///
    /// If the repository is missing, the connection is closed (docs/facts/ecr-registry.md#error-answers), unless a
    /// creation template applies.
    func beginUpload(_ exchange: Exchange, _ name: String, _ caller: Principal) async throws -> Answer {
        try await exchange.forEachChunk { _ in }
        try createOnPush(name)
        guard (try? repository(name)) != nil else { throw ConnectionCut() }
        if let text = exchange.queryValue("mount"), let from = exchange.queryValue("from"),
            let digest = try? Digest(parsing: text), mount(digest, from: from, to: name, caller)
        {
            aws.save()
            return Answer(
                status: 201,
                headers: [("Location", "/v2/\(name)/blobs/\(digest)"), ("Docker-Content-Digest", "\(digest)")]
            )
        }
        let upload = try change(name) { $0.initiateUpload() }
        aws.save()
        return Answer(
            status: 202,
            headers: [
                ("Location", location(name, upload.id)), ("Docker-Upload-UUID", upload.id), ("Range", "0-0"),
            ]
        )
    }

    private func mount(_ digest: Digest, from source: String, to name: String, _ caller: Principal) -> Bool {
        aws.state.withLock { state in
            guard (try? state.permit("GetDownloadUrlForLayer", source, in: key, by: caller)) != nil else {
                return false
            }
            return state.cloud.mount(digest, from: source, to: name, in: key)
        }
    }

    /// Accepts a chunk and answers 201 where other registries answer 202, with a `Range` that stays at the end of the
    /// first chunk (docs/facts/ecr-registry.md#uploads).
    func patchUpload(_ exchange: Exchange, _ name: String, _ id: String) async throws -> Answer {
        let count = try await receive(exchange, name, id)
        let upload = try repository(name).upload(id)
        var answer = Answer(
            status: 201,
            headers: [
                ("Location", location(name, id)), ("Docker-Upload-UUID", id),
                ("Range", "0-\(upload.firstPartEnd ?? 0)"),
            ]
        )
        answer.bytesIn = count
        return answer
    }

    /// Accepts the last bytes, if any are left, and checks the digest of all bytes.
    func finishUpload(_ exchange: Exchange, _ name: String, _ id: String) async throws -> Answer {
        let count = try await receive(exchange, name, id)
        let digests = exchange.queryItems.filter { $0.name == "digest" }.map(\.value)
        let actual = try aws.blobs.partFile(id).finish()
        var answer: Answer
        do {
            if digests.contains("\(actual)"), actual != .ofNothing { try aws.blobs.keep(id, as: actual) }
            do {
                _ = try change(name) { try $0.completeUpload(id, digests: digests, actual: actual) }
            } catch let fault as ServiceFault where fault.code == "LayerAlreadyExistsException" {
                // Another client has pushed the same bytes meanwhile.
            }
            answer = Answer(
                status: 201,
                headers: [("Location", "/v2/\(name)/blobs/\(actual)"), ("Docker-Content-Digest", "\(actual)")]
            )
        } catch let fault as ServiceFault {
            aws.blobs.discard(id)
            answer = self.answer(fault)
        }
        aws.save()
        answer.bytesIn = count
        return answer
    }

    func uploadStatus(_ name: String, _ id: String) throws -> Answer {
        let upload = try repository(name).upload(id)
        return Answer(
            status: 204,
            headers: [
                ("Location", location(name, id)), ("Docker-Upload-UUID", id),
                ("Range", "0-\(upload.firstPartEnd ?? 0)"),
            ]
        )
    }

    func cancelUpload(_ name: String, _ id: String) throws -> Answer {
        try change(name) { repository in
            _ = try repository.upload(id)
            repository.uploads[id] = nil
        }
        aws.blobs.discard(id)
        aws.save()
        return Answer(status: 204)
    }

    /// Receives a body as the upload's next part; bytes received before a broken connection count.
    private func receive(_ exchange: Exchange, _ name: String, _ id: String) async throws -> Int64 {
        let declared = exchange.headers["content-length"].flatMap { Int64($0) }
        let isEmpty = declared == 0 || (declared == nil && exchange.headers["transfer-encoding"] == nil)
        let first = exchange.headers["content-range"].map { range in
            Int64(range.replacing("bytes ", with: "").split(separator: "-").first ?? "") ?? -1
        }
        try change(name) { repository in
            if isEmpty { _ = try repository.upload(id) } else { try repository.checkPart(id, first: first ?? 0) }
        }
        let file = try aws.blobs.partFile(id)
        var count: Int64 = 0
        do {
            try await exchange.forEachChunk { chunk in
                try file.append(chunk)
                count += Int64(chunk.count)
            }
        } catch {
            try? change(name) { $0.received(count, in: id) }
            throw error
        }
        try change(name) { $0.received(count, in: id) }
        return count
    }

    private func blob(_ name: String, _ text: String) throws -> (Digest, EmulatedRepository) {
        let repository = try repository(name)
        try Constraint.pattern(text, .digest, "layerDigest")
        // Another algorithm or capitals make a valid digest that no blob here has.
        guard let digest = try? Digest(parsing: text) else { throw unknownBlob(text, repository) }
        return (digest, repository)
    }

    private func unknownBlob(_ digest: String, _ repository: EmulatedRepository) -> ServiceFault {
        let fault = ServiceFault.layersNotFound(digest, repository.name, repository.account)
        return ServiceFault("LayersNotFound", fault.message, status: 404)
    }

    private func location(_ name: String, _ id: String) -> String { "/v2/\(name)/blobs/uploads/\(id)" }
}

extension EmulatedRepository {
    func isConfig(_ digest: Digest) -> Bool {
        images.values.contains { $0.view.config?.digest == digest }
    }
}
