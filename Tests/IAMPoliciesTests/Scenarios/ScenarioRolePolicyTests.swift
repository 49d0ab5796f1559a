import AWSIdentity
import Content
import ECREmulator
import Platform
import Replicate
import Reporting
import TestClouds
import TestInputs
import Testing

@testable import IAMPolicies

/// What `iam-policy` prints for roles is enough to assume them, and lets no one else in.
@Suite("Policies of a copy by roles", .timeLimit(.minutes(2)))
struct ScenarioRolePolicyTests {
    /// How a copy's roles are named, and by whom they are assumed.
    struct Shape: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var reader = IdentityOptions(profile: "copier")
        var writer: IdentityOptions
        var creates = false
        /// Whom the policies are written for; by default the user whose keys the profile has.
        var principal: String? = copier.arn
        /// Whether other identities of that account may assume the role, if their own policies allow it.
        var letsInAccount = false
        /// Identities that must not be let in, at least not with these options.
        var strangers: [IdentityOptions] = []
    }

    private static let copier = EmulatorConfiguration.User(account: ScenarioCloud.build, name: "copier", policies: [])
    private static let other = EmulatorConfiguration.User(
        account: ScenarioCloud.build,
        name: "other",
        policies: [
            #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}"#
        ]
    )
    private static let hub = "arn:aws:iam::\(ScenarioCloud.build):role/hub"
    private static let promoter = "arn:aws:iam::\(ScenarioCloud.production):role/promoter"
    private static let device = EmulatorConfiguration.Device(
        serial: "arn:aws:iam::\(ScenarioCloud.build):mfa/copier",
        code: PolicyBench.code
    )

    private static let config = """
        [profile copier]
        aws_access_key_id = \(copier.accessKeyID)
        aws_secret_access_key = \(copier.secretAccessKey)
        [profile other]
        aws_access_key_id = \(other.accessKeyID)
        aws_secret_access_key = \(other.secretAccessKey)
        [profile hub]
        role_arn = \(hub)
        source_profile = copier
        mfa_serial = \(device.serial)
        [profile promoter]
        role_arn = \(promoter)
        source_profile = hub
        external_id = ex-1
        [profile careless]
        role_arn = \(hub)
        source_profile = copier
        """

    static let shapes: [Shape] = [
        Shape(
            testDescription: "of another account, with an external id",
            writer: IdentityOptions(profile: "copier", roleARN: promoter, externalID: "ex-1"),
            strangers: [
                IdentityOptions(profile: "copier", roleARN: promoter),
                IdentityOptions(profile: "copier", roleARN: promoter, externalID: "ex-2"),
                IdentityOptions(profile: "other", roleARN: promoter, externalID: "ex-1"),
            ]
        ),
        Shape(
            testDescription: "of another account, in which it creates the repository",
            writer: IdentityOptions(profile: "copier", roleARN: promoter),
            creates: true,
            strangers: [IdentityOptions(profile: "other", roleARN: promoter)]
        ),
        Shape(
            testDescription: "of one's own account, for both sides",
            reader: IdentityOptions(profile: "copier", roleARN: hub),
            writer: IdentityOptions(profile: "copier", roleARN: hub),
            strangers: [IdentityOptions(profile: "other", roleARN: hub)]
        ),
        Shape(
            testDescription: "one after the other, the first with a code",
            writer: IdentityOptions(profile: "promoter"),
            strangers: [
                IdentityOptions(profile: "careless"),
                IdentityOptions(profile: "copier", roleARN: promoter, externalID: "ex-1"),
                IdentityOptions(profile: "other", roleARN: hub),
            ]
        ),
        Shape(
            testDescription: "for every identity of an account",
            writer: IdentityOptions(profile: "copier", roleARN: promoter),
            principal: "arn:aws:iam::\(ScenarioCloud.build):root",
            letsInAccount: true
        ),
    ]

    @Test("allows the copy, and without any one action the copy is denied", arguments: shapes)
    func minimal(_ shape: Shape) async throws {
        try await withRoles { bench in
            let error = try await copy(shape, bench, 0)
            #expect(error == nil, "\(error as Any)")
            let actions = try policies(shape, bench, "prod/count").actions
            for (number, missing) in actions.enumerated() {
                let error = try #require(try await copy(shape, bench, number + 1, without: missing), "\(missing)")
                guard case .denied(missing.action, _) = error.reason else {
                    Issue.record("\(missing.action) taken from \(missing.name): \(error)")
                    continue
                }
                #expect(error.kind == .notPermitted)
                #expect(error.remedy.contains("\"Action\":\"\(missing.action)\""), "\(error)")
            }
            let assuming = actions.filter { $0.action == "sts:AssumeRole" }
            #expect(!assuming.isEmpty && actions.count > assuming.count)
            reportCases("policies of roles, actions taken away", actions.count)
        }
    }

    @Test("lets no one else in, nor a caller without the external id or code", arguments: shapes)
    func strangers(_ shape: Shape) async throws {
        try await withRoles { bench in
            try await #expect(copy(shape, bench, 0) == nil)
            for stranger in shape.strangers {
                let error = try await copy(shape, bench, 1, as: stranger)
                guard case .denied("sts:AssumeRole", _)? = error?.reason else {
                    Issue.record("\(stranger): \(error as Any)")
                    continue
                }
            }
            let other = IdentityOptions(profile: "other", roleARN: shape.writer.roleARN)
            guard shape.letsInAccount else { return #expect(!shape.strangers.isEmpty) }
            // The note says so.
            let entry = try #require(try policies(shape, bench, "prod/count")[PolicyName(.destinationTrust)])
            #expect(entry.notes.first?.hasPrefix("this allows every identity of account 111122223333") == true)
            try await #expect(copy(shape, bench, 1, as: other) == nil)
        }
    }

    @Test("of an unknown caller can't be put in place as it is")
    func placeholder() async throws {
        try await withRoles { bench in
            let shape = Shape(
                testDescription: "",
                writer: IdentityOptions(profile: "copier", roleARN: Self.promoter),
                principal: nil
            )
            let error = await #expect(throws: EmulatorStartError.self) { try await copy(shape, bench, 0) }
            #expect(error?.description.contains("'ARN-OF-THE-CALLER' is not a principal") == true)
        }
    }

    // MARK: The bench

    private func withRoles(_ body: (PolicyBench) async throws -> Void) async throws {
        var configuration = EmulatorConfiguration()
        configuration.users = [Self.copier, Self.other]
        configuration.roles = [
            .init(arn: Self.hub, policies: [], device: Self.device), .init(arn: Self.promoter, policies: []),
        ]
        try await withPolicyBench(configuration, config: Self.config, body)
    }

    private func policies(_ shape: Shape, _ bench: PolicyBench, _ name: String) throws -> PolicySet {
        let principal = shape.principal.flatMap { Principal(arn: $0) }
        var request = PolicyRequest(
            source: try bench.place("\(bench.host(ScenarioCloud.build))/team/app"),
            destination: try bench.place("\(bench.host(account(of: shape)))/\(name)")
        )
        request.reader = try PolicyCaller(
            RolePath(shape.reader, environment: bench.environment),
            named: Principal(arn: Self.copier.arn)
        )
        request.writer = try PolicyCaller(RolePath(shape.writer, environment: bench.environment), named: principal)
        request.createsRepository = shape.creates
        return try PolicySet(request)
    }

    private func account(of shape: Shape) -> String {
        shape.writer.roleARN == Self.hub ? ScenarioCloud.build : ScenarioCloud.production
    }

    private func copy(
        _ shape: Shape,
        _ bench: PolicyBench,
        _ number: Int,
        without missing: PolicyBench.Missing? = nil,
        as stranger: IdentityOptions? = nil
    ) async throws -> CopyError? {
        let name = "prod/app-\(number)"
        // One that is created just now isn't asked what it lacks, so that only half of what is listed is needed.
        if !shape.creates || (missing.map { $0.action != "ecr:CreateRepository" } ?? false) {
            try bench.emulator.createRepository(account: account(of: shape), region: ScenarioCloud.home, name)
        }
        try bench.put(
            policies(shape, bench, name),
            for: [Self.copier.arn, Self.hub, Self.promoter],
            without: missing
        )
        return try await bench.copy(
            from: "\(bench.host(ScenarioCloud.build))/team/app",
            to: ["\(bench.host(account(of: shape)))/\(name)"],
            as: shape.reader,
            and: stranger ?? shape.writer,
            CopyOptions(referrers: .none, createRepository: shape.creates ? .defaults : .never)
        )
    }
}
