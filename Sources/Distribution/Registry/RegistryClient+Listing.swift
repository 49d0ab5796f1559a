public import Content
internal import FoundationEssentials
internal import HTTPTypes
internal import Logging
public import Wire

extension RegistryClient {
    /// The tags to ask for at a time; ECR answers `UNSUPPORTED` to more (docs/facts/ecr-registry.md#listing).
    static let tagsPerPage = 1_000
    /// The most pages, ten million tags: a longer list never ends.
    static let mostPages = 10_000
    /// The largest page, in bytes; a thousand tags of maximum length are 131 KB.
    static let largestPage = 4 << 20
    /// The most bytes of all pages of one list.
    static let largestListing = 32 << 20
    /// The most tags of a repository, five times the images that an ECR repository may hold
    /// (docs/facts/quotas.md#limits).
    static let mostTags = 500_000
    /// The most referrers of one manifest; each costs requests of its own.
    static let mostReferrers = 4_000
    /// The most empty pages in a row that name a next one; a registry that filters its lists may have some.
    static let mostEmptyPages = 100

    /// Lists every tag of a repository, in the registry's order, each once.
    ///
    /// The names are unchanged: some registries hold tags that the specification does not allow.
    ///
    /// - Throws: ``RegistryError``, ``RegistryError/Kind/repositoryMissing`` among them
    public func tags(of repository: RepositoryName) async throws -> [String] {
        var all: [String] = []
        try await tagPages(of: repository) { all += $0 }
        var seen: Set<String> = []
        return all.filter { seen.insert($0).inserted }
    }

    /// Lists the tags of a repository, page by page.
    ///
    /// `null`, 204 and a document without tags mean that there are no tags. A page of HTML, an empty answer and a
    /// malformed list are errors after a few tries, because half a list must not count as the whole. An entry that is
    /// not a text is left out with a warning.
    public func tagPages(
        of repository: RepositoryName,
        deadline: Duration = WireRequest.usualDeadline,
        _ body: ([String]) async throws -> Void
    ) async throws {
        let list = base.at(path: "/v2/\(repository)/tags/list")
        let first = list.appending(query: "n=\(Self.tagsPerPage)")
        var pages = Pages(from: first)
        var count = 0
        while let url = try pages.take(.listTags) {
            var request = WireRequest(.get, url, deadline: deadline, largestAnswer: Self.largestPage)
            request.decodesAnswer = true
            let (page, next) = try await soundly { () -> (TagList, HTTPURL?) in
                let (response, last) = try await performFollowing(.listTags, request) {
                    ![401, 403].contains($0.status.code)
                }
                switch response.status.code {
                case 200: return (try tagList(response, to: last), try nextPage(.listTags, after: response, to: last))
                case 204 where isOwn(last): return (TagList(), nil)
                default:
                    let error = error(.listTags, response, to: last)
                    // Registries with a smaller limit answer 400 (distribution v3). Without `n` they choose the size.
                    let mayBeTheNumber = url == first && (400..<500).contains(error.status) && error.status != 404
                    guard mayBeTheNumber, error.kind != .repositoryMissing else { throw error }
                    return (TagList(), list)
                }
            }
            if page.oddCount > 0 {
                logger.warning(
                    "entries of the list of tags are left out: they are no text",
                    metadata: ["repository": "\(repository)", "count": "\(page.oddCount)"]
                )
            }
            count += page.tags.count
            guard count <= Self.mostTags else {
                throw RegistryError(
                    .listTags,
                    .malformedAnswer,
                    "the list has more than \(Self.mostTags) tags",
                    url: url
                )
            }
            try await body(page.tags)
            try pages.note(byteCount: page.byteCount, isEmpty: page.tags.isEmpty, .listTags)
            if let next { pages.add(next) }
        }
    }

    /// Asks for the first page of tags only.
    ///
    /// - Throws: as ``tagPages(of:_:)``
    public func answersTags(of repository: RepositoryName) async throws {
        struct Enough: Error {}
        do {
            try await tagPages(of: repository) { _ in throw Enough() }
        } catch is Enough {}
    }

    /// Decodes a page of any Content-Type: ECR sends text/plain (docs/facts/ecr-registry.md#listing).
    private func tagList(_ response: WireResponse, to request: WireRequest) throws -> TagList {
        guard JSONShape(response.body).isWithin(.answer),
            var list = try? JSONDecoder().decode(TagList?.self, from: Data(response.body)) ?? TagList()
        else {
            let what =
                response.undecodedEncoding.map { "the list came with Content-Encoding '\($0)', which can't be decoded" }
            throw malformed(.listTags, what ?? "the answer is no list of tags", response, request)
        }
        list.byteCount = response.body.count
        guard !list.saysErrors else { throw error(.listTags, response, to: request) }
        return list
    }

    /// What names a manifest as its subject: signatures, SBOMs, attestations.
    public struct ListedReferrers: Sendable {
        /// The entries that can be read.
        public var entries: [Descriptor] = []
        /// The entries that can't be used.
        public var oddEntries: [OddEntry] = []
        /// Why the list is incomplete, if a page after the first could not be read.
        public var interruption: (any Error)?
    }

    /// Lists what names a manifest as its subject: signatures, SBOMs, attestations.
    ///
    /// Many registries don't have this API, and answer with a page of HTML, an empty body, a 4xx, or a redirect to a
    /// web page at another host (GHCR: artifacthub/hub issue 4785). 401, 403, 408 and 429 from the registry itself keep
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
                        throw RegistryError(.listReferrers, .malformedAnswer, "a page is no index", url: url)
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
            // The refusal was malformed each time.
            return nil
        } catch let error where found != nil && !(error is CancellationError) {
            // The entries so far can be used. The caller reports that there may be more.
            found?.interruption = error
        }
        return found
    }

    /// - Returns: `nil` if the answer is not one of this API.
    private func referrersPage(at url: HTTPURL) async throws -> (page: Manifest, next: HTTPURL?)? {
        var request = WireRequest(
            .get,
            url,
            fields: [.accept: MediaType.ociIndex.rawValue],
            largestAnswer: Self.largestPage
        )
        request.decodesAnswer = true
        return try await soundly {
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

    /// Whether the registry itself gave the answer, and not a host that it redirects to.
    func isOwn(_ request: WireRequest) -> Bool {
        request.url.origin == base.origin && request.url.path.hasPrefix("/v2/")
    }

    /// Parses a list of referrers; `nil` if the body is something else.
    ///
    /// A malformed body with the type of an index is an error.
    private func index(_ bytes: [UInt8], _ type: MediaType) throws -> Manifest? {
        if type == .ociIndex, !isNothing(bytes) { return try Manifest(bytes: bytes, mediaType: .ociIndex) }
        guard let guessed = try? Manifest(bytes: bytes), guessed.kind == .index else { return nil }
        return guessed
    }

    private func isNothing(_ bytes: [UInt8]) -> Bool {
        let text = bytes.prefix(Self.longestNothing).drop { [9, 10, 13, 32].contains($0) }
        return text.isEmpty || text.starts(with: Array("null".utf8))
    }

    /// The most blanks before the first mark of an answer, in bytes.
    private static let longestNothing = 64

    /// The addresses of a list's pages.
    ///
    /// A list whose pages repeat, or that goes past ``mostPages``, is an error, because half a list must not count as
    /// the whole.
    struct Pages {
        private var next: HTTPURL?
        /// The hashes of the addresses, which may be long.
        private var visited: Set<Digest> = []
        private var byteCount = 0
        private var emptyInRow = 0
        private var last: HTTPURL

        init(from first: HTTPURL) { (next, last) = (first, first) }

        mutating func add(_ url: HTTPURL) { next = url }

        /// - Returns: The next page to ask for; `nil` after the last.
        mutating func take(_ operation: RegistryError.Operation) throws -> HTTPURL? {
            guard let url = next.take() else { return nil }
            last = url
            guard visited.insert(Digest(of: url.text.utf8)).inserted else {
                throw RegistryError(operation, .malformedAnswer, "the pages of the list run in a circle", url: url)
            }
            guard visited.count <= RegistryClient.mostPages else {
                throw endless(operation, "goes on after \(RegistryClient.mostPages) pages")
            }
            return url
        }

        /// Counts a page that was read.
        ///
        /// - Throws: ``RegistryError`` if the list is too long.
        mutating func note(byteCount count: Int, isEmpty: Bool, _ operation: RegistryError.Operation) throws {
            byteCount += count
            emptyInRow = isEmpty ? emptyInRow + 1 : 0
            guard byteCount <= RegistryClient.largestListing else {
                throw endless(operation, "has more than \(RegistryClient.largestListing) bytes")
            }
            guard emptyInRow <= RegistryClient.mostEmptyPages else {
                throw endless(
                    operation,
                    "goes on after \(RegistryClient.mostEmptyPages) pages in a row without an entry"
                )
            }
        }

        private func endless(_ operation: RegistryError.Operation, _ words: String) -> RegistryError {
            RegistryError(operation, .malformedAnswer, "the list \(words)", url: last)
        }
    }

    /// The address of the next page, if the answer names one.
    ///
    /// A registry behind a proxy may name an internal host or scheme, so only the path is used, at the host that
    /// answered.
    func nextPage(
        _ operation: RegistryError.Operation,
        after response: WireResponse,
        to request: WireRequest
    ) throws -> HTTPURL? {
        let field = HTTPField.Name("Link").flatMap { response.fields[$0] }
        guard let link = field.flatMap({ Distribution.nextPage(inLink: $0) }) else { return nil }
        let next: HTTPURL
        do {
            next = try request.url.resolving(link)
        } catch {
            throw malformed(operation, "the address of the next page can't be read", response, request)
        }
        guard next.origin != base.origin, next.origin != request.url.origin else { return next }
        return request.url.at(path: next.path, query: next.query)
    }

    /// A page of tags.
    ///
    /// Any member may be absent.
    private struct TagList: Decodable {
        /// The tags; empty for `null`, which a registry sends after all tags were deleted.
        var tags: [String] = []
        /// The size of the page, in bytes.
        var byteCount = 0
        /// The number of entries that are not texts.
        var oddCount = 0
        /// Whether this is an error body with the status of a success.
        var saysErrors = false

        private enum CodingKeys: String, CodingKey { case tags, errors }

        private struct Entry: Decodable {
            var text: String?
            init(from decoder: any Decoder) { text = try? decoder.singleValueContainer().decode(String.self) }
        }

        init() {}

        init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            let entries = try members.decodeIfPresent([Entry].self, forKey: .tags) ?? []
            tags = entries.compactMap(\.text)
            oddCount = entries.count - tags.count
            saysErrors = ((try? members.decodeIfPresent([Entry].self, forKey: .errors)) ?? nil)?.isEmpty == false
        }
    }
}
