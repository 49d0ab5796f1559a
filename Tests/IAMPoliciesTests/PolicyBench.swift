import AWSIdentity
import Content
import ECREmulator
import Foundation
import Logging
import Replicate
import TestClouds
import Wire

@testable import IAMPolicies

/// An emulator that enforces policies, the files of a machine, and an engine that goes by them.
struct PolicyBench: Sendable {
    /// An action that is taken away from a policy.
    struct Missing: Sendable, Equatable {
        var name: PolicyName
        var action: String
    }

    let emulator: Emulator
    let transport: Transport
    let home: String

    var environment: AWSEnvironment {
        var variables = Dictionary(uniqueKeysWithValues: emulator.environment.map { ($0.name, $0.value) })
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] { variables[name] = nil }
        return AWSEnvironment(variables: variables, home: home)
    }

    func host(_ account: String, _ region: String = ScenarioCloud.home) -> String {
        emulator.registryHost(account: account, region: region)
    }

    func place(_ text: String) throws -> PolicyPlace? { try PolicyPlace(parsing: text) }

    /// Puts each policy where its comment says it belongs, and nothing else.
    ///
    /// - Parameter holders: Who gets what the policies say, and loses what they had; the first is whom an account's are for.
    func put(_ set: PolicySet, for holders: [String], without missing: Missing? = nil) throws {
        var identities = Dictionary(uniqueKeysWithValues: holders.map { ($0, [String]()) })
        for entry in set.entries {
            let action = missing.flatMap { entry.names.contains($0.name) ? $0.action : nil }
            let policy = entry.policy.without(action)
            // AWS refuses a policy without statements.
            let text = policy.statements.isEmpty ? nil : policy.text
            switch entry.place {
            case .identity(let holder?, _):
                let arn = holder.arn.hasSuffix(":root") ? holders[0] : holder.arn
                identities[arn, default: []] += [text].compactMap { $0 }
            case .identity(nil, _): break
            case .trust(let role):
                // A role has a trust policy, whatever it is good for.
                let other = PolicyDocument(entry.policy.statements.map { $0.allowing("sts:TagSession") })
                try emulator.setTrustPolicy(text ?? other.text, of: role.arn)
            case .repositories(let places):
                for place in places {
                    try emulator.setRepositoryPolicy(
                        text,
                        account: place.host.account.value,
                        region: place.host.region,
                        repository: place.pattern
                    )
                }
            }
        }
        for (arn, policies) in identities { try emulator.setPolicies(policies, of: arn) }
    }

    /// - Returns: Why it failed, if it did.
    func copy(
        from source: String,
        to destinations: [String],
        as reader: IdentityOptions,
        and writer: IdentityOptions,
        _ options: CopyOptions = CopyOptions(referrers: .none)
    ) async throws -> CopyError? {
        let replicator = engine(SideOptions(identity: reader), SideOptions(identity: writer))
        let tag = try Tag(parsing: "v1")
        do {
            return try await replicator.copy(
                ImageReference(parsing: source).tagged(tag),
                .one(.tag(tag)),
                to: destinations.map { try DestinationReference(parsing: $0) },
                tags: [],
                options
            ).firstError
        } catch let error as CopyError {
            return error
        }
    }

    func engine(_ source: SideOptions, _ destination: SideOptions) -> TestEngine {
        let logger = Logger(label: "policies") { _ in SwiftLogNoOpLogHandler() }
        let retry = RetryPolicy(attempts: 3, clock: InstantClock(), jitter: { 1 })
        let resolver = IdentityResolver(
            environment: environment,
            sender: transport,
            retry: retry,
            logger: logger,
            askForCode: { _ in Self.code }
        )
        return TestEngine(
            opener: RepositoryOpener(resolver: resolver, sender: transport, retry: retry, logger: logger),
            relay: transport,
            retry: retry,
            source: source,
            destination: destination
        )
    }

    /// The code that every MFA device shows.
    static let code = "123456"
}

extension PolicySet {
    /// Each action that could be taken away.
    var actions: [PolicyBench.Missing] {
        entries.flatMap { entry in
            Set(entry.policy.statements.flatMap(\.actions)).sorted().map { .init(name: entry.names[0], action: $0) }
        }
    }
}

extension PolicyStatement {
    fileprivate func allowing(_ action: String) -> PolicyStatement {
        var statement = self
        statement.actions = [action]
        return statement
    }
}

extension PolicyDocument {
    /// IAM takes no statement without an action: where nothing is left, one that no copy needs stands in.
    func without(_ action: String?) -> PolicyDocument {
        PolicyDocument(
            statements.map { statement in
                var statement = statement
                statement.actions.removeAll { $0 == action }
                if statement.actions.isEmpty { statement.actions = ["sts:GetAccessKeyInfo"] }
                return statement
            }
        )
    }
}

/// - Parameter config: What the machine's `~/.aws/config` says.
func withPolicyBench(
    _ configuration: EmulatorConfiguration,
    config: String = "",
    _ body: (PolicyBench) async throws -> Void
) async throws {
    let home = FileManager.default.temporaryDirectory.path + "/ecr-replicate-policies-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: home) }
    try FileManager.default.createDirectory(atPath: home + "/.aws", withIntermediateDirectories: true)
    try Data(config.utf8).write(to: URL(filePath: home + "/.aws/config"))
    try await withEmulator(configuration) { emulator in
        try await withTransport(TransportConfiguration()) { transport in
            try emulator.seed(
                SeedImage.oci("app", layers: [100]),
                tag: "v1",
                account: ScenarioCloud.build,
                region: ScenarioCloud.home,
                repository: "team/app"
            )
            try await body(PolicyBench(emulator: emulator, transport: transport, home: home))
        }
    }
}
