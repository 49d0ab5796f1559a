/// A prefix of repository names to which a creation template or a pull-through cache rule applies.
///
/// A slash is always assumed at its end, so `prod` covers `prod/app` and not `product`; `ROOT` covers every name.
///
/// - Source: the service model's text on `CreateRepositoryCreationTemplate`, `prefix`
struct RepositoryNamespace: Hashable, Sendable {
    /// The prefix without its final slash; `nil` for `ROOT`.
    private let path: Substring?

    init(_ prefix: String) {
        path = prefix == "ROOT" ? nil : prefix.hasSuffix("/") ? prefix.dropLast() : prefix[...]
    }

    func covers(_ repository: String) -> Bool {
        path.map { repository.hasPrefix("\($0)/") } ?? true
    }

    /// The length of the prefix; the longest prefix wins.
    var length: Int { path?.count ?? -1 }
}
