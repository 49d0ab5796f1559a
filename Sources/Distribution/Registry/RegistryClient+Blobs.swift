public import Content
internal import HTTPTypes
public import Wire

extension RegistryClient {
    /// Whether the repository holds a blob.
    ///
    /// A redirect to storage counts as yes: registries that store blobs elsewhere answer HEAD like GET, and a URL that is
    /// signed for GET refuses HEAD. A redirect to another registry is followed. After an unexpected status for HEAD, a
    /// GET of a single byte decides: ECR Public, for example, answers 401 to every HEAD of a blob
    /// (aws/containers-roadmap issue 2671).
    ///
    /// - Returns: Also `false` if the repository is missing, or if the answer is unclear: the blob is then uploaded.
    /// - Throws: ``RegistryError``
    public func blobExists(_ digest: Digest, in repository: RepositoryName) async throws -> Bool {
        var head = WireRequest(.head, blobURL(digest, repository))
        // Many of these are sent at once, and missing blobs are sent over the same connections soon after.
        head.travelsWithBlobs = true
        let request = head
        do {
            var mayRenew = true
            let answer = try await retrying {
                try await attemptFollowing(.findBlob, request, mayRenew: &mayRenew, toRegistriesOnly: true) {
                    answer,
                    _ in
                    isServerFault(answer.status.code)
                } returning: { _ in
                    true
                }
            }
            let status = answer.0.status.code
            if status == 404 { return false }
            if status == 200 || (answer.0.isRedirect && answer.0.fields[.location]?.isEmpty == false) { return true }
        } catch let error as WireError where error.reason == .badRedirect {
            // A failure counts as an unexpected status.
        } catch let error as RegistryError where error.kind == .serverFault {
            // GET may succeed.
        }
        return try await blobCanBeRead(digest, repository)
    }

    /// Requests one byte of a blob, after HEAD gave no clear answer.
    private func blobCanBeRead(_ digest: Digest, _ repository: RepositoryName) async throws -> Bool {
        var get = WireRequest(.get, blobURL(digest, repository), fields: [.range: "bytes=0-0"])
        // A registry without ranges answers 200 with the whole blob, which is not downloaded.
        get.receiver = PartBuffer(capacity: Self.largestByteAnswer)
        get.travelsWithBlobs = true
        do {
            let answer = try await perform(.findBlob, get) { ![401, 403].contains($0.status.code) }
            // 416 means that the blob exists and is empty.
            return answer.isRedirect || [200, 206, 416].contains(answer.status.code)
        } catch let error as RegistryError where error.kind == .repositoryMissing {
            return false
        }
    }

    /// The largest answer to a request for one byte, in bytes.
    private static let largestByteAnswer = 4_096

    /// Makes the request that reads a blob, for the source end of a relay.
    ///
    /// The answer is the content, or a redirect for ``follow(_:of:hops:)``.
    public func blobRequest(_ digest: Digest, in repository: RepositoryName) async throws -> WireRequest {
        try await authorize(WireRequest(.get, blobURL(digest, repository)))
    }

    /// Reads a whole blob into memory and checks its hash, for configs.
    ///
    /// - Parameter limit: In bytes; a longer blob is `WireError` `.answerTooLarge`.
    /// - Throws: ``RegistryError``, `WireError` (`.corrupt` if the hash is wrong)
    public func smallBlob(_ digest: Digest, in repository: RepositoryName, limit: Int) async throws -> [UInt8] {
        var first = WireRequest(.get, blobURL(digest, repository))
        // The body of a refusal must fit too.
        first.largestAnswer = max(limit, RegistryError.longestBody)
        var mayRenew = true
        return try await retrying {
            let (response, last) = try await attemptFollowing(.readBlob, first, mayRenew: &mayRenew) {
                $0.status == .ok
            }
            return try verified(response.body, digest, limit, at: last.url)
        }
    }

    /// Makes the error for a source's answer that is neither content nor a redirect.
    ///
    /// A stale token is renewed here, and the error then advises a retry.
    public func downloadFailure(_ answer: WireResponse, to request: WireRequest) async -> RegistryError {
        await failure(.readBlob, answer, to: request)
    }

    /// Makes the error for a request that a relay sent, after renewing the token if that helps.
    func failure(
        _ operation: RegistryError.Operation,
        _ answer: WireResponse,
        to request: WireRequest,
        for access: RegistryAccess? = nil
    ) async -> RegistryError {
        let isOurs = request.url.origin == base.origin
        if isOurs, RegistryAnswer(answer, to: request).refusesToken,
            (try? await renew(after: answer, to: request, for: access)) == true
        {
            return error(operation, answer, to: request, retrying: .backOff)
        }
        return error(operation, answer, to: request)
    }

    private func verified(_ body: [UInt8], _ digest: Digest, _ limit: Int, at url: HTTPURL) throws -> [UInt8] {
        guard body.count <= limit else {
            throw WireError(.answerTooLarge, "the blob is longer than \(limit) bytes", url: url)
        }
        let found = Digest(of: body)
        guard found == digest else { throw WireError(.corrupt, "the blob hashes to \(found), not \(digest)", url: url) }
        return body
    }

    private func blobURL(_ digest: Digest, _ repository: RepositoryName) -> HTTPURL {
        base.at(path: "/v2/\(repository)/blobs/\(digest)")
    }
}
