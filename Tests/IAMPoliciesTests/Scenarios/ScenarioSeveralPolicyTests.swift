import AWSIdentity
import Content
import ECREmulator
import Replicate
import Reporting
import TestClouds
import TestInputs
import Testing

@testable import IAMPolicies

/// Several destinations share an identity's policy, and none of them gets what only another needs.
@Suite("Policies of a copy to several destinations", .timeLimit(.minutes(2)))
struct ScenarioSeveralPolicyTests {
    private static let copier = EmulatorConfiguration.User(account: ScenarioCloud.build, name: "copier", policies: [])
    private static let config = """
        [profile copier]
        aws_access_key_id = \(copier.accessKeyID)
        aws_secret_access_key = \(copier.secretAccessKey)
        """

    @Test("allow the copy, and without any one action on any one repository it is denied")
    func minimal() async throws {
        var configuration = EmulatorConfiguration()
        configuration.users = [Self.copier]
        try await withPolicyBench(configuration, config: Self.config) { bench in
            try await #expect(copy(bench, 0) == nil)
            var tries = 0
            for (part, document) in try documents(bench, 0) {
                for (index, statement) in document.statements.enumerated() {
                    for action in statement.actions {
                        for number in 0..<max(statement.resources.count, 1) {
                            // One who reads the source may do that twice over.
                            if statement.id == "Write2" || statement.id == "Read", action == "ecr:BatchGetImage" {
                                continue
                            }
                            tries += 1
                            let error = try await copy(bench, tries) { name, policy in
                                guard name.part == part else { return policy }
                                return policy.without(action, ofResource: number, inStatement: index)
                            }
                            guard case .denied(action, _)? = error?.reason else {
                                Issue.record("\(action) on \(statement.resources) [\(number)]: \(error as Any)")
                                continue
                            }
                        }
                    }
                }
            }
            #expect(tries >= 15)
            reportCases("policies of several destinations, actions taken away", tries)
        }
    }

    @Test("are one policy of the caller and one of each other account's repositories")
    func merged() async throws {
        var configuration = EmulatorConfiguration()
        configuration.users = [Self.copier]
        try await withPolicyBench(configuration, config: Self.config) { bench in
            let set = try policies(bench, 0)
            #expect(
                set.entries.flatMap(\.names).map(\.description) == [
                    "source-identity", "destination-identity", "destination-repository",
                ]
            )
            let statements = try #require(set[.destinationIdentity]?.statements)
            #expect(statements.map(\.id) == ["Token", "Write", "Write2"])
            #expect(statements.map(\.resources.count) == [1, 3, 1])
            // The source's own repository is only given another tag.
            #expect(statements[2].actions == ["ecr:BatchGetImage", "ecr:PutImage"])
            #expect(statements[2].resources == ["arn:aws:ecr:eu-west-1:111122223333:repository/team/app"])
            guard case .repositories(let places)? = set[PolicyName(.destinationRepository)]?.place else {
                Issue.record("no policy of the repositories")
                return
            }
            #expect(places.map(\.pattern) == ["prod/app-0", "prod/other-0"])
        }
    }

    // MARK: The bench

    private func destinations(_ bench: PolicyBench, _ number: Int) -> [String] {
        [
            "\(bench.host(ScenarioCloud.production))/prod/app-\(number)",
            "\(bench.host(ScenarioCloud.production))/prod/other-\(number)",
            "\(bench.host(ScenarioCloud.build, ScenarioCloud.far))/team/app-\(number)",
            "\(bench.host(ScenarioCloud.build))/team/app",
        ]
    }

    private func policies(_ bench: PolicyBench, _ number: Int) throws -> PolicySet {
        var request = PolicyRequest(
            source: try bench.place("\(bench.host(ScenarioCloud.build))/team/app"),
            destinations: try destinations(bench, number).map { try bench.place($0) }
        )
        request.reader = PolicyCaller(Principal(arn: Self.copier.arn))
        request.writer = request.reader
        return try PolicySet(request)
    }

    private func documents(_ bench: PolicyBench, _ number: Int) throws -> [(PolicyPart, PolicyDocument)] {
        try policies(bench, number).entries.map { ($0.names[0].part, $0.policy) }
    }

    private func copy(
        _ bench: PolicyBench,
        _ number: Int,
        _ change: (PolicyName, PolicyDocument) -> PolicyDocument = { $1 }
    ) async throws -> CopyError? {
        let places = destinations(bench, number)
        for name in ["prod/app-\(number)", "prod/other-\(number)"] {
            try bench.emulator.createRepository(account: ScenarioCloud.production, region: ScenarioCloud.home, name)
        }
        try bench.emulator.createRepository(
            account: ScenarioCloud.build,
            region: ScenarioCloud.far,
            "team/app-\(number)"
        )
        try bench.put(policies(bench, number).changed(change), for: [Self.copier.arn])
        let copier = IdentityOptions(profile: "copier")
        return try await bench.copy(
            from: "\(bench.host(ScenarioCloud.build))/team/app",
            to: places.dropLast() + ["\(places[3]):n\(number)"],
            as: copier,
            and: copier
        )
    }
}

extension PolicyDocument {
    /// One action, on one of the resources that a statement names.
    fileprivate func without(_ action: String, ofResource index: Int, inStatement number: Int) -> PolicyDocument {
        // The policy of a repository names none.
        guard !statements[number].resources.isEmpty else { return without(action) }
        let resource = statements[number].resources[index]
        var less = statements[number]
        less.id = nil
        less.resources = [resource]
        less.actions.removeAll { $0 == action }
        var statements = statements
        statements[number].resources.removeAll { $0 == resource }
        return PolicyDocument((statements + [less]).filter { !$0.resources.isEmpty && !$0.actions.isEmpty })
    }
}
