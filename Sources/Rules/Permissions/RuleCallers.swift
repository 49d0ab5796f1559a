internal import AWSIdentity
internal import Content
internal import IAMPolicies
internal import Replicate

/// The callers of the registries that rules use.
///
/// One set of keys is one caller, wherever it is used: the keys of a profile, those with which a profile's role is
/// assumed, or those that are found without a profile.
struct RuleCallers {
    private var paths: [String: RolePath] = [:]
    /// The first registry that is used with certain keys themselves, not with a role that they assume.
    private var homes: [RolePath.Start: (host: ECRHost, profile: String?)] = [:]
    private var principals: [RolePath.Start: Principal] = [:]

    /// - Throws: ``RulePolicies/Problem`` for a profile that doesn't exist, and for the owner of a profile that no
    ///   registry uses.
    init(_ rules: [Rule], _ options: RulePolicies.Options) throws(RulePolicies.Problem) {
        // Sources first: the keys are more likely to be of an account that is read from.
        let registries = rules.map(\.source.registry) + rules.flatMap { $0.destinations.map(\.registry) }
        var profiles: Set<String> = []
        for registry in registries {
            guard case .ecr(let host) = registry.place, paths[registry.name] == nil else { continue }
            let identity = registry.options.identity
            let path = try Self.about(registry) { try RolePath(identity, environment: options.environment) }
            paths[registry.name] = path
            if let profile = identity.profile { profiles.insert(profile) }
            if path.steps.isEmpty, homes[path.start] == nil { homes[path.start] = (host, identity.profile) }
        }
        let starts = Set(paths.values.map(\.start))
        for (profile, principal) in options.principals {
            let path = try? RolePath(IdentityOptions(profile: profile), environment: options.environment)
            guard let path, profile == nil || starts.contains(path.start) else {
                throw Self.unused(profile ?? "", profiles.sorted())
            }
            principals[path.start] = principal
        }
    }

    private static func unused(_ profile: String, _ used: [String]) -> RulePolicies.Problem {
        RulePolicies.Problem(
            description: "no registry of the rules uses the profile '\(quotable(profile, upTo: 200))'\n  next: "
                + (used.isEmpty ? "write --principal ARN" : "name one of \(used.joined(separator: ", "))")
        )
    }

    private static func about<Value>(
        _ registry: RuleRegistry,
        _ body: () throws -> Value
    ) throws(RulePolicies.Problem) -> Value {
        do {
            return try body()
        } catch {
            throw RulePolicies.Problem(description: "registry '\(quotable(registry.name, upTo: 200))': \(error)")
        }
    }

    /// - Throws: ``RulePolicies/Problem`` for a role that can't be assumed.
    func caller(at registry: RuleRegistry) throws(RulePolicies.Problem) -> PolicyCaller {
        guard let path = paths[registry.name] else { return PolicyCaller() }
        var caller = try Self.about(registry) { try PolicyCaller(path, named: principals[path.start]) }
        if caller.start == nil { caller.home = homes[path.start].map { Self.home(at: $0.host, $0.profile) } }
        return caller
    }

    private static func home(at host: ECRHost, _ profile: String?) -> PolicyCaller.Home {
        guard let profile else {
            return PolicyCaller.Home(
                host: host,
                keys: "the keys without a profile",
                label: "default",
                remedy: "--principal ARN"
            )
        }
        let name = quotable(profile, upTo: 200)
        return PolicyCaller.Home(
            host: host,
            keys: "the keys of profile '\(name)'",
            label: name,
            remedy: "--principal \(name)=ARN"
        )
    }
}
