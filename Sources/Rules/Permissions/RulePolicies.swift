package import AWSIdentity
internal import Content
package import IAMPolicies
internal import Promotion
package import Replicate

/// The policies that rules need: a request for each pattern of a source and each destination.
///
/// Nothing is sent. What a pattern, an exclusion or a template means in IAM's wildcards is rounded up, and a note says so.
package struct RulePolicies: Sendable {
    package private(set) var requests: [PolicyRequest] = []
    /// What the names under which identities hold their policies begin with.
    package let policyName: String

    /// What decides the policies besides the rules.
    package struct Options: Sendable {
        /// The owner of the keys of each profile; the key `nil` is for the keys without a profile.
        package var principals: [String?: Principal] = [:]
        package var upload = UploadOptions.Mode.auto
        /// Whether the policies also allow actions that a run can do without.
        package var includesOptional = false
        /// The keys in KMS that sign the records of promotions, which are the rules with gates.
        package var signingKeys: [KeyName] = []
        package var environment: AWSEnvironment

        package init(environment: AWSEnvironment) { self.environment = environment }
    }

    /// Why there are no policies for the rules.
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// - Parameter rules: The rules of `file` to print policies for.
    /// - Throws: ``Problem``
    package init(_ file: RuleFile, _ rules: [Rule], _ options: Options) throws {
        policyName = Self.policyName(file, rules)
        let callers = try RuleCallers(rules, options)
        for rule in rules {
            for place in RulePlaces.all(of: rule) { requests.append(try request(place, rule, options, callers)) }
        }
        guard requests.contains(where: { $0.source != nil || $0.destinations.contains { $0 != nil } }) else {
            throw Problem(description: "the rules name no registry of ECR, and only ECR has IAM policies")
        }
        if options.includesOptional { addNeighbours() }
    }

    private static func policyName(_ file: RuleFile, _ rules: [Rule]) -> String {
        let name = file.name.split(separator: "/").last.map(String.init) ?? ""
        let stem = name.split(separator: ".").first.map(String.init) ?? "rules"
        let selected = rules.count == file.rules.count ? [] : rules.map(\.name)
        return (["rules", stem == "-" ? "stdin" : stem] + selected).joined(separator: "+")
    }

    private func request(
        _ place: RulePlaces,
        _ rule: Rule,
        _ options: Options,
        _ callers: RuleCallers
    ) throws -> PolicyRequest {
        let destination = place.destination
        var request = PolicyRequest(source: place.source, destinations: place.destinations)
        if place.source != nil { request.reader = try callers.caller(at: rule.source.registry) }
        if place.destinations.contains(where: { $0 != nil }) {
            request.writer = try callers.caller(at: destination.registry)
        }
        request.upload = options.upload
        request.includesOptional = options.includesOptional
        request.gates = GateNeeds(rule.gates ?? GateSettings())
        if rule.gates != nil { request.signingKeys = options.signingKeys }
        request.createsRepository = rule.createRepository != .never
        request.createsLikeSource = rule.createRepository == .likeSource
        if request.createsLikeSource {
            request.keys = destination.registry.kmsKeys.values.sorted().compactMap { KeyName($0) }
        }
        var needs = PolicyRequest.RuleNeeds(source: rule.source.registry.name, destination: destination.registry.name)
        needs.listsRepositories = rule.source.fixedRepositories == nil
        needs.keepsRepositories = rule.keepsRepositories(at: destination)
        needs.prunes = rule.prune != nil
        (needs.sourceNotes, needs.destinationNotes) = (place.sourceNotes, place.destinationNotes)
        request.rule = needs
        return request
    }

    /// Adds the repositories from which a run may mount layers: all of its repositories.
    private mutating func addNeighbours() {
        var seen: Set<PolicyPlace> = []
        var all: [PolicyPlace] = []
        for request in requests {
            for place in [request.source] + request.destinations {
                if let place, seen.insert(place).inserted { all.append(place) }
            }
        }
        for index in requests.indices { requests[index].rule?.neighbours = all }
    }
}

/// What a rule reads and writes through one of its patterns and one of its destinations.
private struct RulePlaces {
    var destination: RuleDestination
    /// The source's repositories; `nil` if the source isn't ECR.
    var source: PolicyPlace?
    /// The destination's; one that is `nil` isn't ECR.
    var destinations: [PolicyPlace?]
    var sourceNotes: [String]
    var destinationNotes: [String]

    static func all(of rule: Rule) -> [RulePlaces] {
        var places: [RulePlaces] = []
        for pattern in rule.source.patterns {
            let names = rule.source.names(selectedBy: pattern)
            for name in names.all {
                let source = rule.source.registry.place.host.map { PolicyPlace(host: $0, pattern: name.text) }
                let sourceNotes = rule.notes(about: pattern, names, name)
                for destination in rule.destinations {
                    let written = rule.names(at: destination, for: name, selectedBy: pattern)
                    guard !written.all.isEmpty else { continue }
                    let host = destination.registry.place.host
                    places.append(
                        RulePlaces(
                            destination: destination,
                            source: source,
                            destinations: host.map { host in
                                written.all.map { PolicyPlace(host: host, pattern: $0.text) }
                            } ?? [nil],
                            sourceNotes: sourceNotes,
                            destinationNotes: rule.notes(about: destination, written)
                        )
                    )
                }
            }
        }
        return places
    }
}

extension Rule {
    /// Whether every image stays in its repository at a destination, so that only tags are set.
    package func keepsRepositories(at destination: RuleDestination) -> Bool {
        guard destination.registry.place == source.registry.place else { return false }
        return destination.repository.text == "{repository}"
            || source.fixedRepositories?.allSatisfy { name in
                RuleFileChecks.repository(of: destination, for: name, self) == name.value
            } ?? false
    }
}

extension RuleRegistry.Place {
    fileprivate var host: ECRHost? { if case .ecr(let host) = self { host } else { nil } }
}

extension Rule {
    private var words: String { "rule '\(quotable(name))'" }

    /// What the policy of the source allows beyond the rule.
    fileprivate func notes(about pattern: RepositoryPattern, _ names: NamePatterns, _ selected: NamePattern) -> [String]
    {
        var notes: [String] = []
        if names.isRounded {
            let allowed = names.all.map(\.text).joined(separator: ", ")
            notes.append(
                "\(words) selects \(quotable(pattern.text, upTo: 200)), which IAM's wildcards can't say: \(allowed) is allowed"
            )
        }
        if !selected.isText {
            let excluded = source.excluded.filter { $0.literal.map { selected.matches($0.value) } ?? true }
            if !excluded.isEmpty {
                let list = excluded.prefix(10).map { quotable($0.text, upTo: 200) }.joined(separator: ", ")
                notes.append(
                    "\(words) leaves out \(list)\(excluded.count > 10 ? ", …" : ""), which this policy allows too: a Deny would also bind other policies"
                )
            }
        }
        return notes
    }

    /// What the policy of a destination allows beyond the rule.
    fileprivate func notes(about destination: RuleDestination, _ names: NamePatterns) -> [String] {
        guard names.isRounded else { return [] }
        let allowed = names.all.map(\.text).joined(separator: ", ")
        return [
            "\(words) writes \(quotable(destination.repository.text, upTo: 200)), which IAM's wildcards can't say: \(allowed) is allowed"
        ]
    }
}

extension NamePattern {
    fileprivate func matches(_ text: String) -> Bool { covers(NamePattern(text)) }
}
