internal import Content
internal import ECRAPI
internal import Wire

extension ECRImageRepository {
    var partUploads: (any PartUploading)? { ECRPartUploads(repository: self) }
}

/// ECR's own upload protocol, through the API.
///
/// - Source: docs/facts/ecr-api.md#layer-uploads
struct ECRPartUploads: PartUploading {
    let repository: ECRImageRepository

    private var registryId: AccountID { repository.host.account }
    private var name: RepositoryName { repository.reference.repository }

    func begin() async throws -> PartUpload {
        try await repository.explained("InitiateLayerUpload") {
            let answer = try await repository.api.send(
                InitiateLayerUpload(registryId: registryId, repositoryName: name)
            )
            return PartUpload(id: answer.uploadId, partSize: answer.partSize)
        }
    }

    func send(_ part: PartBuffer, at offset: Int64, to upload: PartUpload) async throws -> PartReception {
        try await repository.explained("UploadLayerPart") {
            do {
                _ = try await repository.api.send(
                    UploadLayerPart(
                        registryId: registryId,
                        repositoryName: name,
                        uploadId: upload.id,
                        partFirstByte: offset,
                        layerPartBlob: part
                    )
                )
                return .accepted
            } catch let error as ECRError where error.code == .uploadNotFound {
                return .gone
            } catch let error as ECRError where error.code == .invalidLayerPart {
                // ECR also answers this for a repeated part whose first response was lost.
                guard let last = error.lastValidByteReceived, last >= -1 else { throw error }
                return .standsAt(last + 1)
            }
        }
    }

    func complete(_ upload: PartUpload, as digest: Digest) async throws -> PartCompletion {
        try await repository.explained("CompleteLayerUpload") {
            do {
                let answer = try await repository.api.send(
                    CompleteLayerUpload(
                        registryId: registryId,
                        repositoryName: name,
                        uploadId: upload.id,
                        layerDigest: digest
                    )
                )
                // Success is taken from the digest in the response, not from the status alone.
                return answer.layerDigest == nil || answer.layerDigest == digest ? .stored : .refused
            } catch let error as ECRError where error.code == .layerAlreadyExists {
                return .stored
            } catch let error as ECRError where error.code == .uploadNotFound {
                return .gone
            } catch let error as ECRError where error.code == .invalidLayer {
                return .refused
            }
        }
    }
}
