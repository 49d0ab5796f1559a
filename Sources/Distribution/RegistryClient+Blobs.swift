public import Content
internal import HTTPTypes
public import Wire

extension RegistryClient {
    /// Whether the repository holds a blob.
    ///
    /// A redirect counts: registries that keep blobs elsewhere answer HEAD like GET.
    ///
    /// - Returns: `false` too if the repository is missing, since HEAD can't tell.
    /// - Throws: ``RegistryError``
    public func blobExists(_ digest: Digest, in repository: RepositoryName) async throws -> Bool {
        var request = WireRequest(.head, blobURL(digest, repository))
        // Many are asked at once, and what is missing goes over the same connections a moment later.
        request.travelsWithBlobs = true
        let response = try await perform(.findBlob, request) {
            (200..<400).contains($0.status.code) || $0.status == .notFound
        }
        return response.status != .notFound
    }

    /// The request that reads a blob, for the source end of a relay.
    ///
    /// Its answer is the content, or a redirect for ``follow(_:of:hops:)``.
    public func blobRequest(_ digest: Digest, in repository: RepositoryName) async throws -> WireRequest {
        try await authorize(WireRequest(.get, blobURL(digest, repository)))
    }

    /// The next request where an answer is a redirect; credentials stay within their origin.
    ///
    /// - Parameter hops: How many redirects were followed before this one.
    /// - Returns: `nil` if it isn't a redirect.
    /// - Throws: `WireError` `.badRedirect` from https to http, after `WireRequest.mostRedirects`, or to nowhere.
    public func follow(_ answer: WireResponse, of request: WireRequest, hops: Int) throws -> WireRequest? {
        guard isRedirect(answer) else { return nil }
        guard hops < WireRequest.mostRedirects else {
            throw WireError(.badRedirect, "more than \(WireRequest.mostRedirects) redirects", url: request.url)
        }
        guard let location = answer.fields[.location], !location.isEmpty else {
            throw WireError(.badRedirect, "a redirect without a Location", url: request.url)
        }
        return try request.following(location)
    }

    /// Reads a whole blob into memory and checks its hash, for configurations.
    ///
    /// - Parameter limit: In bytes; a longer blob is `WireError` `.answerTooLarge`.
    /// - Throws: ``RegistryError``, `WireError` (`.corrupt` when the bytes are others)
    public func smallBlob(_ digest: Digest, in repository: RepositoryName, limit: Int) async throws -> [UInt8] {
        var first = WireRequest(.get, blobURL(digest, repository))
        // The body of a refusal must fit as well.
        first.largestAnswer = max(limit, RegistryError.longestBody)
        var mayRenew = true
        return try await retrying {
            let (response, last) = try await attemptFollowing(.readBlob, first, mayRenew: &mayRenew) {
                $0.status == .ok
            }
            return try verified(response.body, digest, limit, at: last.url)
        }
    }

    /// One try of what only reads, wherever the registry keeps it; credentials stay within their origin.
    ///
    /// - Returns: The answer, and the request it is the answer to.
    /// - Throws: also `WireError` as ``follow(_:of:hops:)``
    func attemptFollowing(
        _ operation: RegistryError.Operation,
        _ first: WireRequest,
        mayRenew: inout Bool,
        returning isWanted: (WireResponse) -> Bool
    ) async throws -> (WireResponse, WireRequest) {
        var request = first
        var hops = 0
        while true {
            let response = try await attempt(operation, request, mayRenew: &mayRenew) {
                isRedirect($0) || isWanted($0)
            }
            guard let next = try follow(response, of: request, hops: hops) else { return (response, request) }
            request = next
            hops += 1
        }
    }

    private func isRedirect(_ answer: WireResponse) -> Bool {
        [301, 302, 303, 307, 308].contains(answer.status.code)
    }

    /// What it means that a relay's source answered something else than content, and no redirect.
    ///
    /// A token that turns out stale is renewed here, and the error then advises to try again.
    public func downloadFailure(_ answer: WireResponse, to request: WireRequest) async -> RegistryError {
        await failure(.readBlob, answer, to: request)
    }

    /// An error for a request that was sent elsewhere, with the token renewed if that helps.
    func failure(
        _ operation: RegistryError.Operation,
        _ answer: WireResponse,
        to request: WireRequest,
        for access: RegistryAccess? = nil
    ) async -> RegistryError {
        let isOurs = request.url.origin == base.origin
        if isOurs, RegistryAnswer(answer, to: request).namesTheToken,
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
