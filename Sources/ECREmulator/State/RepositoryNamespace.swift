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

/// A setting of a registry for the repositories with a prefix; a registry has at most one of each kind for a prefix.
protocol PrefixedSetting: Sendable {
    /// The prefix as given, with or without its final slash.
    var prefix: String { get }

    /// Makes the error for a prefix without a setting of this kind.
    static func missing(_ prefix: String, _ account: String) -> ServiceFault

    /// Makes the error for a prefix that already has a setting of this kind.
    static func duplicate(_ prefix: String, _ account: String) -> ServiceFault
}

extension PrefixedSetting {
    var namespace: RepositoryNamespace { RepositoryNamespace(prefix) }
}

extension Array where Element: PrefixedSetting {
    /// Returns the setting that applies to a repository: the one with the longest matching prefix.
    func covering(_ repository: String) -> Element? {
        filter { $0.namespace.covers(repository) }.max { $0.namespace.length < $1.namespace.length }
    }
}

extension EmulatedRegistry {
    typealias Settings<Setting: PrefixedSetting> = WritableKeyPath<EmulatedRegistry, [Setting]?>

    /// Returns the setting for a prefix.
    ///
    /// - Throws: ``PrefixedSetting/missing(_:_:)``
    func setting<Setting>(_ prefix: String, in list: Settings<Setting>) throws(ServiceFault) -> Setting {
        let namespace = RepositoryNamespace(prefix)
        guard let found = self[keyPath: list]?.first(where: { $0.namespace == namespace }) else {
            throw Setting.missing(prefix, key.account)
        }
        return found
    }

    /// Adds a setting.
    ///
    /// - Throws: ``PrefixedSetting/duplicate(_:_:)``
    mutating func add<Setting>(_ setting: Setting, to list: Settings<Setting>) throws(ServiceFault) {
        let settings = self[keyPath: list] ?? []
        guard !settings.contains(where: { $0.namespace == setting.namespace }) else {
            throw Setting.duplicate(setting.prefix, key.account)
        }
        self[keyPath: list] = settings + [setting]
    }

    /// Replaces the setting for a prefix.
    ///
    /// - Throws: ``PrefixedSetting/missing(_:_:)``
    mutating func replace<Setting>(
        _ prefix: String,
        in list: Settings<Setting>,
        with setting: Setting
    ) throws(ServiceFault) {
        let old = try self.setting(prefix, in: list)
        self[keyPath: list] = self[keyPath: list]?.map { $0.namespace == old.namespace ? setting : $0 }
    }

    /// Removes the setting for a prefix, and returns it.
    ///
    /// - Throws: ``PrefixedSetting/missing(_:_:)``
    mutating func remove<Setting>(_ prefix: String, from list: Settings<Setting>) throws(ServiceFault) -> Setting {
        let removed = try setting(prefix, in: list)
        self[keyPath: list]?.removeAll { $0.namespace == removed.namespace }
        return removed
    }
}
