/// The beginning of repositories' names that a creation template or a pull-through cache rule is for.
///
/// A slash is always assumed at its end, so `prod` covers `prod/app` and not `product`; `ROOT` covers every name.
///
/// - Source: the service model's text on `CreateRepositoryCreationTemplate`, `prefix`
struct RepositoryNamespace: Hashable, Sendable {
    /// Without the last slash; `nil` for `ROOT`.
    private let path: Substring?

    init(_ prefix: String) {
        path = prefix == "ROOT" ? nil : prefix.hasSuffix("/") ? prefix.dropLast() : prefix[...]
    }

    func covers(_ repository: String) -> Bool {
        path.map { repository.hasPrefix("\($0)/") } ?? true
    }

    /// How much of a name it covers: the longest one decides.
    var length: Int { path?.count ?? -1 }
}
