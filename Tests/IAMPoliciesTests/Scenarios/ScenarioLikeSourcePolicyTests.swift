import Content
import ECREmulator
import Replicate
import TestClouds
import TestInputs
import Testing
import Wire

@testable import IAMPolicies

/// What `iam-policy --create-repository like-source` prints is enough, and nothing of it is too much.
@Suite("Policies of a repository like the source's, enforced", .timeLimit(.minutes(2)))
struct ScenarioLikeSourcePolicyTests {
    private static let lifecycle =
        #"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","#
        + #""countUnit":"days","countNumber":14},"action":{"type":"expire"}}]}"#

    /// The actions without which the copy goes on, and a note says what is missing.
    private static let noted = ["ecr:PutLifecyclePolicy", "ecr:SetRepositoryPolicy"]

    private static let added: Set<String> = [
        "ecr:DescribeRepositories", "ecr:ListTagsForResource", "ecr:GetLifecyclePolicy", "ecr:GetRepositoryPolicy",
        "ecr:CreateRepository", "ecr:TagResource", "ecr:PutLifecyclePolicy", "ecr:SetRepositoryPolicy",
    ]

    @Test(
        "give the repository every setting, and without any one action say what is missing",
        arguments: [ScenarioCloud.build, ScenarioCloud.production]
    )
    func minimal(caller: String) async throws {
        try await withBench(caller) { bench in
            let whole = try await bench.copy("prod/whole", without: nil)
            #expect(whole.firstError == nil && whole.receipt?.notes == [])
            let made = try #require(bench.settings("prod/whole"))
            #expect(
                made.lifecyclePolicy == Self.lifecycle && made.repositoryPolicy != nil && made.tags == ["team": "a"]
            )

            var removed: Set<String> = []
            for part in PolicyPart.allCases {
                let listed = try bench.policies("prod/count")[part]?.statements.flatMap(\.actions) ?? []
                for action in listed where Self.added.contains(action) {
                    let name = "prod/app-\(removed.count)-\(part.rawValue)"
                    let results = try await bench.copy(name, without: (part, action))
                    if Self.noted.contains(action) {
                        let notes = results.receipt?.notes ?? []
                        #expect(notes.count == 1 && notes[0].contains(action), "\(action): \(notes)")
                    } else {
                        guard case .denied(action, _)? = results.firstError?.reason else {
                            Issue.record("\(action) taken from \(part): \(results)")
                            continue
                        }
                        #expect(bench.settings(name) == nil, "\(action)")
                    }
                    removed.insert(action)
                }
            }
            #expect(removed == Self.added)
            reportCases("policies, actions of like-source taken away", removed.count)
        }
    }

    /// An emulator that enforces policies, with one user who has what a policy set gives.
    private struct Bench: Sendable {
        let emulator: Emulator
        let transport: Transport
        let user: EmulatorConfiguration.User
        let account: String

        func host(_ account: String, _ region: String) -> String {
            emulator.registryHost(account: account, region: region)
        }

        func policies(_ name: String) throws -> PolicySet {
            var request = PolicyRequest(
                source: try PolicyPlace(parsing: "\(host(ScenarioCloud.build, ScenarioCloud.home))/team/app"),
                destination: try PolicyPlace(parsing: "\(host(account, ScenarioCloud.far))/\(name)")
            )
            request.reader.start = Principal(arn: user.arn)
            request.writer.start = request.reader.start
            request.createsLikeSource = true
            return try PolicySet(request)
        }

        func settings(_ name: String) -> EmulatedSettings? {
            emulator.settings(account: account, region: ScenarioCloud.far, repository: name)
        }

        /// - Returns: What the copy ended with; a failed result for an error at the source.
        func copy(_ name: String, without missing: (PolicyPart, String)?) async throws -> [CopyResult] {
            let set = try policies(name)
            let text = { (part: PolicyPart) -> String? in
                set[part]?.without(missing.flatMap { $0.0 == part ? $0.1 : nil }).text
            }
            try emulator.setPolicies(
                [text(.sourceIdentity), text(.destinationIdentity)].compactMap { $0 },
                of: user.arn
            )
            // Within one account the source has a policy of its own, so that there is one to copy.
            let own = #"{"Statement":{"Effect":"Allow","Action":"ecr:ListImages","Principal":{"AWS":"\#(user.arn)"}}}"#
            try emulator.setRepositoryPolicy(
                text(.sourceRepository) ?? own,
                account: ScenarioCloud.build,
                region: ScenarioCloud.home,
                repository: "team/app"
            )
            let replicator = engine(
                emulator,
                transport,
                RetryPolicy(attempts: 3, clock: InstantClock(), jitter: { 1 }),
                environment: [
                    "AWS_ACCESS_KEY_ID": user.accessKeyID, "AWS_SECRET_ACCESS_KEY": user.secretAccessKey,
                ]
            )
            let tag = try Tag(parsing: "v1")
            let source = try ImageReference(parsing: "\(host(ScenarioCloud.build, ScenarioCloud.home))/team/app")
                .tagged(tag)
            return try await replicator.copy(
                source,
                .one(.tag(tag)),
                to: [DestinationReference(parsing: "\(host(account, ScenarioCloud.far))/\(name)")],
                tags: [],
                CopyOptions(referrers: .none, createRepository: .likeSource)
            )
        }
    }

    private func withBench(_ caller: String, _ body: (Bench) async throws -> Void) async throws {
        var configuration = EmulatorConfiguration()
        let user = EmulatorConfiguration.User(account: caller, name: "copier", policies: [])
        configuration.users = [user]
        try await withEmulator(configuration) { emulator in
            try await withTransport(TransportConfiguration()) { transport in
                let (account, region, name) = (ScenarioCloud.build, ScenarioCloud.home, "team/app")
                try emulator.seed(
                    .oci("app", layers: [100]),
                    tag: "v1",
                    account: account,
                    region: region,
                    repository: name
                )
                var settings = EmulatedSettings()
                (settings.mutability, settings.tags, settings.lifecyclePolicy) = (
                    "IMMUTABLE", ["team": "a"], Self.lifecycle
                )
                try emulator.setSettings(settings, account: account, region: region, repository: name)
                try await body(Bench(emulator: emulator, transport: transport, user: user, account: caller))
            }
        }
    }
}
