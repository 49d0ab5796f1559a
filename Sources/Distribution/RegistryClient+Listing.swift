public import Content
internal import FoundationEssentials
internal import HTTPTypes
internal import Logging
internal import Wire

extension RegistryClient {
    /// Tags asked for at a time; ECR answers `UNSUPPORTED` to more (facts/ecr.md B.6).
    static let tagsPerPage = 1_000
    /// Ten million tags: more is a registry that never ends.
    static let mostPages = 10_000
    /// In bytes; a thousand tags of the greatest length are 131 KB.
    static let largestPage = 4 << 20

    /// Lists every tag of a repository, in the registry's order, each once.
    ///
    /// Tags that no client could ask for by the specification (over 128 characters, say) are left out with a warning.
    ///
    /// - Throws: ``RegistryError``, ``RegistryError/Kind/repositoryMissing`` among them
    public func tags(of repository: RepositoryName) async throws -> [Tag] {
        var all: [Tag] = []
        try await tagPages(of: repository) { all += $0 }
        var seen: Set<Tag> = []
        return all.filter { seen.insert($0).inserted }
    }

    /// The same, page by page as they come.
    public func tagPages(of repository: RepositoryName, _ body: ([Tag]) async throws -> Void) async throws {
        let list = base.at(path: "/v2/\(repository)/tags/list")
        let first = list.appending(query: "n=\(Self.tagsPerPage)")
        try await pages(.listTags, from: first, fields: [:]) { response, request in
            // Registries with a smaller limit of their own say so with 400; without `n` they choose (distribution v3).
            if response.status == .badRequest, request.url == first { return .instead(list) }
            guard response.status == .ok else { throw error(.listTags, response, to: request) }
            // Whatever its Content-Type: ECR says text/plain (facts/ecr.md B.6).
            guard let page = try? JSONDecoder().decode(TagList.self, from: Data(response.body)) else {
                throw malformed(.listTags, "the answer is no list of tags", response, request)
            }
            try await body((page.tags ?? []).compactMap { usable($0, repository) })
            return .next(link(in: response))
        }
    }

    /// Lists what names a manifest as its subject: signatures, SBOMs, attestations.
    ///
    /// - Returns: `nil` if the registry doesn't know this API, so that fallback tags must serve.
    /// - Throws: ``RegistryError``, ``RegistryError/Kind/repositoryMissing`` among them; `ManifestError` if the
    ///   answer claims to be an index and isn't
    public func referrers(of digest: Digest, in repository: RepositoryName) async throws -> [Descriptor]? {
        var found: [Descriptor]? = nil
        var seen: Set<Digest> = []
        let first = base.at(path: "/v2/\(repository)/referrers/\(digest)")
        try await pages(.listReferrers, from: first, fields: [.accept: MediaType.ociIndex.rawValue]) {
            response,
            request in
            switch response.status.code {
            case 200: break
            case 404, 405, 501:
                try refuseMissingRepository(.listReferrers, response, to: request)
                guard found == nil else { throw error(.listReferrers, response, to: request) }
                return .end
            default: throw error(.listReferrers, response, to: request)
            }
            let type = MediaType(response.fields[.contentType] ?? "").withoutParameters
            guard let index = try index(response.body, type) else {
                // Some page that a server shows for every unknown path.
                guard found == nil else { throw malformed(.listReferrers, "a page is no index", response, request) }
                return .end
            }
            found = (found ?? []) + index.children.filter { seen.insert($0.digest).inserted }
            return .next(link(in: response))
        }
        return found
    }

    private func index(_ bytes: [UInt8], _ type: MediaType) throws -> Manifest? {
        if type == .ociIndex { return try Manifest(bytes: bytes, mediaType: .ociIndex) }
        guard let guessed = try? Manifest(bytes: bytes), guessed.kind == .index else { return nil }
        return guessed
    }

    private enum Step: Sendable {
        case end
        /// With the link to it, if there is one.
        case next(String?)
        case instead(HTTPURL)
    }

    /// Follows `Link` from page to page.
    ///
    /// A link that leaves the registry's origin, leads back to a page already read, or goes on past ``mostPages``
    /// is an error: to stop there would pass half a list off as the whole.
    private func pages(
        _ operation: RegistryError.Operation,
        from first: HTTPURL,
        fields: HTTPFields,
        _ read: (WireResponse, WireRequest) async throws -> Step
    ) async throws {
        var url = first
        var visited: Set<HTTPURL> = []
        while true {
            let request = WireRequest(.get, url, fields: fields, largestAnswer: Self.largestPage)
            guard visited.insert(url).inserted, visited.count <= Self.mostPages else {
                throw RegistryError(operation, .malformedAnswer, "the pages of the list run in a circle", url: url)
            }
            let step = try await soundly {
                let response = try await perform(operation, request) { $0.status.code != 401 && $0.status.code != 403 }
                return try await read(response, request)
            }
            switch step {
            case .end: return
            case .instead(let other): url = other
            case .next(let link):
                guard let link else { return }
                let next = try url.resolving(link)
                guard next.origin == base.origin else {
                    throw RegistryError(
                        operation,
                        .malformedAnswer,
                        "the next page would be at another host",
                        url: request.url,
                        status: 200
                    )
                }
                url = next
            }
        }
    }

    private func link(in response: WireResponse) -> String? {
        HTTPField.Name("Link").flatMap { response.fields[$0] }.flatMap { nextPage(inLink: $0) }
    }

    private func usable(_ text: String, _ repository: RepositoryName) -> Tag? {
        do {
            return try Tag(parsing: text)
        } catch {
            logger.warning("a tag is left out", metadata: ["repository": "\(repository)", "reason": "\(error)"])
            return nil
        }
    }

    private struct TagList: Decodable {
        /// `null` in a repository whose tags have all been deleted.
        var tags: [String]?
    }
}
