public import Content
internal import HTTPTypes
internal import Wire

extension RegistryClient {
    /// The manifests that name a manifest as their subject: signatures, SBOMs, attestations.
    public struct ListedReferrers: Sendable {
        /// The entries that can be used.
        public var entries: [Descriptor] = []
        /// The entries that can't be used.
        public var oddEntries: [OddEntry] = []
        /// The error of a page after the first, if the list is incomplete.
        public var interruption: (any Error)?
    }

    /// Lists the manifests that name a manifest as their subject: signatures, SBOMs, attestations.
    ///
    /// Many registries don't have this API, and answer with a page of HTML, an empty body, a 4xx, or a redirect to a
    /// web page at another host (GHCR: artifacthub/hub issue 4785). 401, 403, 408 and 429 from the registry itself have
    /// their usual meaning, and 5xx are retried.
    ///
    /// - Returns: `nil` if the registry doesn't have this API; fallback tags are then used.
    /// - Throws: ``RegistryError``, ``RegistryError/Kind/repositoryMissing`` among them; `ManifestError` if the
    ///   answer claims to be an index and isn't
    public func referrers(of digest: Digest, in repository: RepositoryName) async throws -> ListedReferrers? {
        var found: ListedReferrers?
        var seen: Set<Digest> = [digest]
        var pages = Pages(from: base.at(path: "/v2/\(repository)/referrers/\(digest)"))
        do {
            while let url = try pages.take(.listReferrers) {
                guard let (page, next) = try await referrersPage(at: url) else {
                    guard found == nil else {
                        throw RegistryError(.listReferrers, .malformedAnswer, "a page is not an index", url: url)
                    }
                    return nil
                }
                var all = found ?? ListedReferrers()
                all.entries += page.children.filter { seen.insert($0.digest).inserted }
                all.oddEntries += page.oddEntries
                found = all
                try pages.note(byteCount: page.bytes.count, isEmpty: page.children.isEmpty, .listReferrers)
                guard all.entries.count + all.oddEntries.count <= Self.mostReferrers else {
                    throw RegistryError(
                        .listReferrers,
                        .malformedAnswer,
                        "the list has more than \(Self.mostReferrers) referrers",
                        url: url
                    )
                }
                if let next { pages.add(next) }
            }
        } catch let error as WireError where error.reason == .badRedirect && found == nil {
            return nil
        } catch let error as RegistryError where error.kind == .malformedAnswer && found == nil {
            // The answer was malformed each time.
            return nil
        } catch let error where found != nil && !(error is CancellationError) {
            // The entries so far can be used. The caller reports that there may be more.
            found?.interruption = error
        }
        return found
    }

    /// Reads a page of referrers.
    ///
    /// - Returns: `nil` if the answer isn't one of this API.
    private func referrersPage(at url: HTTPURL) async throws -> (page: Manifest, next: HTTPURL?)? {
        var request = WireRequest(
            .get,
            url,
            fields: [.accept: MediaType.ociIndex.rawValue],
            largestAnswer: Self.largestPage
        )
        request.decodesAnswer = true
        return try await repeatingIfDamaged {
            let (response, last) = try await performFollowing(
                .listReferrers,
                request,
                accepting: { (400..<500).contains($0.status.code) && !isOwn($1) },
                returning: {
                    ![401, 403].contains($0.status.code)
                        || RegistryAnswer($0, to: request).kind == .repositoryMissing
                }
            )
            guard response.status == .ok else {
                guard isOwn(last) else { return nil }
                if response.status == .notFound { try refuseMissingRepository(.listReferrers, response, to: last) }
                let error = error(.listReferrers, response, to: last)
                if error.kind == .repositoryMissing { throw error }
                return nil
            }
            let type = MediaType(response.fields[.contentType] ?? "").withoutParameters
            guard let index = try index(response.body, type) else { return nil }
            return (index, try nextPage(.listReferrers, after: response, to: last))
        }
    }

    /// Parses a list of referrers; `nil` if the body is something else.
    ///
    /// A malformed body with the type of an index is an error.
    private func index(_ bytes: [UInt8], _ type: MediaType) throws -> Manifest? {
        if type == .ociIndex, !isEmptyOrNull(bytes) { return try Manifest(bytes: bytes, mediaType: .ociIndex) }
        guard let guessed = try? Manifest(bytes: bytes), guessed.kind == .index else { return nil }
        return guessed
    }

    /// Whether a body is empty or `null`.
    private func isEmptyOrNull(_ bytes: [UInt8]) -> Bool {
        let text = bytes.prefix(Self.longestLeadingBlank).drop(while: isJSONBlank)
        return text.isEmpty || text.starts(with: Array("null".utf8))
    }

    /// The most white space before an answer, in bytes.
    private static let longestLeadingBlank = 64
}
