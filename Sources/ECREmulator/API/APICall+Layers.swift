internal import Content
internal import FoundationEssentials
internal import Platform

extension APICall {
    func batchCheckLayerAvailability() throws -> JSON {
        let texts = try input.batch("layerDigests", \.layerDigests)
        let repository = try repository()
        var layers: [JSON] = []
        var failures: [JSON] = []
        for text in texts {
            guard let digest = try? Digest(parsing: text) else {
                if Grammar.digest.accepts(text) {
                    // Another algorithm or capitals make a valid digest that no blob here has.
                    layers.append(.members(["layerDigest": .text(text), "layerAvailability": "UNAVAILABLE"]))
                    continue
                }
                let code = text.isEmpty ? "MissingLayerDigest" : "InvalidLayerDigest"
                failures.append(
                    .members([
                        "layerDigest": .text(text), "failureCode": .text(code),
                        "failureReason": .text("Invalid request parameters: layer digest '\(text)'"),
                    ])
                )
                continue
            }
            let availability = repository.availability(of: digest)
            layers.append(
                .members([
                    "layerDigest": .text(text), "layerAvailability": .text(availability.rawValue),
                    "layerSize": repository.blobs[digest].map { .integer($0.size) },
                    "mediaType": repository.mediaType(of: digest).map(JSON.text),
                ])
            )
        }
        return .members(["layers": .list(layers), "failures": .list(failures)])
    }

    func getDownloadUrlForLayer() throws -> JSON {
        let text = try input.required("layerDigest", \.layerDigest)
        try Constraint.pattern(text, .digest, "layerDigest")
        let repository = try repository()
        guard let digest = try? Digest(parsing: text) else {
            throw ServiceFault.layersNotFound(text, repository.name, repository.account)
        }
        let size = try repository.download(of: digest)
        let now = aws.now
        let lifetime = issuesExpiredURLs ? 0 : aws.configuration.downloadLifetime
        let url = aws.state.withLock {
            $0.presign(digest, size: size, in: key, askedAt: host, at: now, for: lifetime)
        }
        return .members(["downloadUrl": .text(url), "layerDigest": .text("\(digest)")])
    }

    func initiateLayerUpload() throws -> JSON {
        try createOnPush()
        let upload = try change { $0.initiateUpload() }
        aws.save()
        return .members(["uploadId": .text(upload.id), "partSize": .integer(aws.configuration.partSize)])
    }

    func uploadLayerPart() throws -> JSON {
        let id = try input.required("uploadId", \.uploadId)
        let first = try input.required("partFirstByte", \.partFirstByte)
        let last = try input.required("partLastByte", \.partLastByte)
        let encoded = try input.required("layerPartBlob", \.layerPartBlob)
        guard let bytes = Data(base64Encoded: encoded) else {
            throw ServiceFault("SerializationException", "layerPartBlob is not base64")
        }
        guard bytes.count <= EmulatedRepository.largestPart else {
            throw ServiceFault.invalidParameter(
                "layerPartBlob",
                "Member must have length less than or equal to \(EmulatedRepository.largestPart)"
            )
        }
        try change { repository in
            try repository.checkPart(id, first: first)
            // Wrapping arithmetic, since a client may send any numbers.
            let announced = last &- first &+ 1
            guard announced == bytes.count, !bytes.isEmpty else {
                throw repository.invalidPart(
                    try repository.upload(id),
                    "The layer part has \(bytes.count) bytes instead of \(announced)"
                )
            }
            // This runs inside the lock, so that two copies of one part can't both be accepted.
            try aws.blobs.partFile(id).append(bytes)
            repository.received(Int64(bytes.count), in: id)
        }
        aws.save()
        return .members([
            "registryId": .text(key.account), "repositoryName": input.repositoryName.map(JSON.text),
            "uploadId": .text(id), "lastByteReceived": .integer(last),
        ])
    }

    func completeLayerUpload() throws -> JSON {
        let id = try input.required("uploadId", \.uploadId)
        let digests = try input.batch("layerDigests", \.layerDigests)
        _ = try repository().upload(id)
        let actual = try aws.blobs.partFile(id).finish()
        let digest: Digest
        do {
            // The file is kept first: once the repository lists the blob, its file must exist.
            if digests.contains("\(actual)"), actual != .ofNothing { try aws.blobs.keep(id, as: actual) }
            let smallest = aws.configuration.smallestPart
            digest = try change {
                try $0.completeUpload(id, digests: digests, actual: actual, smallestPart: smallest)
            }
        } catch {
            aws.blobs.discard(id)
            aws.save()
            throw error
        }
        aws.save()
        return .members([
            "registryId": .text(key.account), "repositoryName": input.repositoryName.map(JSON.text),
            "uploadId": .text(id), "layerDigest": .text("\(digest)"),
        ])
    }
}

extension EmulatedRepository {
    /// Returns the media type that the first image with the blob gives it.
    func mediaType(of digest: Digest) -> String? {
        for image in images.values.sorted(by: { $0.digest < $1.digest }) {
            if let entry = image.view.referencedBlobs.first(where: { $0.digest == digest }) { return entry.mediaType }
        }
        return nil
    }
}
