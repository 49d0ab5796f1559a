import AWSIdentity
import Content
import ECREmulator
import FoundationEssentials
import Logging
import Platform
import Reporting
import TestClouds
import Testing
import Wire

@testable import Replicate

/// Each credential provider, over real sockets, to keys that ECR accepts.
@Suite("Credential providers against the emulator", .timeLimit(.minutes(1)))
struct EmulatedProviderTests {
    private static let account = ScenarioCloud.build
    private static let other = ScenarioCloud.production
    private static let issuer = "oidc.eks.eu-west-1.amazonaws.com/id/1"

    private static var cloud: EmulatorConfiguration {
        var configuration = EmulatorConfiguration()
        configuration.identityCenter = .init(
            signIns: [.init(accessToken: "signed-in", expires: Date().addingTimeInterval(3_600))],
            assignments: [.init(account: account, role: "Dev")]
        )
        configuration.container = .init(roleARN: "arn:aws:iam::\(account):role/task", authorization: "pod-token")
        configuration.metadata = .init(roleARN: "arn:aws:iam::\(account):role/instance")
        configuration.roles = [
            .init(arn: "arn:aws:iam::\(other):role/promoter", externalID: "handshake", trustedAccounts: [account]),
            .init(arn: "arn:aws:iam::\(other):role/hop", trustedAccounts: [other]),
            .init(
                arn: "arn:aws:iam::\(account):role/pod",
                webIdentity: .init(issuer: issuer, subject: "system:serviceaccount:a:b")
            ),
            .init(
                arn: "arn:aws:iam::\(account):role/careful",
                device: .init(serial: "arn:aws:iam::\(account):mfa/ann", code: "123456")
            ),
        ]
        return configuration
    }

    private static let config = """
        [profile signed-in]
        sso_session = corp
        sso_account_id = \(account)
        sso_role_name = Dev
        [sso-session corp]
        sso_start_url = https://corp.awsapps.com/start
        sso_region = eu-west-1
        [profile base]
        aws_access_key_id = AKIAEMULATOR22223333
        aws_secret_access_key = emulator-secret-of-\(account)
        [profile process]
        credential_process = cat HOME/keys.json
        [profile promoter]
        role_arn = arn:aws:iam::\(other):role/promoter
        source_profile = base
        external_id = handshake
        [profile chain]
        role_arn = arn:aws:iam::\(other):role/hop
        source_profile = promoter
        [profile stranger]
        role_arn = arn:aws:iam::\(other):role/promoter
        source_profile = base
        external_id = another
        [profile careful]
        role_arn = arn:aws:iam::\(account):role/careful
        mfa_serial = arn:aws:iam::\(account):mfa/ann
        source_profile = base
        [profile careless]
        role_arn = arn:aws:iam::\(account):role/careful
        source_profile = base
        """

    struct Provider: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var profile: String?
        var variables: [String: String] = [:]
        /// The caller's ARN in STS's answer.
        var arn: String
    }

    private static let providers = [
        Provider(
            testDescription: "environment variables",
            variables: [
                "AWS_ACCESS_KEY_ID": "AKIAEMULATOR22223333", "AWS_SECRET_ACCESS_KEY": "emulator-secret-of-\(account)",
            ],
            arn: "arn:aws:iam::\(account):user/emulator"
        ),
        Provider(testDescription: "a profile", profile: "base", arn: "arn:aws:iam::\(account):user/emulator"),
        Provider(
            testDescription: "a credential process",
            profile: "process",
            arn: "arn:aws:iam::\(account):user/emulator"
        ),
        Provider(
            testDescription: "a sign-in",
            profile: "signed-in",
            arn: "arn:aws:sts::\(account):assumed-role/Dev/signed-in"
        ),
        Provider(
            testDescription: "a role in another account with an external ID",
            profile: "promoter",
            arn: "arn:aws:sts::\(other):assumed-role/promoter/ecr-replicate-ann"
        ),
        Provider(
            testDescription: "a chained role",
            profile: "chain",
            arn: "arn:aws:sts::\(other):assumed-role/hop/ecr-replicate-ann"
        ),
        Provider(
            testDescription: "a role with MFA",
            profile: "careful",
            arn: "arn:aws:sts::\(account):assumed-role/careful/ecr-replicate-ann"
        ),
        Provider(
            testDescription: "a web identity",
            variables: [
                "AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/web-token", "AWS_ROLE_SESSION_NAME": "pod-1",
                "AWS_ROLE_ARN": "arn:aws:iam::\(account):role/pod",
            ],
            arn: "arn:aws:sts::\(account):assumed-role/pod/pod-1"
        ),
        Provider(
            testDescription: "a container",
            variables: [
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "CONTAINER",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "HOME/pod-token",
            ],
            arn: "arn:aws:sts::\(account):assumed-role/task/"
        ),
        Provider(
            testDescription: "an instance",
            // The default of one second is too short on a busy machine.
            variables: ["AWS_EC2_METADATA_DISABLED": "false", "AWS_METADATA_SERVICE_TIMEOUT": "20"],
            arn: "arn:aws:sts::\(account):assumed-role/instance/"
        ),
    ]

    /// A machine with a home directory that uses the emulator as AWS.
    private func withMachine(
        _ variables: [String: String],
        code: String = "123456",
        _ body: (IdentityResolver, Emulator, Transport) async throws -> Void
    ) async throws {
        let webToken = EmulatorConfiguration.WebIdentity(issuer: Self.issuer, subject: "system:serviceaccount:a:b")
            .token(expires: Date().addingTimeInterval(3_600))
        let files = [
            "web-token": webToken, "pod-token": "pod-token",
            "keys.json": #"{"Version":1,"AccessKeyId":"AKIAEMULATOR22223333","#
                + #""SecretAccessKey":"emulator-secret-of-\#(Self.account)"}"#,
        ]
        try await withSignedInHome(config: Self.config, files: files) { home in
            try await withEmulator(Self.cloud) { emulator in
                try await withTransport(TransportConfiguration()) { transport in
                    var all = [
                        "AWS_EC2_METADATA_DISABLED": "true", "AWS_EC2_METADATA_SERVICE_ENDPOINT": emulator.metadataURL,
                        "AWS_ENDPOINT_URL": emulator.endpoint, "USER": "ann", "PATH": "/usr/bin:/bin",
                    ]
                    for (name, value) in variables {
                        all[name] = value.replacing("HOME", with: home)
                            .replacing("CONTAINER", with: emulator.containerURL)
                    }
                    let resolver = IdentityResolver(
                        environment: AWSEnvironment(variables: all, home: home),
                        sender: transport,
                        logger: Logger(label: "providers") { _ in SwiftLogNoOpLogHandler() },
                        askForCode: { _ in code }
                    )
                    try await body(resolver, emulator, transport)
                }
            }
        }
    }

    @Test("Credentials of each provider work and belong to the expected caller", arguments: providers)
    func use(_ provider: Provider) async throws {
        try await withMachine(provider.variables) { resolver, emulator, transport in
            let logger = Logger(label: "providers") { _ in SwiftLogNoOpLogHandler() }
            let retry = RetryPolicy(attempts: 2)
            let opener = RepositoryOpener(resolver: resolver, sender: transport, retry: retry, logger: logger)
            let options = SideOptions(identity: IdentityOptions(profile: provider.profile))
            let caller = try await opener.identity(region: ScenarioCloud.home, options)
            #expect(caller.arn.hasPrefix(provider.arn), "\(caller.arn)")
            #expect(provider.arn.contains(":\(caller.account):"))

            // ECR accepts the credentials, too.
            try emulator.createRepository(account: caller.account, region: ScenarioCloud.home, "team/app")
            let host = emulator.registryHost(account: caller.account, region: ScenarioCloud.home)
            let reference = try ImageReference(parsing: "\(host)/team/app")
            let repository = try await opener.open(reference, side: .source, options)
            #expect(try await repository.list().images.isEmpty)
        }
    }

    @Test("A wrong MFA code and a missing MFA code have different remedies")
    func secondFactor() async throws {
        try await withMachine([:], code: "654321") { resolver, _, _ in
            let refused = { (profile: String) async throws -> (IdentityError, CopyError) in
                let provider = try resolver.provider(for: .init(profile: profile), stsRegion: ScenarioCloud.home)
                let thrown = await #expect(throws: IdentityError.self) { try await provider.credentials() }
                let error = try #require(thrown)
                return (error, CopyError(explaining: error, side: .source, image: "team/app", "asking"))
            }
            let (mistyped, wrong) = try await refused("careful")
            #expect(mistyped.refusal?.sentMFA == true)
            #expect(wrong.remedy.hasPrefix("run again with the device's current code"))
            #expect(!wrong.remedy.contains(#"{"Effect""#) && wrong.kind == .notPermitted)
            let (unasked, missing) = try await refused("careless")
            #expect(unasked.refusal?.sentMFA == false)
            #expect(missing.remedy.contains("aws:MultiFactorAuthPresent, set mfa_serial in the profile instead"))
        }
    }

    @Test("A role with another external ID is refused, and the ID is not shown")
    func stranger() async throws {
        try await withMachine([:]) { resolver, _, _ in
            let provider = try resolver.provider(for: .init(profile: "stranger"), stsRegion: ScenarioCloud.home)
            let error = await #expect(throws: IdentityError.self) { try await provider.credentials() }
            #expect(error?.problem.contains("AccessDenied") == true)
            #expect(!"\(error as Any)".contains("another"))
        }
    }
}
