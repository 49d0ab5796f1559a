package import Content

/// What deletions at a destination need: a fresh listing, what its indexes name, and the deletion itself.
extension CopyRun {
    /// Lists a destination again, with images without a tag.
    ///
    /// - Returns: `nil` if the registry does not list images.
    /// - Throws: ``CopyError``, ``Drained``, `CancellationError`
    package func listAgain(_ destination: DestinationListing) async throws -> [ListedImage]? {
        try await drain.abandoning { try await destination.state.repository.listImages(taggedOnly: false)?.images }
    }

    /// The children of indexes that a destination holds.
    ///
    /// An index that is gone has no children.
    ///
    /// - Throws: ``CopyError``, ``Drained``, `CancellationError`
    package func children(
        of indexes: [Digest],
        at destination: DestinationListing
    ) async throws -> [Digest: [Digest]] {
        try await drain.abandoning {
            var children: [Digest: [Digest]] = [:]
            for piece in indexes.chunked(SourceReader.pieceSize) {
                // Each piece has a reader of its own, so that its memory is freed.
                for (digest, manifest) in try await SourceReader(destination.state.repository).read(piece) {
                    children[digest] = manifest.children.map(\.digest)
                }
            }
            return children
        }
    }

    /// How the deletion of a tag or an image ended.
    package enum Deletion: Sendable, Equatable {
        case deleted
        case failed(CopyError)
        /// The run was stopped before it.
        case stopped
    }

    /// Deletes tags and images of a destination, a hundred in a call.
    ///
    /// After a call that fails as a whole, the rest is not tried and has the same error.
    package func delete(_ ids: [ManifestID], at destination: DestinationListing) async -> [ManifestID: Deletion] {
        let repository = destination.state.repository
        var results: [ManifestID: Deletion] = [:]
        var failure: CopyError?
        for chunk in ids.chunked(Self.deletionsAtOnce) {
            if drain.isDraining || Task.isCancelled { failure = nil }
            guard !drain.isDraining, !Task.isCancelled, failure == nil else {
                for id in chunk { results[id] = failure.map { .failed($0) } ?? .stopped }
                continue
            }
            do {
                let failures = try await repository.delete(chunk)
                for id in chunk {
                    guard let failures else {
                        results[id] = .failed(
                            destination.state.failure(
                                .unsupported(.other("nothing can be deleted there")),
                                id,
                                "deleting"
                            )
                        )
                        continue
                    }
                    results[id] =
                        failures[id].map { .failed(destination.state.failure($0, id, "BatchDeleteImage")) } ?? .deleted
                }
            } catch let error as CopyError {
                failure = error
                for id in chunk { results[id] = .failed(error) }
            } catch {
                for id in chunk { results[id] = .stopped }
            }
        }
        return results
    }

    /// The most ids of one call (docs/facts/ecr-operations.md#batchdeleteimage).
    private static let deletionsAtOnce = 100
}
