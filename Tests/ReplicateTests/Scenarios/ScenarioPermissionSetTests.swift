import AWSIdentity
import Content
import ECREmulator
import FoundationEssentials
import Logging
import Replicate
import Reporting
import TestClouds
import Testing
import Wire

/// Nobody knows the ARN of a permission set's role beforehand; what a denial advises gets along without it.
@Suite("On an emulated AWS, a permission set", .timeLimit(.minutes(1)))
struct ScenarioPermissionSetTests {
    private static let user = "ann@a.test"
    private static let deploy = assignment("Deploy")
    private static let audit = assignment("Audit")

    private static func assignment(_ name: String) -> EmulatorConfiguration.IdentityCenter.Assignment {
        .init(account: ScenarioCloud.build, permissionSet: name, region: ScenarioCloud.home)
    }

    @Test("that is denied gets in by pasting what the denials advise, and it alone")
    func pasting() async throws {
        try await withSignedIn { emulator, engine in
            let image = SeedImage.oci("app", layers: [100])
            let (account, region) = (ScenarioCloud.production, ScenarioCloud.far)
            try emulator.seed(
                image,
                tag: "v1",
                account: ScenarioCloud.build,
                region: ScenarioCloud.home,
                repository: "team/app"
            )
            try emulator.createRepository(account: account, region: region, "prod/app")
            let role = Self.deploy.roleARN()
            let name = try #require(role.split(separator: "/").last)

            var pasted: [String] = []
            while let error = try await copy(emulator, engine("deploy")) {
                guard case .denied(let action, _) = error.reason else { throw error }
                let advice = error.remedy.split(separator: "\n").map { $0.drop { $0 == " " } }
                let statement = String(try #require(advice.first { $0.hasPrefix("{") }, "\(error)"))
                #expect(
                    statement
                        == #"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::\#(ScenarioCloud.build):root"},"#
                        + #""Action":"\#(action)","Condition":{"ArnLike":{"aws:PrincipalArn":"#
                        + #""arn:aws:iam::\#(ScenarioCloud.build):role/aws-reserved/sso.amazonaws.com/*\#(name)"}}}"#
                )
                // Otherwise it would be no help, and this would never end.
                try #require(!pasted.contains(statement))
                pasted.append(statement)
                try emulator.setRepositoryPolicy(
                    #"{"Version":"2012-10-17","Statement":[\#(pasted.joined(separator: ","))]}"#,
                    account: account,
                    region: region,
                    repository: "prod/app"
                )
            }
            #expect(pasted.count > 1)
            #expect(emulator.tag("v1", account: account, region: region, repository: "prod/app") == image.digest)

            let stranger = try await copy(emulator, engine("audit"))
            guard case .denied? = stranger?.reason else {
                Issue.record("another permission set of the account: \(stranger as Any)")
                return
            }
        }
    }

    private func copy(_ emulator: Emulator, _ replicator: TestEngine) async throws -> CopyError? {
        let source = emulator.registryHost(account: ScenarioCloud.build, region: ScenarioCloud.home)
        let destination = emulator.registryHost(account: ScenarioCloud.production, region: ScenarioCloud.far)
        let tag = try Tag(parsing: "v1")
        do {
            return try await replicator.copy(
                ImageReference(parsing: "\(source)/team/app").tagged(tag),
                .one(.tag(tag)),
                to: [DestinationReference(parsing: "\(destination)/prod/app")],
                tags: [],
                CopyOptions(referrers: .none)
            ).firstError
        } catch let error as CopyError {
            return error
        }
    }

    private static let config = """
        [profile deploy]
        sso_session = corp
        sso_account_id = \(ScenarioCloud.build)
        sso_role_name = Deploy
        [profile audit]
        sso_session = corp
        sso_account_id = \(ScenarioCloud.build)
        sso_role_name = Audit
        [sso-session corp]
        sso_start_url = https://corp.awsapps.com/start
        sso_region = \(ScenarioCloud.home)
        """

    /// Ann's machine, where she has signed in, and an AWS that enforces policies.
    private func withSignedIn(
        _ body: (Emulator, _ engine: (_ profile: String) -> TestEngine) async throws -> Void
    ) async throws {
        let home = FileManager.default.temporaryDirectory.path + "/ecr-replicate-permission-set-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: home) }
        try FileManager.default.createDirectory(atPath: home + "/.aws/sso/cache", withIntermediateDirectories: true)
        let files = [
            ".aws/config": Self.config,
            ".aws/sso/cache/\(sha1Hex("corp".utf8)).json":
                #"{"accessToken":"signed-in","expiresAt":"2096-01-15T13:00:00Z"}"#,
        ]
        for (name, text) in files { try Data(text.utf8).write(to: URL(filePath: "\(home)/\(name)")) }
        var configuration = EmulatorConfiguration()
        configuration.enforcesPolicies = true
        configuration.identityCenter = .init(
            signIns: [.init(accessToken: "signed-in", expires: Date().addingTimeInterval(3_600), user: Self.user)],
            assignments: [Self.deploy, Self.audit]
        )
        try await withEmulator(configuration) { emulator in
            try await withTransport(TransportConfiguration()) { transport in
                let logger = Logger(label: "permission set") { _ in SwiftLogNoOpLogHandler() }
                let retry = RetryPolicy(attempts: 2, clock: InstantClock(), jitter: { 1 })
                let resolver = IdentityResolver(
                    environment: AWSEnvironment(
                        variables: ["AWS_ENDPOINT_URL": emulator.endpoint, "AWS_EC2_METADATA_DISABLED": "true"],
                        home: home
                    ),
                    sender: transport,
                    retry: retry,
                    logger: logger
                )
                try await body(emulator) { profile in
                    let side = SideOptions(identity: IdentityOptions(profile: profile))
                    return TestEngine(
                        opener: RepositoryOpener(resolver: resolver, sender: transport, retry: retry, logger: logger),
                        relay: transport,
                        retry: retry,
                        source: side,
                        destination: side
                    )
                }
            }
        }
    }
}
