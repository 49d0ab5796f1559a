/// Which repositories of a rule are checked: some for each kind of settings, not all of them.
///
/// Permissions are given by patterns of names, so that a few repositories show what many need. Repositories with
/// settings of their own (another key, immutable tags, missing at a destination) are checked first.
struct RepositorySample {
    /// The fewest repositories to check, unless the rule has fewer.
    static let least = 3
    /// The most repositories to check for one rule.
    static let most = 10

    /// - Parameter settings: The settings of each repository, by which it differs from others.
    /// - Returns: The indices of the repositories to check, in order, and the number of different settings.
    static func choose<Settings: Hashable>(_ settings: [Settings]) -> (indices: [Int], kinds: Int) {
        var seen: Set<Settings> = []
        var chosen: [Int] = []
        for (index, settings) in settings.enumerated() where seen.insert(settings).inserted && chosen.count < most {
            chosen.append(index)
        }
        // The last ones are the farthest from those that were chosen, in the order of their names.
        var others = settings.indices.reversed().makeIterator()
        while chosen.count < min(least, settings.count), let next = others.next() {
            if !chosen.contains(next) { chosen.append(next) }
        }
        return (chosen.sorted(), seen.count)
    }
}
