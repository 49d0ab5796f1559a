internal import FoundationEssentials
internal import HTTPTypes
internal import Wire

extension RegistryClient {
    /// Lists every repository of the registry once, in the registry's order.
    ///
    /// The catalog is an extension that many registries don't offer, or not to all users (Docker Hub, GHCR).
    ///
    /// - Returns: `nil` if the registry has no catalog: the answer is 404, 405 or 501, or isn't a catalog.
    /// - Throws: ``RegistryError``; 401 and 403 may also mean that it has no catalog
    /// - Source: distribution's "HTTP API V2", "Listing Repositories"; it is not in OCI distribution-spec 1.1
    public func repositories() async throws -> [String]? {
        let list = base.at(path: "/v2/_catalog")
        let first = list.appending(query: "n=\(Self.repositoriesPerPage)")
        var pages = Pages(from: first)
        var all: [String] = []
        var seen: Set<String> = []
        var isFirst = true
        while let url = try pages.take(.listRepositories) {
            let request = WireRequest(.get, url, largestAnswer: Self.largestPage)
            let mayLackCatalog = isFirst
            let page = try await repeatingIfDamaged { () -> (names: [String], next: HTTPURL?)? in
                let (response, last) = try await performFollowing(.listRepositories, request) {
                    ![401, 403].contains($0.status.code)
                }
                if url == first, response.status == .badRequest { return ([], list) }
                guard response.status == .ok else {
                    if mayLackCatalog, [404, 405, 501].contains(response.status.code) { return nil }
                    throw error(.listRepositories, response, to: last)
                }
                guard let page = try? JSONDecoder().decode(Catalog.self, from: Data(response.body)) else {
                    if mayLackCatalog { return nil }
                    throw malformed(.listRepositories, "a page is not a list of repositories", response, last)
                }
                return (page.repositories ?? [], try nextPage(.listRepositories, after: response, to: last))
            }
            guard let page else { return nil }
            isFirst = page.next == list
            all += page.names.filter { seen.insert($0).inserted }
            if let next = page.next { pages.add(next) }
        }
        return all
    }

    /// The number of repositories to request at a time; some registries refuse more.
    static let repositoriesPerPage = 1_000

    private struct Catalog: Decodable {
        var repositories: [String]?
    }
}
