internal import Content
internal import FoundationEssentials

/// An upload that was started and not finished.
struct EmulatedUpload: Codable, Sendable, Equatable {
    let id: String
    /// The bytes received so far.
    var received: Int64 = 0
    /// The size of each part in bytes, in order.
    var parts: [Int64] = []
    /// The end of a registry upload's first part: ECR's `Range` header never moves beyond it.
    var firstPartEnd: Int64?
}

extension EmulatedRepository {
    /// The part size that InitiateLayerUpload answers unless a test changes it, in bytes
    /// (docs/facts/ecr-api.md#layer-uploads).
    static let partSize: Int64 = 10_485_760
    /// The smallest size of every part but the last, in bytes (docs/facts/ecr-api.md#layer-uploads).
    static let smallestPart: Int64 = 5_242_880
    /// The largest part in one call, in bytes (docs/facts/ecr-api.md#fields).
    static let largestPart: Int64 = 20_971_520
    /// The most parts of one layer (docs/facts/quotas.md#limits).
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

    /// Checks that a part may begin at `first`: parts are consecutive, and nothing is sent twice.
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

    /// Records that `count` further bytes have arrived.
    mutating func received(_ count: Int64, in id: String) {
        guard count > 0, var upload = uploads[id] else { return }
        upload.received += count
        upload.parts.append(count)
        if upload.firstPartEnd == nil { upload.firstPartEnd = upload.received - 1 }
        uploads[id] = upload
    }

    /// Completes an upload as a layer.
    ///
    /// - Parameters:
    ///   - actual: The digest of the received bytes.
    ///   - smallestPart: The smallest size of every part but the last, in bytes.
    /// - Throws: `EmptyUploadException`, `InvalidLayerException`, `LayerPartTooSmallException`,
    ///   `LayerAlreadyExistsException`. A wrong digest ends the upload.
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
