public import Content
internal import FoundationEssentials
internal import HTTPTypes
internal import Logging
public import Wire

extension RegistryClient {
    /// Lists every tag of a repository once, in the registry's order.
    ///
    /// The names are not checked: some registries have tags that the specification doesn't allow.
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
    /// malformed list are errors after a few attempts, because half a list must not count as the whole. An entry that
    /// isn't a text is left out with a warning.
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
            let (page, next) = try await repeatingIfDamaged { () -> (TagList, HTTPURL?) in
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
            if page.skippedCount > 0 {
                logger.warning(
                    "entries of the list of tags are left out: they are not texts",
                    metadata: ["repository": "\(repository)", "count": "\(page.skippedCount)"]
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

    /// Requests the first page of tags only, to check that the registry lists them.
    ///
    /// - Throws: as ``tagPages(of:_:)``
    public func answersTags(of repository: RepositoryName) async throws { _ = try await firstTags(of: repository) }

    /// Returns the first page of tags only.
    ///
    /// - Throws: as ``tagPages(of:_:)``
    public func firstTags(of repository: RepositoryName) async throws -> [String] {
        struct FirstPage: Error { var tags: [String] }
        do {
            try await tagPages(of: repository) { tags in throw FirstPage(tags: tags) }
            return []
        } catch let page as FirstPage {
            return page.tags
        }
    }

    /// Decodes a page of any Content-Type: ECR sends text/plain (docs/facts/ecr-registry.md#listing).
    private func tagList(_ response: WireResponse, to request: WireRequest) throws -> TagList {
        guard JSONShape(response.body).isWithin(.answer),
            var list = try? JSONDecoder().decode(TagList?.self, from: Data(response.body)) ?? TagList()
        else {
            let problem =
                response.undecodedEncoding.map { "the list has the Content-Encoding '\($0)', which can't be decoded" }
            throw malformed(.listTags, problem ?? "the answer is not a list of tags", response, request)
        }
        list.byteCount = response.body.count
        guard !list.hasErrors else { throw error(.listTags, response, to: request) }
        return list
    }

    /// A page of tags, in which any member may be missing.
    private struct TagList: Decodable {
        /// The tags; empty for `null`, which a registry sends after all tags were deleted.
        var tags: [String] = []
        /// The size of the page, in bytes.
        var byteCount = 0
        /// The number of entries that aren't texts.
        var skippedCount = 0
        /// Whether the document is an error with the status of a success.
        var hasErrors = false

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
            skippedCount = entries.count - tags.count
            hasErrors = ((try? members.decodeIfPresent([Entry].self, forKey: .errors)) ?? nil)?.isEmpty == false
        }
    }
}
