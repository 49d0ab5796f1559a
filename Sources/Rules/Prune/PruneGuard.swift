internal import Content
internal import Replicate

/// Finds out who else may use a destination repository, so that nothing of theirs is deleted.
struct PruneGuard: Sendable {
    /// A repository of ECR, whatever host it is reached by.
    struct Place: Hashable, Sendable {
        var registry: String
        var repository: String

        init(_ registry: RuleRegistry.Place, _ repository: String) {
            (self.registry, self.repository) = (Self.name(of: registry), repository)
        }

        static func name(of registry: RuleRegistry.Place) -> String {
            if case .ecr(let host) = registry { "\(host.account)/\(host.region)" } else { registry.words }
        }
    }

    /// The jobs that write to a repository, if its name doesn't depend on the image.
    private var writers: [Place: Set<Int>] = [:]
    private var readers: [Place: [String]] = [:]
    /// The rules with names of repositories that depend on the image, each with its first job.
    private var dependent: [(job: Int, rule: Rule)] = []
    /// Rules whose source repositories are not known, and why.
    private var unknown: [(rule: Rule, reason: String)] = []

    /// - Parameters:
    ///   - beside: Rules of the file that are not carried out in this run.
    ///   - failed: Rules whose source registry could not be listed.
    ///   - idle: Rules that select no repository of their source.
    init(_ jobs: [RuleJob], beside: [Rule], failed: [Rule], idle: [Rule]) {
        for (index, job) in jobs.enumerated() {
            readers[Place(job.rule.source.registry.place, job.repository.value), default: []].append(job.rule.name)
            guard let places = job.fixedPlaces() else {
                if !dependent.contains(where: { $0.rule.name == job.rule.name }) { dependent.append((index, job.rule)) }
                continue
            }
            for place in places { writers[Place(place.registry, place.repository), default: []].insert(index) }
        }
        unknown =
            beside.map { ($0, "is not carried out in this run") }
            + failed.map { ($0, "can't list its source") }
            + idle.map { ($0, "selects no repository of its source") }
    }

    /// Why a repository must not be pruned; `nil` if only these jobs use it.
    ///
    /// - Parameter unit: The jobs that are looked at together, so that what they select is known.
    func obstacle(to pruning: RepositoryName, at registry: RuleRegistry.Place, by unit: Set<Int>) -> String? {
        let place = Place(registry, pruning.value)
        if let reader = readers[place]?.first { return "rule '\(reader)' copies from it" }
        if let other = unknown.first(where: { names($0.rule, place) }) {
            return "rule '\(other.rule.name)', which may write to it, \(other.reason)"
        }
        if let other = unknown.first(where: { mayRead($0.rule, pruning, place) }) {
            return "rule '\(other.rule.name)', which may copy from it, \(other.reason)"
        }
        if !(writers[place] ?? []).isSubset(of: unit) {
            return "another rule writes to it under another name of the registry"
        }
        if let other = dependent.first(where: { !unit.contains($0.job) && names($0.rule, place) }) {
            return "rule '\(other.rule.name)' may write to it: the name of its repository depends on the image"
        }
        return nil
    }

    private func names(_ rule: Rule, _ place: Place) -> Bool {
        rule.destinations.contains { destination in
            guard Place.name(of: destination.registry.place) == place.registry else { return false }
            // With {repository} alone, the name tells the repository of the source.
            guard let around = destination.repository.aroundRepository else {
                return destination.repository.mayName(place.repository)
            }
            let isLongEnough = place.repository.utf8.count > around.before.utf8.count + around.after.utf8.count
            guard isLongEnough, place.repository.hasPrefix(around.before), place.repository.hasSuffix(around.after)
            else { return false }
            let name = place.repository.dropFirst(around.before.count).dropLast(around.after.count)
            guard let source = try? RepositoryName(parsing: String(name)) else { return false }
            return rule.source.pattern(selecting: source) != nil
        }
    }

    private func mayRead(_ rule: Rule, _ repository: RepositoryName, _ place: Place) -> Bool {
        Place.name(of: rule.source.registry.place) == place.registry
            && rule.source.pattern(selecting: repository) != nil
    }
}

extension NameTemplate {
    /// The text before and after `{repository}`, if there is no other placeholder.
    fileprivate var aroundRepository: (before: String, after: String)? {
        guard names == ["repository"] else { return nil }
        var (before, after, isAfter) = ("", "", false)
        for part in parts {
            switch part {
            case .placeholder: isAfter = true
            case .text(let text): if isAfter { after += text } else { before += text }
            }
        }
        return (before, after)
    }

    /// Whether some values of the placeholders give this name.
    func mayName(_ name: String) -> Bool {
        var rest = name[...]
        var isAfterPlaceholder = false
        for (index, part) in parts.enumerated() {
            switch part {
            case .placeholder: isAfterPlaceholder = true
            case .text(let text):
                if index == parts.count - 1 {
                    return isAfterPlaceholder ? rest.hasSuffix(text) : rest == text[...]
                }
                if !isAfterPlaceholder {
                    guard rest.hasPrefix(text) else { return false }
                    rest = rest.dropFirst(text.count)
                } else {
                    guard let found = rest.firstRange(of: text) else { return false }
                    rest = rest[found.upperBound...]
                }
                isAfterPlaceholder = false
            }
        }
        return isAfterPlaceholder || rest.isEmpty
    }
}
