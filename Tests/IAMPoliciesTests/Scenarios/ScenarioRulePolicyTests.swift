import AWSIdentity
import Content
import ECRAPI
import ECREmulator
import Replicate
import Reporting
import TestClouds
import TestInputs
import Testing

@testable import IAMPolicies
@testable import Rules

/// What `iam-policy -f` prints is enough for the rules, and every statement of it is needed: an emulator that enforces
/// policies says so.
@Suite("Policies of rules, enforced", .timeLimit(.minutes(3)))
struct ScenarioRulePolicyTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var rules: String
        /// The repositories that exist before, by account and region.
        var existing: [(account: String, region: String, name: String)] = []
    }

    private static let copier = EmulatorConfiguration.User(account: ScenarioCloud.build, name: "copier", policies: [])
    private static let promoter = "arn:aws:iam::\(ScenarioCloud.production):role/promoter"
    private static let config = """
        [profile copier]
        aws_access_key_id = \(copier.accessKeyID)
        aws_secret_access_key = \(copier.secretAccessKey)
        """

    static let shapes: [Shape] = [
        Shape(
            testDescription: "of patterns, by a role of the other account, which creates repositories",
            rules: """
                  - name: releases
                    from: { registry: build, repository: "team/*", exclude: "team/scratch-*" }
                    to: { registry: production, repository: "prod/{name}" }
                    createRepository: defaults
                """,
            existing: [(ScenarioCloud.production, ScenarioCloud.home, "prod/web")]
        ),
        Shape(
            testDescription: "of expressions and names, within one account, with pruning",
            rules: """
                  - name: apps
                    from: { registry: build, repository: "re:team/(?<app>[a-z]+)" }
                    to: { registry: far, repository: "mirror/{app}" }
                    createRepository: defaults
                  - name: base
                    from: { registry: build, repository: [base/a, base/b] }
                    to: { registry: far, repository: "backup/{repository}" }
                    prune: { enabled: true, maxDelete: 5 }
                """,
            existing: [
                (ScenarioCloud.build, ScenarioCloud.far, "backup/base/a"),
                (ScenarioCloud.build, ScenarioCloud.far, "backup/base/b"),
                (ScenarioCloud.build, ScenarioCloud.far, "mirror/web"),
            ]
        ),
        Shape(
            testDescription: "across accounts, by the policies of repositories",
            rules: """
                  - name: shared
                    from: { registry: build, repository: [team/app, base/a] }
                    to: { registry: foreign, repository: "prod/{name}" }
                """,
            existing: [
                (ScenarioCloud.production, ScenarioCloud.home, "prod/app"),
                (ScenarioCloud.production, ScenarioCloud.home, "prod/a"),
            ]
        ),
        Shape(
            testDescription: "that only set tags",
            rules: """
                  - name: stable
                    from: { registry: build, repository: "team/*" }
                    to: { registry: build, tag: "stable-{tag}" }
                """
        ),
    ]

    @Test("allow every image of the rules, and without any one statement something is denied", arguments: shapes)
    func minimal(_ shape: Shape) async throws {
        var statements: [(name: PolicyName, index: Int)] = []
        try await withRules(shape) { bench, file in
            let set = try policies(of: file, bench)
            for entry in set.entries {
                statements += entry.policy.statements.indices.map { (entry.names[0], $0) }
            }
            try put(set, bench)
            let copied = try await rehearse(file, bench)
            #expect(copied.error == nil, "\(copied.error as Any)")
            #expect(copied.images >= 2)
        }
        #expect(statements.count >= 3)
        for (name, index) in statements {
            try await withRules(shape) { bench, file in
                let whole = try policies(of: file, bench)
                let statement = try #require(whole[name]?.policy.statements[index])
                try put(whole.without(statement: index, of: name), bench)
                let error = try await rehearse(file, bench).error
                if statement.id == "AskBeforeTagsMove" {
                    // A run does without it, but its plan doesn't say what the registry will refuse.
                    #expect(error == nil && !whole.entries.isEmpty, "\(error as Any)")
                    #expect(try await !plansRefusal(file, bench))
                    try put(whole, bench)
                    #expect(try await plansRefusal(file, bench))
                    return
                }
                guard case .denied(let action, _)? = error?.reason, statement.actions.contains(action) else {
                    Issue.record("without \(statement.line) of \(name): \(error as Any)")
                    return
                }
                #expect(error?.kind == .notPermitted)
            }
        }
        reportCases("policies of rules, statements taken away", statements.count)
    }

    @Test("allow nothing outside of what the rules name")
    func nothingMore() async throws {
        try await withRules(Self.shapes[0]) { bench, file in
            try put(policies(of: file, bench), bench)
            #expect(try await rehearse(file, bench).error == nil)
            let rule = try #require(file.rules.first)
            let (source, production) = (rule.source.registry, rule.destinations[0].registry)
            let engine = bench.engine(source.options, production.options)
            for (from, to) in [("base/a", "prod/a"), ("team/app", "other/app")] {
                let error = try await copy(
                    source.reference(to: RepositoryName(parsing: from)),
                    to: DestinationReference(
                        registry: production.reference(to: .unnamed).registry,
                        repository: RepositoryName(parsing: to),
                        tag: nil
                    ),
                    rule,
                    rule.destinations[0],
                    bench
                )
                #expect(error?.kind == .notPermitted, "\(from) to \(to): \(error as Any)")
            }
            // The rule doesn't prune.
            let error = try await delete(at: rule.destinations[0], RepositoryName(parsing: "prod/web"), engine)
            #expect(error?.kind == .notPermitted)
        }
    }

    // MARK: What a run asks for

    /// Asks for everything that a run of the rules asks for, until something is denied.
    private func rehearse(_ file: RuleFile, _ bench: PolicyBench) async throws -> (images: Int, error: CopyError?) {
        var images = 0
        do {
            for rule in file.rules {
                let names = try await repositories(of: rule, bench)
                for destination in rule.destinations {
                    let engine = bench.engine(rule.source.registry.options, destination.registry.options)
                    for name in names {
                        let place = try #require(self.place(of: name, at: destination, rule))
                        let source = rule.source.registry.reference(to: name)
                        _ = try await engine.list(source, TagFilter())
                        if let written = place.repository, try await isThere(written, at: destination, engine) {
                            if rule.prune != nil, let error = try await delete(at: destination, written, engine) {
                                throw error
                            }
                        }
                        if let error = try await copy(source, to: place, rule, destination, bench) { throw error }
                        images += 1
                    }
                }
            }
        } catch let error as CopyError {
            return (images, error)
        }
        return (images, nil)
    }

    private func repositories(of rule: Rule, _ bench: PolicyBench) async throws -> [RepositoryName] {
        if let names = rule.source.fixedRepositories { return names }
        let registry = rule.source.registry
        let engine = bench.engine(registry.options, registry.options)
        return try await engine.replicator.repositories(of: registry.reference(to: .unnamed).registry, registry.options)
            .compactMap { $0.reference?.repository }.filter { rule.source.pattern(selecting: $0) != nil }
    }

    /// Lists a destination's images, as a run does before it copies.
    private func isThere(
        _ name: RepositoryName,
        at destination: RuleDestination,
        _ engine: TestEngine
    ) async throws -> Bool {
        let there = destination.registry.reference(to: name)
        do {
            _ = try await engine.replicator.list(there, destination.registry.options, TagFilter())
            return true
        } catch let error as CopyError where error.reason == .repositoryMissing {
            return false
        }
    }

    /// Whether the plan says that a tag can't move, after every destination's tags have become immutable.
    private func plansRefusal(_ file: RuleFile, _ bench: PolicyBench) async throws -> Bool {
        for rule in file.rules {
            for name in try await repositories(of: rule, bench) {
                try bench.emulator.seed(
                    SeedImage.oci("\(name) again", layers: [70]),
                    tag: "v1",
                    account: ScenarioCloud.build,
                    region: ScenarioCloud.home,
                    repository: name.value
                )
                for destination in rule.destinations {
                    let place = try #require(self.place(of: name, at: destination, rule))
                    guard case .ecr(let host) = place.registry, let written = place.repository else { continue }
                    try bench.emulator.createRepository(
                        account: host.account.value,
                        region: host.region,
                        written.value,
                        mutability: "IMMUTABLE"
                    )
                    let engine = bench.engine(rule.source.registry.options, destination.registry.options)
                    let results = try await engine.copy(
                        rule.source.registry.reference(to: name).tagged(Tag(parsing: "v1")),
                        .named,
                        to: [place],
                        tags: [],
                        CopyOptions(referrers: .none, isDryRun: true)
                    )
                    let isRefused = results.contains {
                        if case .planned(let plan) = $0 { plan.refusal != nil } else { false }
                    }
                    guard isRefused else { return false }
                }
            }
        }
        return true
    }

    private func place(of name: RepositoryName, at destination: RuleDestination, _ rule: Rule) -> DestinationReference?
    {
        guard let pattern = rule.source.pattern(selecting: name), let tag = try? Tag(parsing: "v1") else { return nil }
        let values = NameValues(registry: rule.source.registry, repository: name, selectedBy: pattern)
        let filled = destination.repository.filled(values.values(for: .repository, tag: tag, digest: nil))
        let tagFilled = destination.tag.filled(values.values(for: .tag, tag: tag, digest: nil))
        return DestinationReference(
            registry: destination.registry.reference(to: name).registry,
            repository: filled.flatMap { try? RepositoryName(parsing: $0) },
            tag: tagFilled.flatMap { try? Tag(parsing: $0) }
        )
    }

    private func copy(
        _ source: ImageReference,
        to place: DestinationReference,
        _ rule: Rule,
        _ destination: RuleDestination,
        _ bench: PolicyBench
    ) async throws -> CopyError? {
        let engine = bench.engine(rule.source.registry.options, destination.registry.options)
        do {
            return try await engine.copy(
                source.tagged(Tag(parsing: "v1")),
                .named,
                to: [place],
                tags: [],
                CopyOptions(
                    referrers: rule.referrers,
                    createRepository: rule.createRepository == .never ? .never : .defaults
                )
            ).firstError
        } catch let error as CopyError {
            return error
        }
    }

    private func delete(
        at destination: RuleDestination,
        _ name: RepositoryName,
        _ engine: TestEngine
    ) async throws -> CopyError? {
        let reference = destination.registry.reference(to: name)
        let probe = try await engine.opener.probe(reference, side: .destination, destination.registry.options)
        let ecr = try #require(probe.ecr)
        let absent = ImageIdentifier(digest: Digest(of: Array("nothing".utf8)))
        do {
            _ = try await ecr.api.send(
                BatchDeleteImage(registryId: ecr.host.account, repositoryName: name, imageIds: [absent])
            )
            return nil
        } catch let error as ECRError {
            return CopyError(explaining: error, side: .destination, subject: .image(reference), "BatchDeleteImage")
        }
    }

    // MARK: The bench

    private func withRules(_ shape: Shape, _ body: (PolicyBench, RuleFile) async throws -> Void) async throws {
        var configuration = EmulatorConfiguration()
        configuration.users = [Self.copier]
        configuration.roles = [.init(arn: Self.promoter, policies: [])]
        try await withPolicyBench(configuration, config: Self.config) { bench in
            for name in ["team/web", "team/scratch-1", "base/a", "base/b"] {
                try bench.emulator.seed(
                    SeedImage.oci(name, layers: [90]),
                    tag: "v1",
                    account: ScenarioCloud.build,
                    region: ScenarioCloud.home,
                    repository: name
                )
            }
            for place in shape.existing {
                try bench.emulator.createRepository(account: place.account, region: place.region, place.name)
            }
            let text = """
                version: 1
                registries:
                  build: { host: "\(bench.host(ScenarioCloud.build))", profile: copier }
                  far: { host: "\(bench.host(ScenarioCloud.build, ScenarioCloud.far))", profile: copier }
                  foreign: { host: "\(bench.host(ScenarioCloud.production))", profile: copier }
                  production:
                    host: "\(bench.host(ScenarioCloud.production))"
                    profile: copier
                    roleArn: "\(Self.promoter)"
                    externalId: ex-1
                rules:
                \(shape.rules)
                """
            try await body(bench, RuleFile(parsing: Array(text.utf8), name: "rules.yaml", variables: [:]))
        }
    }

    private func policies(of file: RuleFile, _ bench: PolicyBench) throws -> PolicySet {
        var options = RulePolicies.Options(environment: bench.environment)
        options.principals = ["copier": try #require(Principal(arn: Self.copier.arn))]
        let policies = try RulePolicies(file, file.rules, options)
        return try PolicySet(policies.requests, named: policies.policyName)
    }

    private func put(_ set: PolicySet, _ bench: PolicyBench) throws {
        try bench.put(set, for: [Self.copier.arn, Self.promoter])
    }
}

extension PolicySet {
    /// The set without one statement; a trust policy, which can't be empty, gets one that lets no one in.
    fileprivate func without(statement index: Int, of name: PolicyName) -> PolicySet {
        var set = self
        guard let place = set.entries.firstIndex(where: { $0.names.contains(name) }) else { return set }
        if case .trust = set.entries[place].place {
            set.entries[place].policy.statements[index].actions = ["sts:TagSession"]
        } else {
            set.entries[place].policy.statements.remove(at: index)
        }
        return set
    }
}
