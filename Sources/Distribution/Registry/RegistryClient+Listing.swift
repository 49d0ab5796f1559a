internal import Content
internal import HTTPTypes
internal import Wire

/// The limits and the pages of lists.
extension RegistryClient {
    /// The number of tags to request at a time; ECR answers `UNSUPPORTED` to more (docs/facts/ecr-registry.md#listing).
    static let tagsPerPage = 1_000
    /// The most pages of a list.
    static let mostPages = 10_000
    /// The largest page, in bytes; a thousand tags of maximum length are 131 KB.
    static let largestPage = 4 << 20
    /// The largest list, in bytes of all its pages.
    static let largestListing = 32 << 20
    /// The most tags of a repository, five times the images that an ECR repository may hold
    /// (docs/facts/quotas.md#limits).
    static let mostTags = 500_000
    /// The most referrers of one manifest; each of them costs requests.
    static let mostReferrers = 4_000
    /// The most empty pages in a row; a registry that filters its lists may have some.
    static let mostEmptyPages = 100

    /// Whether the registry itself answered, and not a host that it redirects to.
    func isOwn(_ request: WireRequest) -> Bool {
        request.url.origin == base.origin && request.url.path.hasPrefix("/v2/")
    }

    /// The URLs of a list's pages.
    ///
    /// A list whose pages repeat, or that has more than ``mostPages``, is an error, because half a list must not count
    /// as the whole.
    struct Pages {
        private var next: HTTPURL?
        /// The hashes of the URLs, which may be long.
        private var visited: Set<Digest> = []
        private var byteCount = 0
        private var emptyInRow = 0
        private var last: HTTPURL

        init(from first: HTTPURL) { (next, last) = (first, first) }

        mutating func add(_ url: HTTPURL) { next = url }

        /// Returns the next page to request; `nil` after the last.
        mutating func take(_ operation: RegistryError.Operation) throws -> HTTPURL? {
            guard let url = next.take() else { return nil }
            last = url
            guard visited.insert(Digest(of: url.text.utf8)).inserted else {
                throw RegistryError(operation, .malformedAnswer, "the pages of the list form a cycle", url: url)
            }
            guard visited.count <= RegistryClient.mostPages else {
                throw tooLong(operation, "has more than \(RegistryClient.mostPages) pages")
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
                throw tooLong(operation, "has more than \(RegistryClient.largestListing) bytes")
            }
            guard emptyInRow <= RegistryClient.mostEmptyPages else {
                throw tooLong(
                    operation,
                    "has more than \(RegistryClient.mostEmptyPages) pages in a row without an entry"
                )
            }
        }

        private func tooLong(_ operation: RegistryError.Operation, _ problem: String) -> RegistryError {
            RegistryError(operation, .malformedAnswer, "the list \(problem)", url: last)
        }
    }

    /// Returns the URL of the next page, if the answer names one.
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
            throw malformed(operation, "the URL of the next page is malformed", response, request)
        }
        guard next.origin != base.origin, next.origin != request.url.origin else { return next }
        return request.url.at(path: next.path, query: next.query)
    }
}
