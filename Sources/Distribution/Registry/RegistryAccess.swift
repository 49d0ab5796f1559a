public import Content
internal import HTTPTypes
public import Wire

/// The repositories and rights that a request needs.
///
/// Token servers grant rights by repository and action, so each value has its own token.
public struct RegistryAccess: Hashable, Sendable {
    /// The repository; `nil` for a request without one, or an unknown one.
    public var repository: RepositoryName?
    public var isWriting: Bool
    /// The repository to mount a blob from, which must be readable too.
    public var sibling: RepositoryName?

    public init(_ repository: RepositoryName?, isWriting: Bool = false, sibling: RepositoryName? = nil) {
        self.repository = repository
        self.isWriting = isWriting
        self.sibling = sibling
    }

    /// Derives the access from a request's method and path.
    ///
    /// - Source: OCI distribution-spec 1.1, "Endpoints"
    public init(of request: WireRequest) {
        self.init(
            Self.repository(inPath: request.url.path),
            isWriting: ![.get, .head].contains(request.method)
        )
        guard isWriting, let query = request.url.query else { return }
        let from = query.split(separator: "&").first { $0.hasPrefix("from=") }
        sibling = from.flatMap { try? RepositoryName(parsing: String($0.dropFirst("from=".count))) }
    }

    /// Finds the repository in a path from its end, because a repository may be called `blobs` or `tags/list`.
    private static func repository(inPath path: String) -> RepositoryName? {
        let parts = path.split(separator: "/").map(String.init)
        guard parts.count >= 4, parts[0] == "v2" else { return nil }
        let end: Int
        if ["manifests", "blobs", "tags", "referrers"].contains(parts[parts.count - 2]) {
            end = parts.count - 2
        } else if parts[(parts.count - 3)...].starts(with: ["blobs", "uploads"]) {
            end = parts.count - 3
        } else {
            return nil
        }
        return try? RepositoryName(parsing: parts[1..<end].joined(separator: "/"))
    }

    /// The scopes to request from a token server, unless the registry demands others.
    var scopes: [RegistryScope] {
        guard let repository else { return [] }
        var scopes = [RegistryScope(reading: repository)]
        if isWriting { scopes[0].actions.append("push") }
        if let sibling, sibling != repository { scopes.append(RegistryScope(reading: sibling)) }
        return scopes
    }

    /// Returns the scopes, with those that the registry demanded for this request.
    ///
    /// A registry behind a proxy may have another name for the repository; then only the demanded scopes are requested. A
    /// demanded scope without a repository (ECR Public's `aws`) is added.
    func scopes(answering demanded: [RegistryScope]) -> [RegistryScope] {
        let own = scopes
        let known = demanded.filter(\.isOfRepository).map(\.resource)
        if let first = own.first, !known.isEmpty, !known.contains(first.resource) { return demanded }
        return (own + demanded).reduce(into: []) { all, scope in
            guard let index = all.firstIndex(where: { $0.resource == scope.resource }) else { return all.append(scope) }
            all[index].actions += scope.actions.filter { !all[index].actions.contains($0) }
        }
    }
}

/// A scope of a token server: `repository:team/app:pull,push`.
///
/// - Source: docker's registry documentation, "Token Scope Documentation"
struct RegistryScope: Hashable, Sendable, CustomStringConvertible {
    /// The type and the name, or a scope of the registry's own.
    var resource: String
    var actions: [String]

    init(reading repository: RepositoryName) {
        resource = "repository:\(repository)"
        actions = ["pull"]
    }

    /// Parses one scope; the name may contain a colon, before the port of a host.
    init(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), text[..<colon].contains(":") else {
            (resource, actions) = (text, [])
            return
        }
        resource = String(text[..<colon])
        actions = text[text.index(after: colon)...].split(separator: ",").map(String.init)
    }

    /// Parses scopes separated by blanks, as in challenges.
    static func list(_ text: String?) -> [RegistryScope] {
        (text ?? "").split(separator: " ").map { RegistryScope(String($0)) }
    }

    var isOfRepository: Bool { resource.hasPrefix("repository:") || resource.hasPrefix("repository(") }

    var description: String { actions.isEmpty ? resource : "\(resource):\(actions.joined(separator: ","))" }

    func covers(_ other: RegistryScope) -> Bool {
        resource == other.resource && (actions.contains("*") || other.actions.allSatisfy(actions.contains))
    }
}
