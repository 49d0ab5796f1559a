internal import AWSIdentity
internal import Content
internal import Distribution
internal import ECRAPI
internal import IAMPolicies
internal import Replicate
internal import Wire

extension RuleDoctor {
    /// Checks what belongs to a registry as a whole, and not to one of its repositories.
    func examine(
        _ registry: RuleCheckup.Registry,
        _ checkup: RuleCheckup,
        _ part: PartExamination
    ) async throws -> RegistryState {
        let readers = checkup.readers(of: registry)
        let isWritten = checkup.isWritten(registry)
        let side: CopyError.Side = readers.isEmpty && isWritten ? .destination : .source
        part.head(registry.words + registry.identityWords)
        guard let location = registry.location else {
            guard let folder = registry.folder else { return RegistryState() }
            return examine(folder, isRead: !readers.isEmpty, isWritten: isWritten, side, registry, part)
        }
        return try await part.collect(side, named: { $0 = $0.named(registry) }) { order in
            var examination = Examination(
                side,
                .registry(location),
                order,
                policies: RulePolicyCommandLine(checkup.file, rules: [], registry.options),
                registry: registry.name
            )
            return try await SideLabel.with(SideLabel.metadata(side)) {
                try await examine(
                    location,
                    registry,
                    RegistryUse(
                        isRead: !readers.isEmpty,
                        needsList: readers.contains { $0.repositories.isList },
                        isWritten: isWritten,
                        receivesLayers: checkup.receivesLayers(registry)
                    ),
                    &examination
                )
            }
        }
    }

    /// What the rules do at a registry.
    private struct RegistryUse {
        var isRead: Bool
        /// Whether a rule selects repositories of the source by patterns.
        var needsList: Bool
        var isWritten: Bool
        var receivesLayers: Bool
    }

    private func examine(
        _ location: RegistryLocation,
        _ registry: RuleCheckup.Registry,
        _ use: RegistryUse,
        _ examination: inout Examination
    ) async throws -> RegistryState {
        var state = RegistryState()
        let doctor = doctor(source: registry.options, destination: registry.options)
        // No request is for a particular repository, so the reference has a placeholder for the name.
        let reference = ImageReference(registry: location, repository: .unnamed)
        guard let side = try await doctor.open(reference, registry.options, &examination) else { return state }
        (state.isOpen, state.caller) = (true, side.caller)
        guard let ecr = side.ecr else {
            state.isOpen = try await answers(side, &examination)
            if state.isOpen, use.needsList { state.names = try await catalog(side, &examination) }
            return state
        }
        if use.needsList || use.isWritten { try await list(ecr, &state, mayLack: !use.needsList, &examination) }
        if use.receivesLayers {
            state.hasToken = try await doctor.tryToken(ecr, &examination)
            if state.hasToken == true { try await doctor.reachRegistry(ecr, &examination) }
        }
        examination.notePermissionsTried()
        if use.isWritten {
            state.cacheRules = try await doctor.cacheRules(ecr, &examination)
            try await doctor.lookAtMounting(ecr, isCallersOwn: side.isCallersOwn, &examination)
        }
        if use.isRead, side.isCallersOwn {
            let answer = try await examination.look("replication", DescribeRegistry(), at: ecr)
            state.replication = answer.map { $0.replicationConfiguration?.rules ?? [] }
        }
        return state
    }

    /// Whether a registry that is not ECR answers; a refusal is an answer, too.
    private func answers(_ side: Doctor.OpenSide, _ examination: inout Examination) async throws -> Bool {
        guard let client = side.repository.registryClient else { return true }
        examination.ask("endpoint")
        do {
            _ = try await client.ping()
            examination.note(.ok, "endpoint", "\(client.base.origin)")
            return true
        } catch {
            try examination.fail("endpoint", error, "reaching the registry")
            return false
        }
    }

    /// - Parameter mayLack: Whether the rules can do without the list, which then only shows which repositories differ.
    private func list(
        _ ecr: ECRProbe,
        _ state: inout RegistryState,
        mayLack: Bool,
        _ examination: inout Examination
    ) async throws {
        let check = "ecr:DescribeRepositories"
        examination.ask(check)
        do {
            var all: [ECRRepository] = []
            for try await page in ecr.api.pages(DescribeRepositories(registryId: ecr.host.account)) {
                all += page.repositories
            }
            state.names = all.map(\.repositoryName).sorted { $0.value < $1.value }
            state.repositories = Dictionary(all.map { ($0.repositoryName, $0) }) { first, _ in first }
            examination.note(.ok, check, "allowed; the registry has \(countedRepositories(all.count))")
        } catch let error as ECRError where error.code == .accessDenied && mayLack {
            examination.note(
                .skipped,
                check,
                "not allowed, and not needed: repositories with settings of their own are not known"
            )
        } catch {
            try examination.fail(check, error, "DescribeRepositories")
        }
    }

    /// The repositories of a registry that is not ECR, by its own list.
    private func catalog(_ side: Doctor.OpenSide, _ examination: inout Examination) async throws -> [RepositoryName]? {
        guard let client = side.repository.registryClient else { return nil }
        examination.ask("repositories")
        do {
            guard let listed = try await client.repositories() else {
                examination.note(
                    .failed,
                    "repositories",
                    "the registry has no list of its repositories (/v2/_catalog)",
                    remedy: "name each repository in the rule"
                )
                return nil
            }
            let names = listed.compactMap { try? RepositoryName(parsing: $0) }.sorted { $0.value < $1.value }
            examination.note(.ok, "repositories", "the registry lists \(countedRepositories(names.count))")
            return names
        } catch {
            try examination.fail(
                "repositories",
                error,
                "listing the repositories",
                remedy: "name each repository in the rule"
            )
            return nil
        }
    }
}

/// A number of repositories, in words.
func countedRepositories(_ count: Int) -> String { count == 1 ? "1 repository" : "\(count) repositories" }

extension RuleCheckup.Registry {
    /// The identity that the registry names, in words.
    fileprivate var identityWords: String {
        let identity = options.identity
        let words = [
            identity.profile.map { "with profile \(quotable($0, upTo: 200))" },
            identity.roleARN.map { "as \(quotable($0, upTo: 200))" },
        ].compactMap { $0 }
        return words.isEmpty ? "" : ", \(words.joined(separator: ", "))"
    }
}

extension Finding {
    func named(_ registry: RuleCheckup.Registry, rule: String? = nil, repository: String? = nil) -> Finding {
        var named = self
        (named.registry, named.rule, named.repository) = (registry.name, rule, repository)
        named.remedy = remedy.map { RuleWords.of($0, registry: registry.name) }
        return named
    }
}

/// Says in the words of a rule file what remedies say in those of the command line.
enum RuleWords {
    private static let words = [
        ("pass --create-repository defaults", "write createRepository: defaults in the rule"),
        ("leave out all referrers with --referrers none", "leave out all referrers with referrers: none in the rule"),
        ("leave the signatures out with --referrers none", "leave the signatures out with referrers: none in the rule"),
        ("pass it with --external-id", "write it as externalId of registry 'NAME'"),
        ("name a profile with --source-profile", "write a profile for registry 'NAME'"),
        ("name a profile with --destination-profile", "write a profile for registry 'NAME'"),
        ("name a profile with --profile", "write a profile for registry 'NAME'"),
    ]

    static func of(_ remedy: String, registry: String) -> String {
        words.reduce(remedy) { text, words in
            text.replacing(words.0, with: words.1.replacing("NAME", with: quotable(registry, upTo: 200)))
        }
    }
}

/// The command that prints all policies for a rule file, or for some of its rules.
struct RulePolicyCommandLine: PolicyAdvising {
    let file: String
    let rules: [String]
    let options: SideOptions

    init(_ file: String, rules: [String], _ options: SideOptions) {
        (self.file, self.rules, self.options) = (file, rules, options)
    }

    func advice(_ known: PolicyCommandLine.Side, named: Principal?) -> String {
        let profile = options.identity.profile
        // Without a role, the caller that was denied has the keys themselves.
        let start = known.start ?? (options.identity.roleARN == nil && profile == nil ? named : nil)
        let principal = start.map { ["--principal", (profile.map { "\($0)=" } ?? "") + $0.arn] } ?? []
        let words = ["-f", file] + principal + rules
        let what = rules.isEmpty ? "rules need" : "rule needs"
        return "to print every policy that the \(what): ecr-replicate iam-policy "
            + words.map(PolicyCommandLine.quoted).joined(separator: " ")
    }
}
