internal import Content
internal import FoundationEssentials

/// One upload that was begun and not finished.
struct EmulatedUpload: Codable, Sendable, Equatable {
    let id: String
    /// In bytes: what has arrived.
    var received: Int64 = 0
    /// Of each part, in bytes, in order.
    var parts: [Int64] = []
    /// Where the first part of a registry upload ended: ECR's `Range` header never moves on from it.
    var firstPartEnd: Int64?
}

extension EmulatedRepository {
    /// What InitiateLayerUpload asks for unless a test has it otherwise, in bytes
    /// (docs/facts/ecr-api.md#layer-uploads).
    static let partSize: Int64 = 10_485_760
    /// Of every part but the last, in bytes (docs/facts/ecr-api.md#layer-uploads).
    static let smallestPart: Int64 = 5_242_880
    /// Of one call, in bytes (docs/facts/ecr-api.md#fields).
    static let largestPart: Int64 = 20_971_520
    /// Parts of one layer (docs/facts/quotas.md#limits).
    static let mostParts = 4_200

    mutating func initiateUpload() -> EmulatedUpload {
        let upload = EmulatedUpload(id: UUID().uuidString.lowercased())
        uploads[upload.id] = upload
        return upload
    }

    func upload(_ id: String) throws(ServiceFault) -> EmulatedUpload {
        guard let upload = uploads[id] else { throw .uploadNotFound(id, name, account) }
        return upload
    }

    /// Whether a part may begin at `first`: parts are consecutive, nothing is sent twice.
    ///
    /// - Throws: `InvalidLayerPartException` with `lastValidByteReceived`, `UploadNotFoundException`.
    func checkPart(_ id: String, first: Int64) throws(ServiceFault) {
        let upload = try upload(id)
        guard first == upload.received else {
            throw invalidPart(upload, "First byte of the layer part is \(first) instead of \(upload.received)")
        }
        guard upload.parts.count < Self.mostParts else {
            throw ServiceFault("LimitExceededException", "A layer has at most \(Self.mostParts) parts")
        }
    }

    func invalidPart(_ upload: EmulatedUpload, _ message: String) -> ServiceFault {
        var fault = ServiceFault("InvalidLayerPartException", message)
        fault.details = [
            .init(name: "registryId", value: .text(account)),
            .init(name: "repositoryName", value: .text(name)),
            .init(name: "uploadId", value: .text(upload.id)),
            .init(name: "lastValidByteReceived", value: .integer(upload.received - 1)),
        ]
        return fault
    }

    /// Notes that `count` bytes have arrived behind the others.
    mutating func received(_ count: Int64, in id: String) {
        guard count > 0, var upload = uploads[id] else { return }
        upload.received += count
        upload.parts.append(count)
        if upload.firstPartEnd == nil { upload.firstPartEnd = upload.received - 1 }
        uploads[id] = upload
    }

    /// Makes a layer of an upload.
    ///
    /// - Parameters:
    ///   - actual: What the bytes hash to.
    ///   - smallestPart: Of every part but the last, in bytes.
    /// - Throws: `EmptyUploadException`, `InvalidLayerException`, `LayerPartTooSmallException`,
    ///   `LayerAlreadyExistsException`. After a wrong digest the upload is gone.
    mutating func completeUpload(
        _ id: String,
        digests: [String],
        actual: Digest,
        smallestPart: Int64 = Self.smallestPart
    ) throws(ServiceFault) -> Digest {
        let upload = try upload(id)
        guard upload.received > 0 else {
            throw ServiceFault(
                "EmptyUploadException",
                "The upload with id '\(id)' in the repository with name '\(name)' in registry with id '\(account)' "
                    + "cannot be completed because it does not have any parts"
            )
        }
        guard upload.parts.dropLast().allSatisfy({ $0 >= smallestPart }) else {
            uploads[id] = nil
            throw ServiceFault(
                "LayerPartTooSmallException",
                "Layer parts must be at least \(smallestPart) bytes in size, except the last"
            )
        }
        uploads[id] = nil
        guard digests.contains("\(actual)") else {
            throw ServiceFault(
                "InvalidLayerException",
                "None of the provided layer digests match the calculated layer digest"
            )
        }
        guard blobs[actual] == nil else {
            throw ServiceFault(
                "LayerAlreadyExistsException",
                "The layer with digest '\(actual)' already exists in the repository with name '\(name)' in the "
                    + "registry with id '\(account)'"
            )
        }
        blobs[actual] = EmulatedBlob(size: upload.received)
        return actual
    }

    /// - Returns: The layer's size in bytes.
    /// - Throws: `LayersNotFoundException`, or `LayerInaccessibleException` while no image uses the layer.
    func download(of digest: Digest) throws(ServiceFault) -> Int64 {
        guard let blob = blobs[digest] else { throw .layersNotFound("\(digest)", name, account) }
        let users = images(using: digest)
        guard users.contains(where: { $0.status == .active }) else {
            throw ServiceFault(
                "LayerInaccessibleException",
                "The layer with digest '\(digest)' in the repository with name '\(name)' is not associated with an "
                    + "\(users.isEmpty ? "" : "active ")image"
            )
        }
        return blob.size
    }
}
