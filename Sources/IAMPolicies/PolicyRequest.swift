package import Content
package import Replicate

/// The copy, and the callers, that policies are written for.
package struct PolicyRequest: Sendable, Hashable {
    /// The source repository; `nil` if the source isn't ECR.
    package var source: PolicyPlace?
    /// The destination repositories; `nil` for each destination that isn't ECR.
    package var destinations: [PolicyPlace?]
    /// The callers that read and write; by default any identity of the source's account that its own policies allow.
    package var reader = PolicyCaller()
    package var writer = PolicyCaller()
    package var listsImages = false
    package var upload = UploadOptions.Mode.auto
    package var createsRepository = false
    /// Whether a repository is created with the settings of the source's repository.
    package var createsLikeSource = false
    /// The KMS keys for repositories that the copy creates; an ARN is for those in the key's region.
    package var keys: [KeyName] = []
    /// Whether the policies also allow actions that a copy can do without.
    package var includesOptional = false
    /// What the gates of a promotion need in addition.
    package var gates = GateNeeds()
    /// The KMS keys that sign the records of promotions.
    package var signingKeys: [KeyName] = []
    /// What a rule needs in addition; `nil` for a copy of references.
    package var rule: RuleNeeds?

    /// What a rule needs in addition to a copy.
    package struct RuleNeeds: Sendable, Hashable {
        /// The names of the registries in the rule file.
        package var source: String
        package var destination: String
        /// Whether the source's repositories must be listed, because a pattern selects them.
        package var listsRepositories = false
        /// Whether every image stays in its repository, although the source is a pattern.
        package var keepsRepositories = false
        /// Whether images that the source no longer has are deleted at the destinations.
        package var prunes = false
        /// Further repositories of the run, from which layers may be mounted.
        package var neighbours: [PolicyPlace] = []
        /// What to tell people about the source, and about the destinations.
        package var sourceNotes: [String] = []
        package var destinationNotes: [String] = []

        package init(source: String, destination: String) { (self.source, self.destination) = (source, destination) }
    }

    /// Why callers and repositories must be in one partition, as errors say it.
    static let separate = "identities of one partition aren't known in another"

    package init(source: PolicyPlace?, destinations: [PolicyPlace?]) {
        (self.source, self.destinations) = (source, destinations)
    }

    package init(source: PolicyPlace?, destination: PolicyPlace?) {
        self.init(source: source, destinations: [destination])
    }

    /// The identity that makes the requests at a place, after all roles are assumed.
    ///
    /// Without a named caller, the caller is assumed to belong to the source's account. Other partitions have separate
    /// accounts, and a caller that is named for both sides of a copy between partitions can belong to only one of them.
    func principal(of caller: PolicyCaller, at place: PolicyPlace) throws(ImpossiblePolicy) -> Principal {
        let partition = place.host.partition.rawValue
        if let role = caller.assumptions.last?.role {
            guard role.partition == partition else {
                throw ImpossiblePolicy(
                    "\(role.words) is in partition \(role.partition), but \(place.arn) is in \(partition): \(Self.separate), so "
                        + "name a role for each side"
                )
            }
            return role
        }
        if let start = caller.start {
            if start.partition == partition { return start }
            guard !caller.isOfProfile else {
                throw ImpossiblePolicy(
                    "the profile's caller, \(start.words), is in partition \(start.partition), but \(place.arn) is in "
                        + "\(partition): \(Self.separate), so give each side its own profile"
                )
            }
        }
        let home = caller.home?.host ?? source?.host ?? place.host
        let host = home.partition == place.host.partition ? home : place.host
        return Principal(account: host.account.value, partition: partition)
    }

    /// Throws if a named caller belongs to a partition that holds none of the repositories, as no policy could be about
    /// it.
    func checkWhoIsNamed() throws(ImpossiblePolicy) {
        try Self.checkWhoIsNamed([reader, writer], partitions: partitions)
    }

    /// The partitions of the repositories.
    var partitions: Set<String> { Set(places.map(\.host.partition.rawValue)) }

    private var places: [PolicyPlace] { [source].compactMap { $0 } + destinations.compactMap { $0 } }

    /// - Parameter partitions: The partitions of all repositories.
    static func checkWhoIsNamed(_ callers: [PolicyCaller], partitions: Set<String>) throws(ImpossiblePolicy) {
        for caller in callers {
            for named in [caller.isOfProfile ? nil : caller.start, caller.passedOver].compactMap({ $0 })
            where !partitions.contains(named.partition) {
                throw ImpossiblePolicy(
                    "\(named.words) is in partition \(named.partition), but no repository is: \(Self.separate), so "
                        + "name a caller in partition \(partitions.sorted().joined(separator: " or "))"
                )
            }
        }
    }

    /// Whether source and destination are the same repository, used by the same identity, so that only the
    /// destination's actions are needed.
    ///
    /// Two equal patterns are not a retag: the copy may go from any repository that matches to any other.
    func isRetag(at place: PolicyPlace) throws(ImpossiblePolicy) -> Bool {
        guard let source, source.arn == place.arn, !place.isPattern || rule?.keepsRepositories == true else {
            return false
        }
        return try principal(of: reader, at: source) == principal(of: writer, at: place)
    }

    /// Whether the copy only sets tags in the source's own repositories.
    func isRetag() throws(ImpossiblePolicy) -> Bool {
        for place in destinations {
            guard let place, try isRetag(at: place) else { return false }
        }
        return !destinations.isEmpty
    }

    /// The repositories from which a layer may be mounted at `place`: the source and other destinations in its
    /// registry.
    func siblings(of place: PolicyPlace) -> [PolicyPlace] {
        let others = (destinations.compactMap { $0 } + (rule?.neighbours ?? [])).filter { $0.arn != place.arn }
        var siblings: [PolicyPlace] = []
        var seen: Set<PolicyPlace> = []
        for other in [source].compactMap({ $0 }) + others
        where other.sharesRegistry(with: place) && (other.arn != place.arn || other.isPattern) {
            if seen.insert(other).inserted { siblings.append(other) }
        }
        return siblings
    }

    /// The keys that need permissions for a repository that the copy creates at `place`.
    package func keys(at place: PolicyPlace) -> [KeyName] {
        keys.filter { !$0.isOfAWS && $0.region ?? place.host.region == place.host.region }
    }

    /// Whether the copy creates a missing repository at `place`.
    func creates(at place: PolicyPlace) -> Bool {
        createsRepository || createsLikeSource || !keys(at: place).isEmpty
    }

    /// Whether the settings of the source's repository are read, for a repository like it in ECR.
    var readsSettings: Bool { createsLikeSource && source != nil && destinations.contains { $0 != nil } }
}

/// The refusal to create a repository in another account than the caller's.
///
/// ECR may let such a caller create the repository, but a new repository has no policy, so the caller could not write
/// to it.
///
/// - Source: docs/facts/permissions.md#across-accounts
package struct ForeignCreation: Error, Hashable, CustomStringConvertible {
    package let caller: String
    package let account: String
    /// The name of the account's registry in a rule file; `nil` for a copy of references.
    package var registry: String?

    package var description: String {
        "\(caller) can't create a repository in account \(account) and write to it: a new repository has no policy "
            + "that allows another account; \(remedy), whose policies are then printed, or create the repository there first"
    }

    private var remedy: String {
        guard let registry else { return "name a role of account \(account) with --destination-role-arn" }
        return "give registry '\(quotable(registry, upTo: 200))' a roleArn of account \(account)"
    }
}

/// An ECR repository, or the repositories that match a pattern, as policies name them.
package struct PolicyPlace: Sendable, Hashable {
    package let host: ECRHost
    /// The repository's name, in which `*` stands for any run of characters, and `?` for one.
    package let pattern: String

    package init(host: ECRHost, pattern: String) { (self.host, self.pattern) = (host, pattern) }

    /// - Parameter text: A reference whose repository may contain `*`; its tag and digest are ignored.
    /// - Returns: `nil` if the registry isn't ECR, or if the text names no registry.
    /// - Throws: `ReferenceError`, also for a reference that doesn't state its account and region.
    package init?(parsing text: String, keeping pattern: String? = nil) throws(ReferenceError) {
        // A lone star needs two letters to be a valid name; the parser checks the rest.
        let written = text.prefix { $0 != "@" }
        let reference = try DestinationReference(parsing: String(written.replacing("*", with: Self.star)))
        switch reference.registry {
        case .plain, .layout: return nil
        case .callersOwn:
            throw .malformedReference(
                text,
                reason: "it must name account and region: ACCOUNT.dkr.ecr.REGION.amazonaws.com/…"
            )
        case .ecr(let host): self.host = host
        }
        guard let name = reference.repository?.value else {
            guard let pattern else { throw .malformedReference(text, reason: "it names a registry but no repository") }
            self.pattern = pattern
            return
        }
        let bare = reference.tag == nil ? written : written.prefix(upTo: written.lastIndex(of: ":") ?? written.endIndex)
        let pattern = String(bare.suffix(name.count - bare.count { $0 == "*" }))
        let stars = written.count { $0 == "*" }
        guard pattern.replacing("*", with: Self.star) == name, pattern.count(where: { $0 == "*" }) == stars else {
            throw .malformedReference(text, reason: "* is allowed only in the repository's name")
        }
        self.pattern = pattern
    }

    private static let star = "xx"

    /// Whether this place may stand for more than one repository.
    package var isPattern: Bool { pattern.contains { $0 == "*" || $0 == "?" } }

    /// The ARN of the repository, or, with `*`, of all repositories that match.
    package var arn: String { Self.arn(pattern, host) }

    /// The resource of requests that concern every repository of the registry, such as a list of them.
    ///
    /// - Source: docs/facts/permissions.md#actions
    var registryARN: String { Self.arn("*", host) }

    private static func arn(_ pattern: String, _ host: ECRHost) -> String {
        "arn:\(host.partition.rawValue):ecr:\(host.region):\(host.account):repository/\(pattern)"
    }

    /// Whether blobs may be mounted from one place to the other.
    func sharesRegistry(with other: PolicyPlace) -> Bool {
        host.account == other.host.account && host.region == other.host.region
    }
}
