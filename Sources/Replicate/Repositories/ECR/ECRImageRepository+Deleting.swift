internal import Content
internal import ECRAPI

extension ECRImageRepository {
    /// Deletes tags and images, at most a hundred in a call.
    ///
    /// - Source: docs/facts/ecr-api.md#deleting-images
    func delete(_ ids: [ManifestID]) async throws -> [ManifestID: CopyError.Reason]? {
        var failures: [ManifestID: CopyError.Reason] = [:]
        for chunk in ids.chunked(BatchDeleteImage.mostIdentifiers) {
            let answer = try await explained("BatchDeleteImage", chunk.count == 1 ? chunk.first : nil) {
                try await api.send(
                    BatchDeleteImage(
                        registryId: host.account,
                        repositoryName: reference.repository,
                        imageIds: chunk.map { ImageIdentifier(digest: $0.digest, tag: $0.tag) }
                    )
                )
            }
            var silent = Set(chunk)
            for failure in answer.failures {
                guard let id = chunk.first(where: { failure.imageId?.names($0) ?? false }) else { continue }
                silent.remove(id)
                // What is gone already needs no deletion.
                if let reason = failure.reason { failures[id] = reason }
            }
            let (tags, digests) = (Set(answer.imageIds.map(\.imageTag)), Set(answer.imageIds.map(\.imageDigest)))
            for id in silent {
                let isNamed = id.tag.map { tags.contains($0.value) } ?? digests.contains(id.digest?.description)
                guard !isNamed else { continue }
                failures[id] = .rejected(code: CopyError.incompleteAnswer, text: "the answer does not mention \(id)")
            }
        }
        return failures
    }
}
