import AWSIdentity
import Content
import ECREmulator
import Replicate
import Reporting
import TestClouds
import Testing

@testable import IAMPolicies

/// Each partition has its own callers, and a policy in one partition names none of the other's.
@Suite("Policies of a copy between partitions", .timeLimit(.minutes(2)))
struct ScenarioPartitionPolicyTests {
    private static let chinese = "777788889999"
    private static let north = "cn-north-1"

    private static let copier = EmulatorConfiguration.User(account: ScenarioCloud.build, name: "copier", policies: [])
    private static let deployer = EmulatorConfiguration.User(
        account: Self.chinese,
        name: "deployer",
        partition: .china,
        policies: []
    )
    private static let promoter = "arn:aws-cn:iam::\(Self.chinese):role/promoter"
    private static let config = """
        [profile copier]
        aws_access_key_id = \(copier.accessKeyID)
        aws_secret_access_key = \(copier.secretAccessKey)
        [profile deployer]
        aws_access_key_id = \(deployer.accessKeyID)
        aws_secret_access_key = \(deployer.secretAccessKey)
        [profile promoter]
        role_arn = \(promoter)
        source_profile = deployer
        external_id = ex-1
        """

    @Test(
        "allow the copy, with keys and with a role, and every permission is needed",
        arguments: ["deployer", "promoter"]
    )
    func crossing(_ profile: String) async throws {
        var configuration = EmulatorConfiguration()
        configuration.accounts = [
            .init(id: ScenarioCloud.build), .init(id: Self.chinese, partition: .china),
        ]
        configuration.regions = [ScenarioCloud.home, Self.north]
        configuration.users = [Self.copier, Self.deployer]
        configuration.roles = [.init(arn: Self.promoter, policies: [])]
        try await withPolicyBench(configuration, config: Self.config) { bench in
            try await #expect(copy(bench, profile, 0) == nil)
            let actions = try policies(bench, profile, "prod/count").actions
            for (number, missing) in actions.enumerated() {
                let error = try #require(try await copy(bench, profile, number + 1, without: missing), "\(missing)")
                guard case .denied(missing.action, _) = error.reason else {
                    Issue.record("\(missing.action) taken from \(missing.name): \(error)")
                    continue
                }
            }
            #expect(actions.contains { $0.action == "sts:AssumeRole" } == (profile == "promoter"))
        }
    }

    private func policies(_ bench: PolicyBench, _ profile: String, _ name: String) throws -> PolicySet {
        var request = PolicyRequest(
            source: try bench.place("\(bench.host(ScenarioCloud.build))/team/app"),
            destination: try bench.place("\(bench.host(Self.chinese, Self.north))/\(name)")
        )
        request.reader = PolicyCaller(Principal(arn: Self.copier.arn))
        request.writer = try PolicyCaller(
            RolePath(IdentityOptions(profile: profile), environment: bench.environment),
            named: Principal(arn: Self.deployer.arn)
        )
        return try PolicySet(request)
    }

    private func copy(
        _ bench: PolicyBench,
        _ profile: String,
        _ number: Int,
        without missing: PolicyBench.Missing? = nil
    ) async throws -> CopyError? {
        let name = "prod/app-\(number)"
        try bench.emulator.createRepository(account: Self.chinese, region: Self.north, name)
        try bench.put(
            policies(bench, profile, name),
            for: [Self.copier.arn, Self.deployer.arn, Self.promoter],
            without: missing
        )
        return try await bench.copy(
            from: "\(bench.host(ScenarioCloud.build))/team/app",
            to: ["\(bench.host(Self.chinese, Self.north))/\(name)"],
            as: IdentityOptions(profile: "copier"),
            and: IdentityOptions(profile: profile)
        )
    }
}
