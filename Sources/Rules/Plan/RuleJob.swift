package import Content
internal import Replicate

/// One source repository under one rule.
package struct RuleJob: Sendable {
    package let rule: Rule
    package let repository: RepositoryName
    /// The repository's reference, without tag and digest.
    package let source: ImageReference
    private let values: NameValues

    init(_ rule: Rule, _ repository: RepositoryName, selectedBy pattern: RepositoryPattern) {
        self.rule = rule
        self.repository = repository
        source = rule.source.registry.reference(to: repository)
        values = NameValues(registry: rule.source.registry, repository: repository, selectedBy: pattern)
    }

    /// The repositories to which this job writes, if their names don't depend on the image; else `nil`.
    func fixedPlaces() -> [RepositoryPlaceKey]? {
        var places: [RepositoryPlaceKey] = []
        for destination in rule.destinations {
            guard let name = destination.repository.filled(values.values(for: .repository, tag: nil, digest: nil))
            else {
                return nil
            }
            places.append(RepositoryPlaceKey(destination.registry, name))
        }
        return places
    }

    /// The repository at a destination, if its name doesn't depend on the image.
    func fixedName(at destination: Int) -> RepositoryName? {
        let values = values.values(for: .repository, tag: nil, digest: nil)
        return rule.destinations[destination].repository.filled(values).flatMap { try? RepositoryName(parsing: $0) }
    }

    var sourcePlace: RepositoryPlaceKey { RepositoryPlaceKey(rule.source.registry, repository.value) }

    /// The name of the repository that an image gets at a destination; `nil` if the template needs a tag and there is
    /// none.
    func repositoryName(at destination: RuleDestination, tag: Tag?, digest: Digest) -> String? {
        let values = values.values(for: .repository, tag: tag, digest: digest, match: rule.tags.match)
        return destination.repository.filled(values)
    }

    /// The tag that an image gets at a destination; `nil` if the template needs a tag and there is none.
    func tagName(at destination: RuleDestination, tag: Tag?, digest: Digest) -> String? {
        let values = values.values(for: .tag, tag: tag, digest: digest, match: rule.tags.match)
        return destination.tag.filled(values)
    }
}

/// A repository of a registry, whatever name a rule file gives to the registry.
package struct RepositoryPlaceKey: Hashable, Sendable, Comparable {
    package let registry: RuleRegistry.Place
    package let repository: String

    init(_ registry: RuleRegistry, _ repository: String) {
        (self.registry, self.repository) = (registry.place, repository)
    }

    private var text: String { "\(registry.words)/\(repository)" }

    package static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

/// Jobs that write to the same repositories, so that they are looked at together.
struct JobUnit: Sendable {
    /// The places of the jobs in the run's order.
    var jobs: [Int]

    /// Groups jobs that share a destination repository.
    ///
    /// A job whose destinations depend on the image is grouped with the jobs of its rule.
    ///
    /// - Returns: The groups, ordered by their first job.
    static func groups(of jobs: [RuleJob]) -> [JobUnit] {
        var parents = Array(jobs.indices)
        func root(_ index: Int) -> Int {
            var index = index
            while parents[index] != index {
                parents[index] = parents[parents[index]]
                index = parents[index]
            }
            return index
        }
        func join(_ one: Int, _ other: Int) {
            let (first, second) = (root(one), root(other))
            parents[max(first, second)] = min(first, second)
        }
        var owners: [RepositoryPlaceKey: Int] = [:]
        var dependent: [String: Int] = [:]
        for (index, job) in jobs.enumerated() {
            guard let places = job.fixedPlaces() else {
                join(dependent[job.rule.name, default: index], index)
                dependent[job.rule.name] = dependent[job.rule.name] ?? index
                continue
            }
            for place in places {
                join(owners[place, default: index], index)
                owners[place] = owners[place] ?? index
            }
        }
        var groups: [Int: [Int]] = [:]
        for index in jobs.indices { groups[root(index), default: []].append(index) }
        return groups.keys.sorted().map { JobUnit(jobs: groups[$0] ?? []) }
    }
}

/// Finds rules that would copy images in a circle, or copy their own copies at the next run.
enum JobLoops {
    /// The reason for each job that must not run, by its place.
    ///
    /// Two kinds are found: a destination that the same rule would copy again under a new name at the next run, and
    /// repositories that are copied to each other. A repository that is copied to itself under other tags is neither.
    static func find(in jobs: [RuleJob]) -> [Int: String] {
        var reasons: [Int: String] = [:]
        var edges: [RepositoryPlaceKey: Set<RepositoryPlaceKey>] = [:]
        let places = jobs.map { $0.fixedPlaces() ?? [] }
        for (index, job) in jobs.enumerated() {
            for place in places[index] where place != job.sourcePlace {
                edges[job.sourcePlace, default: []].insert(place)
                if reasons[index] == nil, let again = growth(of: job, into: place) { reasons[index] = again }
            }
        }
        let circular = circles(in: edges)
        for (index, job) in jobs.enumerated() where reasons[index] == nil {
            guard let circle = circular[job.sourcePlace],
                let place = places[index].first(where: { $0 != job.sourcePlace && circular[$0] == circle })
            else { continue }
            reasons[index] =
                "a rule copies \(place.registry.words)/\(place.repository) back to "
                + "\(job.sourcePlace.registry.words)/\(job.repository)"
        }
        return reasons
    }

    private static func growth(of job: RuleJob, into place: RepositoryPlaceKey) -> String? {
        guard place.registry == job.rule.source.registry.place,
            let name = try? RepositoryName(parsing: place.repository),
            let pattern = job.rule.source.pattern(selecting: name)
        else { return nil }
        let next = RuleJob(job.rule, name, selectedBy: pattern).fixedPlaces() ?? []
        guard next.contains(where: { $0.registry == place.registry && $0 != place && $0 != job.sourcePlace }) else {
            return nil
        }
        return "the rule selects its own destination \(place.repository), and would copy that on at the next run"
    }

    /// The number of the circle that each place is on, for those that are on one.
    private static func circles(
        in edges: [RepositoryPlaceKey: Set<RepositoryPlaceKey>]
    ) -> [RepositoryPlaceKey: Int] {
        // Tarjan's algorithm for strongly connected components, without recursion.
        var (index, low) = ([RepositoryPlaceKey: Int](), [RepositoryPlaceKey: Int]())
        var (stack, isOnStack) = ([RepositoryPlaceKey](), Set<RepositoryPlaceKey>())
        var found: [RepositoryPlaceKey: Int] = [:]
        var count = 0
        for start in edges.keys.sorted() where index[start] == nil {
            var work: [(place: RepositoryPlaceKey, rest: [RepositoryPlaceKey])] = []
            func enter(_ place: RepositoryPlaceKey) {
                (index[place], low[place]) = (index.count, index.count)
                stack.append(place)
                isOnStack.insert(place)
                work.append((place, (edges[place] ?? []).sorted()))
            }
            enter(start)
            while let top = work.last {
                if let next = top.rest.first {
                    work[work.count - 1].rest.removeFirst()
                    if index[next] == nil {
                        enter(next)
                    } else if isOnStack.contains(next) {
                        low[top.place] = min(low[top.place] ?? 0, index[next] ?? 0)
                    }
                    continue
                }
                work.removeLast()
                if let above = work.last { low[above.place] = min(low[above.place] ?? 0, low[top.place] ?? 0) }
                guard low[top.place] == index[top.place] else { continue }
                var members: [RepositoryPlaceKey] = []
                while let member = stack.popLast() {
                    isOnStack.remove(member)
                    members.append(member)
                    if member == top.place { break }
                }
                guard members.count > 1 else { continue }
                count += 1
                for member in members { found[member] = count }
            }
        }
        return found
    }
}
