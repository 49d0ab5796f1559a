internal import Content
internal import Distribution
internal import HTTPTypes
internal import Wire

/// Uploads blobs to a registry over `/v2`: a POST opens an upload or mounts the blob, and one PUT sends the bytes.
struct RegistryUpload: Sendable {
    let client: RegistryClient
    let place: any RepositoryPlace
    let pacer: Pacer
    /// The pacer's bucket for the PUT.
    let bucket: String
    /// The name of the PUT in errors.
    let operation: String

    private var repository: RepositoryName { place.reference.repository }

    /// Opens an upload, or mounts the blob.
    ///
    /// - Parameter explain: Finds out why the registry closed the connection; `nil` asks the registry itself.
    func start(_ incoming: any IncomingBlob, explaining explain: CutExplaining? = nil) async throws -> UploadStart {
        try await client.startUpload(
            in: repository,
            mounting: incoming.sibling == nil ? nil : incoming.blob.digest,
            from: incoming.sibling,
            explaining: explain
        )
    }

    /// Sends the bytes to an upload that was opened, and closes the upload if it fails.
    ///
    /// An expired token is renewed, so that the next attempt has a fresh one.
    func send(_ incoming: any IncomingBlob, to session: UploadSession) async throws {
        let blob = incoming.blob
        do {
            try incoming.noteOpened()
            let request = try await place.explained(operation) {
                try await pacer.admitRelay(bucket)
                return try await client.uploadRequest(session, digest: blob.digest)
            }
            let answer = try await incoming.send(to: .request(request))
            guard answer.status.kind != .successful else { return }
            pacer.noteRelay(answer, bucket)
            try await client.interpretUpload(answer, to: request, in: repository)
        } catch {
            await client.cancelUpload(session)
            throw place.uploadFailure(error, blob)
        }
    }
}
